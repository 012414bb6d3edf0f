"""Three sentences, and one line on trust, say what the figures say."""

from __future__ import annotations

import attention_frames
import histories
import numpy as np
import pandas as pd
from frames import NAN, frame, quick, row
from pages import Page

from harness.report import html, markdown, rows, verdict
from harness.report.attention import section
from harness.report.history import section as history
from harness.report.machines import section as machines


def told(*members: dict[str, object]) -> list[str]:
    return verdict.sentences(rows.newest(frame(members)))


def test_there_are_exactly_three_sentences() -> None:
    found = verdict.sentences(rows.newest(quick()))
    assert len(found) == 3
    assert all(text.endswith(".") for text in found)


def test_nothing_measured_is_one_sentence() -> None:
    assert told() == ["There are no results: no case was measured, so there is nothing to report."]


class TestFastest:
    def test_the_base_is_named_where_all_others_are_slower(self) -> None:
        members = [
            row(1e-3),
            row(2e-3, framework="tensorflow"),
            row(1e-3, layer="lstm"),
            row(8e-3, layer="lstm", framework="tensorflow"),
        ]
        assert told(*members)[0] == (
            "On cpu, over 2 cases, torch eager is fastest: tensorflow eager takes "
            "4.00× (3.50–4.58) its time; by layer from 2.00× (1.75–2.29) for dense forward to "
            "8.00× (6.99–9.15) for lstm forward."
        )

    def test_another_is_named_where_its_whole_interval_is_below_one(self) -> None:
        sentence = told(row(4e-3), row(1e-3, framework="jax"), row(2e-3, framework="tensorflow"))[0]
        assert sentence.startswith("On cpu, over 1 case, jax eager is fastest, at 0.250× (")
        assert ") the time of torch eager, tensorflow eager takes 0.500× (" in sentence

    def test_no_one_is_named_where_the_interval_holds_one(self) -> None:
        sentence = told(row(1e-3), row(1.01e-3, framework="jax"))[0]
        assert "torch eager and jax eager cannot be told apart: jax eager takes 1.01× (" in sentence
        assert "fastest" not in sentence

    def test_no_one_is_named_where_the_second_may_be_as_fast(self) -> None:
        times = [("torch", 2e-3), ("jax", 1.2e-3), ("tensorflow", 1.21e-3)]
        sentence = told(*(row(time, framework=name) for name, time in times))[0]
        assert (
            "jax eager and tensorflow eager are fastest and cannot be told apart: jax eager takes "
            "0.600× (0.524–0.687) and tensorflow eager takes 0.605× (0.529–0.692) the time of "
            "torch eager" in sentence
        )
        assert "is fastest" not in sentence

    def test_only_cases_that_all_have_count(self) -> None:
        members = [
            row(1e-3),
            row(2e-3, framework="jax"),
            row(3e-3, framework="tensorflow"),
            row(1e-3, batch=1),
            row(9e-3, batch=1, framework="jax"),
        ]
        sentence = told(*members)[0]
        assert "over the 1 of 2 cases that each of them measured (dense forward)" in sentence
        assert "jax eager takes 2.00×" in sentence
        apart = [row(1e-3), row(1e-3, batch=1, framework="jax")]
        assert told(*apart)[0].startswith("No two configurations measured the same case")

    def test_who_measured_few_cases_does_not_shrink_the_rest_to_these(self) -> None:
        layers = ("dense", "lstm", "gru", "conv2d")
        members = [row(1e-3, layer=layer) for layer in layers]
        members += [row(2e-3, layer=layer, framework="tensorflow") for layer in layers]
        few = row(1e-4, execution="compiled")
        sentence = told(*members, few)[0]
        assert sentence.startswith("On cpu, over 4 cases, torch eager is fastest")
        assert "; left out for too few of the 4 cases: torch compiled (measured 1)." in sentence
        assert told(*members[:4], few)[0].startswith(
            "On cpu, over the 1 of 4 cases that both measured (dense forward), torch compiled is "
            "fastest, at 0.100× ("
        )

    def test_executions_of_one_framework_count_too(self) -> None:
        times = [("torch", "eager", 4e-3), ("torch", "compiled", 1e-3), ("jax", "compiled", 2e-3)]
        members = [
            row(time, framework=name, execution=execution) for name, execution, time in times
        ]
        assert "torch compiled is fastest, at 0.250× (" in told(*members)[0]

    def test_each_device_has_a_sentence(self) -> None:
        members = [
            row(time, framework=framework, device=device)
            for device in ("cpu", "cuda")
            for framework, time in (("torch", 1e-3), ("jax", 3e-3))
        ]
        sentence = told(*members)[0]
        assert "On cpu, " in sentence
        assert ". On cuda, " in sentence

    def test_one_configuration_alone_is_said_to_be_alone(self) -> None:
        assert told(row())[0] == "Only torch eager was run, so nothing can be called faster."
        failed = row(framework="jax", status="error")
        assert told(row(), failed)[0].startswith("Only torch eager gave a latency, so")
        assert told(failed)[0].startswith("No latency was measured")

    def test_executions_of_one_framework_alone_are_compared(self) -> None:
        sentence = told(row(2e-3), row(1e-3, execution="compiled"))[0]
        assert sentence.startswith(
            "On cpu, over 1 case, torch compiled is fastest, at 0.500× (0.437–0.572) the time of "
            "torch eager"
        )

    def test_of_several_machines_the_cases_of_each_name_theirs(self) -> None:
        members = [
            row(time, framework=name, machine_id=machine)
            for machine in ("box", "other")
            for name, time in (("torch", 1e-3), ("jax", 3e-3))
        ]
        assert "On cpu of box, over 1 case, " in told(*members)[0]


class TestMachines:
    def test_devices_of_one_framework_are_compared(self) -> None:
        table = frame(
            row(time * factor, layer=layer, device=device)
            for layer, factor in (("dense", 1.0), ("lstm", 2.0))
            for device, time in (("cpu", 1e-3), ("cuda", 2.5e-4))
        )
        sides = machines.section(table, [])
        sentence = verdict.sentences(rows.newest(table), sides)[0]
        assert sentence.startswith(
            "Of the machines, over 2 cases, box (cuda) is fastest, at 0.250× (0.218–0.286) the "
            "time of box (cpu)"
        )
        assert "Only torch" not in sentence
        assert f"- {markdown.escape(sentence)}" in markdown.render(table, [])
        assert sentence in Page(html.render(table, [])).text

    def test_machines_come_after_configurations_and_those_that_tie_are_not_ranked(self) -> None:
        table = frame(
            row(time * factor, framework=framework, machine_id=machine)
            for framework, factor in (("torch", 1.0), ("jax", 2.0))
            for machine, time in (("slow", 4e-3), ("a", 1e-3), ("b", 1.01e-3))
        )
        sentence = verdict.sentences(rows.newest(table), machines.section(table, []))[0]
        assert sentence.startswith("On cpu of slow, over 1 case, torch eager is fastest")
        assert (
            ". Of the machines, over 2 cases, a and b are fastest and cannot be told apart: a "
            "takes 0.250× (" in sentence
        )


class TestAttention:
    def of(self, *laws: attention_frames.Law) -> str:
        newest = rows.newest(frame(attention_frames.rows(laws)))
        return verdict.sentences(newest, attention=section.section(newest))[0]

    def test_the_fastest_way_to_attend_is_told_at_the_greatest_length(self) -> None:
        names = ("linear_attention", "retention")
        others = [law for law in attention_frames.MANY if law.layer in names]
        sentence = self.of(*attention_frames.FEW, *others)
        assert sentence.startswith(
            "Of attention at length 16384 (torch on cpu, forward), linear_attention (approximate) "
            "is fastest, at 0.0110× ("
        )
        assert "the time of sdpa_flash, sliding_window_attention takes 0.0522× (" in sentence
        assert "attention_plain" not in sentence  # out of memory there
        assert "retention" not in sentence  # a formula of its own

    def test_a_length_at_which_dense_attention_failed_is_passed_over(self) -> None:
        plain, _, window = attention_frames.FEW
        assert "at length 8192 (" in self.of(plain, window)


def test_what_got_slower_is_told_a_machine_each_and_slowdowns_first() -> None:
    still, still_runs = histories.stored([histories.noise(24)], "still", "s")
    slow, slow_runs = histories.stored(
        [histories.noise(24) + np.repeat([0.0, 0.5], 12)], "slow", "t"
    )
    both = pd.concat([still, slow], ignore_index=True)
    found = verdict.histories(history.section(both, [*still_runs, *slow_runs]))
    assert [lead.tone for lead in found] == ["bad", ""]
    assert "24 runs on slow" in found[0].title
    assert "Of 1 case 1 is slower at the end, by" in found[0].text
    assert "Of 1 case none is slower" in found[1].text


class TestTrust:
    def test_a_row_with_a_fault_is_not_counted_as_sound(self) -> None:
        members = [
            row(batch=1),
            row(batch=2, converged=False),
            row(batch=4, warmed=False),
            row(batch=8, audit=["trend"]),
        ]
        assert told(*members)[2] == (
            "A typical latency is known to ±9.55 %, and 1 of 4 settled and passed all checks; "
            "mistrust the rest first (not converged 1, not warm 1, a failed check 1)."
        )

    def test_all_sound(self) -> None:
        assert told(row())[2].endswith(", and all settled and passed all checks.")

    def test_single_processes_are_told(self) -> None:
        assert "from a single process only" in told(row(passes=1))[2]

    def test_line_holds_convergence_parity_checks_and_warnings(self) -> None:
        members = [
            row(batch=1, parity_error=1e-7),
            row(batch=2, parity_error=3.1e-6, converged=False, warnings=["noisy"]),
            row(batch=4, parity_error=NAN, audit=["passes"]),
            row(batch=8, status="oom"),
        ]
        assert verdict.trust(rows.read(frame(members))) == (
            "converged 2 of 3 · warm 3 of 3 · checked against float64 2 of 3 (worst 3.1×10⁻⁶) "
            "· failed checks passes 1 · warned 1"
        )

    def test_line_without_a_latency(self) -> None:
        assert verdict.trust(rows.read(frame([row(status="oom")]))) == "no latency was measured"


def test_of_a_run_that_has_just_ended_all_but_who_is_fastest_is_told() -> None:
    members = rows.newest(quick())
    assert verdict.outcome(members) == [
        *verdict.sentences(members)[1:],
        f"Trust: {verdict.trust(members)}.",
    ]
    assert verdict.outcome([]) == verdict.sentences([])


def test_failures_are_told_by_kind_the_commonest_first() -> None:
    members = [row(batch=1, status="timeout", reason="no answer")]
    members += [row(batch=2**n, status="oom", reason="killed") for n in (1, 2, 3)]
    members += [row(batch=64, status="unsupported", reason="no builder"), row(batch=128)]
    assert verdict.failures(rows.read(frame(members))) == [
        f"3 oom: killed ({members[1]['case_id']} and 2 more)",
        f"1 timeout: no answer ({members[0]['case_id']})",
    ]
    many = [row(batch=2**n, status="error", reason=f"kind {n}") for n in range(7)]
    assert verdict.failures(rows.read(frame(many)))[-1] == "2 more kinds of failure"

"""Three sentences, and one line on trust, say what the figures say."""

from __future__ import annotations

from frames import NAN, frame, quick, row

from harness.report import rows, verdict


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
            "On cpu, over 2 cases that all measured, torch eager is fastest: tensorflow eager "
            "takes 4.00× (3.50–4.58) its time; by layer from 2.00× (dense forward) to 8.00× "
            "(lstm forward)."
        )

    def test_another_is_named_where_its_whole_interval_is_below_one(self) -> None:
        sentence = told(row(4e-3), row(1e-3, framework="jax"), row(2e-3, framework="tensorflow"))[0]
        assert sentence.startswith(
            "On cpu, over 1 case that all measured, jax eager is fastest, at 0.250× ("
        )
        assert ") the time of torch eager, tensorflow eager at 0.500× (" in sentence

    def test_no_one_is_named_where_the_interval_holds_one(self) -> None:
        sentence = told(row(1e-3), row(1.01e-3, framework="jax"))[0]
        assert "torch eager and jax eager cannot be told apart (1.01× (" in sentence
        assert "fastest" not in sentence

    def test_only_cases_that_all_have_count(self) -> None:
        members = [
            row(1e-3),
            row(2e-3, framework="jax"),
            row(3e-3, framework="tensorflow"),
            row(1e-3, batch=1),
            row(9e-3, batch=1, framework="jax"),
        ]
        sentence = told(*members)[0]
        assert "over 1 case that all measured" in sentence
        assert "jax eager takes 2.00×" in sentence
        apart = [row(1e-3), row(1e-3, framework="jax"), row(1e-3, batch=1),
                 row(2e-3, batch=1, framework="tensorflow")]  # fmt: skip
        assert told(*apart)[0].startswith("No case was measured by all configurations")

    def test_executions_of_one_framework_count_too(self) -> None:
        times = [("torch", "eager", 4e-3), ("torch", "compiled", 1e-3), ("jax", "compiled", 2e-3)]
        members = [
            row(time, framework=name, execution=execution) for name, execution, time in times
        ]
        assert "torch compiled is fastest, at 0.250× (" in told(*members)[0]

    def test_each_device_has_a_clause(self) -> None:
        members = [
            row(time, framework=framework, device=device)
            for device in ("cpu", "cuda")
            for framework, time in (("torch", 1e-3), ("jax", 3e-3))
        ]
        sentence = told(*members)[0]
        assert "On cpu, " in sentence
        assert "; on cuda, " in sentence

    def test_one_framework_is_not_compared(self) -> None:
        assert told(row())[0].startswith("Only one framework was run (torch)")
        apart = told(row(), row(framework="jax", status="error"))
        assert apart[0].startswith("No case was measured by all")


class TestTrust:
    def test_a_row_with_a_fault_is_not_counted_as_sound(self) -> None:
        members = [
            row(batch=1),
            row(batch=2, converged=False),
            row(batch=4, warmed=False),
            row(batch=8, audit=["trend"]),
        ]
        assert told(*members)[2] == (
            "A typical latency is known to ±9.5 %, and 1 of 4 settled and passed every check of "
            "themselves; mistrust the rest first (not converged 1, not warm 1, a failed check 1)."
        )

    def test_all_sound(self) -> None:
        assert told(row())[2].endswith(", and all settled and passed every check of themselves.")

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

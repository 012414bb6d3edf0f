"""Sentences say what the figures say."""

from __future__ import annotations

from frames import NAN, frame, machine, row, run

from harness import compare
from harness.report import rows, summary


def verdict(*members: dict[str, object], runs: list[dict[str, object]] | None = None) -> list[str]:
    table = frame(members)
    return summary.verdict(rows.newest(table), runs or [], compare.frameworks(table))


def test_title_names_layers_frameworks_and_processor() -> None:
    members = rows.read(frame([row(layer="lstm", framework="tensorflow"), row()]))
    assert summary.title(members, [run()]) == "2 layers in torch and tensorflow on AMD EPYC 7B13"
    assert summary.title(members, []) == "2 layers in torch and tensorflow"
    assert summary.title([], []) == "No results"


def test_first_sentence_says_what_was_measured_where() -> None:
    members = [
        row(seq=16, batch=1),
        row(seq=64, batch=1, mode="train", execution="compiled", framework_version=""),
    ]
    gpu = machine(gpus=[{"name": "H100"}])
    assert verdict(*members, runs=[run(machine=gpu)])[0] == (
        "Measured with torch 2.13.0 (eager, compiled), on AMD EPYC 7B13 with H100 "
        "(cpu, float32, threads: 1): forward and train, at batch size 1 and "
        "sequence length 16 and 64."
    )


def test_outcome_counts_each_case_once() -> None:
    statuses = ("ok", "ok", "oom", "crashed", "oom", "unsupported", "not_applicable")
    members = [row(status=status, batch=2**index) for index, status in enumerate(statuses)]
    assert verdict(*members)[1] == (
        "Of 7 cases, 2 gave a latency, 3 failed (2 oom, 1 crashed), 1 is unsupported and "
        "1 is not applicable."
    )


def test_disturbed_rows_are_counted_among_those_that_were_watched() -> None:
    watched = [row(disturbed=0.0), row(disturbed=0.2, batch=2), row(batch=4)]
    assert summary.disturbed(rows.read(frame(watched))) == ["disturbed 1 of 2"]
    assert "disturbed none of 1" in verdict(row(disturbed=0.0))[-1]
    assert summary.disturbed(rows.read(frame([row()]))) == []


def test_frameworks_are_compared_with_the_range_over_layers() -> None:
    members = [
        row(1e-3),
        row(2e-3, framework="tensorflow"),
        row(1e-3, layer="lstm"),
        row(8e-3, layer="lstm", framework="tensorflow"),
    ]
    sentence = verdict(*members)[2]
    assert sentence.startswith("Against torch eager, tensorflow eager takes 4.00× (3.50–4.58)")
    assert "geometric mean of 2 common cases" in sentence
    assert sentence.endswith("from 2.00× for dense forward to 8.00× for lstm forward.")


def test_only_the_pairs_of_the_usual_base_are_told() -> None:
    configurations = [("torch", "eager"), ("torch", "compiled"), ("jax", "compiled")]
    members = [row(framework=name, execution=execution) for name, execution in configurations]
    told = [text for text in verdict(*members) if text.startswith("Against")]
    assert len(told) == 1
    assert told[0].startswith("Against torch eager, jax compiled takes")


def test_frameworks_without_a_common_case_are_not_compared() -> None:
    sentence = verdict(row(), row(framework="tensorflow", status="error"))[2]
    assert sentence.startswith("No case was measured in two frameworks")


def test_trust_names_the_worst_parity_error_and_what_was_not_checked() -> None:
    members = [
        row(parity_error=1e-7, batch=1),
        row(parity_error=3.1e-6, batch=2, converged=False, warnings=["noisy"]),
        row(parity_error=NAN, batch=4),
    ]
    sentence = verdict(*members)[-1]
    assert "2 of 3 latencies converged" in sentence
    assert "float64 reference is 3.1×10⁻⁶ (dense, torch eager, float32)" in sentence
    assert "1 was not checked against a reference" in sentence
    assert "1 row came with a warning" in sentence
    assert "no row failed a check of itself" in sentence


def test_trust_counts_the_rows_that_failed_a_check_and_names_the_checks() -> None:
    checks = (["passes"], ["passes", "trend"], [])
    members = [row(audit=found, batch=2**index) for index, found in enumerate(checks)]
    assert "2 rows failed a check of themselves (passes 2, trend 1)" in verdict(*members)[-1]

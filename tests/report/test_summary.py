"""Sentences say what the figures say."""

from __future__ import annotations

from frames import frame, machine, row, run

from harness import compare
from harness.report import rows, summary, verdict


def measured(*members: dict[str, object], runs: list[dict[str, object]]) -> str:
    return summary.measured(rows.newest(frame(members)), runs)


def compared(*members: dict[str, object]) -> list[str]:
    table = frame(members)
    return summary.compared(rows.newest(table), compare.frameworks(table))


def test_title_names_layers_frameworks_and_processor() -> None:
    members = rows.read(frame([row(layer="lstm", framework="tensorflow"), row()]))
    assert summary.title(members, [run()]) == "2 layers in torch and tensorflow on AMD EPYC 7B13"
    assert summary.title(members, []) == "2 layers in torch and tensorflow"
    assert summary.title([], []) == "No results"


def test_title_names_the_processors_that_did_the_work() -> None:
    gpu = run(machine=machine(gpus=[{"name": "H100"}]))
    both = rows.read(frame([row(), row(device="cuda")]))
    assert summary.title(both, [gpu]) == "1 layer in torch on AMD EPYC 7B13 and H100"
    assert summary.title(rows.read(frame([row()])), [gpu]) == "1 layer in torch on AMD EPYC 7B13"
    assert (
        summary.title(rows.read(frame([row(device="cuda")])), [gpu]) == "1 layer in torch on H100"
    )
    other = run(run_id="run-2", machine=machine(machine_id="other", gpus=[{"name": "A100"}]))
    assert summary.title(both, [gpu, other]).endswith("on AMD EPYC 7B13 and H100")


def test_first_sentence_says_what_was_measured_where() -> None:
    members = [
        row(seq=16, batch=1),
        row(seq=64, batch=1, mode="train", execution="compiled", framework_version=""),
    ]
    gpu = machine(gpus=[{"name": "H100"}])
    assert measured(*members, runs=[run(machine=gpu)]) == (
        "Measured with torch 2.13.0 (eager, compiled), on AMD EPYC 7B13 with H100 "
        "(cpu, float32, threads: 1): forward and train, at batch size 1 and "
        "sequence length 16 and 64."
    )


def test_outcome_counts_each_case_once() -> None:
    statuses = ("ok", "ok", "oom", "crashed", "oom", "unsupported", "not_applicable")
    members = [row(status=status, batch=2**index) for index, status in enumerate(statuses)]
    assert summary.tally(rows.newest(frame(members))) == (
        "Of 7 cases, 2 gave a latency, 3 failed (2 oom, 1 crashed), 1 is unsupported and "
        "1 is not applicable."
    )


def test_disturbed_rows_are_counted_among_those_that_were_watched() -> None:
    watched = [row(disturbed=0.0), row(disturbed=0.2, batch=2), row(batch=4)]
    assert summary.disturbed(rows.read(frame(watched))) == ["disturbed 1 of 2"]
    assert "disturbed none of 1" in verdict.trust(rows.read(frame([row(disturbed=0.0)])))
    assert summary.disturbed(rows.read(frame([row()]))) == []


def test_kinds_of_failure_have_one_order_the_commonest_first() -> None:
    statuses = ["timeout", "crashed", "oom", "timeout", "oom", "timeout", "unsupported", "ok"]
    members = rows.read(frame(row(status=s, batch=2**i) for i, s in enumerate(statuses)))
    assert list(summary.counts(members)) == ["ok", "timeout", "oom", "crashed", "unsupported"]
    assert "6 failed (3 timeout, 2 oom, 1 crashed)" in summary.tally(members)


def test_frameworks_are_compared_with_the_range_over_layers() -> None:
    members = [
        row(1e-3),
        row(2e-3, framework="tensorflow"),
        row(1e-3, layer="lstm"),
        row(8e-3, layer="lstm", framework="tensorflow"),
    ]
    (sentence,) = compared(*members)
    assert sentence.startswith("Against torch eager, tensorflow eager takes 4.00× (3.50–4.58)")
    assert "geometric mean of 2 common cases" in sentence
    assert sentence.endswith(
        "from 2.00× (1.75–2.29) for dense forward to 8.00× (6.99–9.15) for lstm forward."
    )


def test_only_the_pairs_of_the_usual_base_are_told() -> None:
    configurations = [("torch", "eager"), ("torch", "compiled"), ("jax", "compiled")]
    members = [row(framework=name, execution=execution) for name, execution in configurations]
    (told,) = compared(*members)
    assert told.startswith("Against torch eager, jax compiled takes")


def test_frameworks_without_a_common_case_are_not_compared() -> None:
    (sentence,) = compared(row(), row(framework="tensorflow", status="error"))
    assert sentence.startswith("No case was measured in two frameworks")


def test_rows_that_failed_a_check_are_counted_and_the_checks_named() -> None:
    checks = (["passes"], ["passes", "trend"], [])
    members = [row(audit=found, batch=2**index) for index, found in enumerate(checks)]
    assert summary.failed_checks(rows.newest(frame(members))) == (
        "2 rows failed a check of themselves (passes 2, trend 1)"
    )

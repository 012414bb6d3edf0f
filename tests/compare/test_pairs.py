"""Ratios by hand, who is paired with whom, verdicts, and the gate."""

from __future__ import annotations

import math

import pytest
from frames import frame, quick, row
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import compare
from harness.compare import Verdict
from harness.types import NothingToCompareError, UsageError

TENSORFLOW = {"framework": "tensorflow"}


def interval(value: float, low: float, high: float) -> dict[str, float]:
    return {"latency_s": value, "latency_low_s": low, "latency_high_s": high}


class TestFrameworks:
    def test_ratio_is_other_over_base_and_its_log_half_widths_add_in_quadrature(self) -> None:
        pairs = compare.frameworks(
            frame(
                [
                    row(**interval(1e-3, 1e-3 / 1.03, 1e-3 * 1.03)),
                    row(**interval(2e-3, 2e-3 / 1.04, 2e-3 * 1.04), **TENSORFLOW),
                ]
            )
        )
        (pair,) = compare.records(pairs)
        half = math.exp(math.hypot(math.log(1.03), math.log(1.04)))
        assert (pair["base"], pair["other"]) == ("torch eager", "tensorflow eager")
        assert pair["ratio"] == pytest.approx(2.0)
        assert pair["ratio_low"] == pytest.approx(2.0 / half)
        assert pair["ratio_high"] == pytest.approx(2.0 * half)
        assert pair["verdict"] == Verdict.SLOWER

    def test_torch_eager_is_paired_with_each_execution_of_tensorflow(self) -> None:
        rows = [row(**TENSORFLOW), row(**TENSORFLOW, execution="compiled"), row()]
        pairs = compare.frameworks(frame(rows))
        assert list(zip(pairs["base"], pairs["other"], strict=True)) == [
            ("torch eager", "tensorflow eager"),
            ("torch eager", "tensorflow compiled"),
        ]

    def test_executions_of_one_framework_are_not_paired(self) -> None:
        assert compare.frameworks(frame([row(), row(execution="compiled")])).empty

    @pytest.mark.parametrize(
        "difference",
        [
            {"layer": "lstm"},
            {"device": "cuda"},
            {"mode": "train"},
            {"dtype": "bfloat16"},
            {"threads": 2},
            {"batch": 1},
            {"seq": 16},
            {"params": {"units": 512}},
            {"machine_id": "other box"},
        ],
        ids=lambda difference: next(iter(difference)),
    )
    def test_rows_that_do_other_work_are_not_paired(self, difference: dict[str, object]) -> None:
        assert compare.frameworks(frame([row(), row(**TENSORFLOW, **difference)])).empty

    def test_order_of_parameters_does_not_matter(self) -> None:
        rows = [row(params={"a": 1, "b": 2}), row(params={"b": 2, "a": 1}, **TENSORFLOW)]
        assert len(compare.frameworks(frame(rows))) == 1

    def test_rows_that_failed_are_not_paired(self) -> None:
        assert compare.frameworks(frame([row(), row(status="oom", **TENSORFLOW)])).empty

    def test_latest_of_several_runs_counts_and_pairs_across_runs_say_so(self) -> None:
        rows = [
            row(9e-3, run_id="new", started_at="2026-11-21"),
            row(1e-3, run_id="old", started_at="2026-11-20"),
            row(9e-3, run_id="old", started_at="2026-11-20", **TENSORFLOW),
        ]
        (pair,) = compare.records(compare.frameworks(frame(rows)))
        assert pair["ratio"] == pytest.approx(1.0)
        assert not pair["same_run"]

    def test_memory_ratio_is_missing_where_a_peak_is_zero(self) -> None:
        rows = [row(peak_memory_bytes=0.0), row(peak_memory_bytes=64.0, **TENSORFLOW)]
        (pair,) = compare.records(compare.frameworks(frame(rows)))
        assert math.isnan(pair["memory_ratio"])

    def test_nothing_to_pair_gives_a_frame_with_the_columns(self) -> None:
        pairs = compare.frameworks(frame([]))
        assert tuple(pairs.columns) == compare.PAIR_COLUMNS
        assert compare.summary(pairs, ("layer",)).empty


class TestSummary:
    def test_geometric_mean_takes_common_cases_only(self) -> None:
        rows = [
            row(1e-3, batch=1),
            row(2e-3, batch=1, **TENSORFLOW),
            row(1e-3, batch=2),
            row(8e-3, batch=2, **TENSORFLOW),
            row(1e-3, batch=4),
            row(status="oom", batch=4, **TENSORFLOW),
            row(1e-3, batch=8, **TENSORFLOW),
        ]
        (mean,) = compare.records(compare.summary(compare.frameworks(frame(rows)), ("layer",)))
        assert (mean["layer"], mean["cases"]) == ("dense", 2)
        assert mean["ratio"] == pytest.approx(4.0)

    def test_interval_is_the_mean_of_the_single_ones_however_many_cases(self) -> None:
        rows = [r for b in (1, 2, 4, 8) for r in (row(batch=b), row(batch=b, **TENSORFLOW))]
        pairs = compare.frameworks(frame(rows))
        (mean,) = compare.records(compare.summary(pairs))
        assert mean["ratio_low"] == pytest.approx(pairs["ratio_low"][0])
        assert mean["ratio_high"] == pytest.approx(pairs["ratio_high"][0])

    def test_groups_keep_their_cases_apart(self) -> None:
        rows = [
            row(1e-3),
            row(2e-3, **TENSORFLOW),
            row(1e-3, layer="lstm"),
            row(0.5e-3, layer="lstm", **TENSORFLOW),
        ]
        means = compare.summary(compare.frameworks(frame(rows)), ("layer",))
        assert dict(zip(means["layer"], means["ratio"], strict=True)) == {
            "dense": pytest.approx(2.0),
            "lstm": pytest.approx(0.5),
        }

    @settings(deadline=None)
    @given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8))
    def test_swapping_base_and_other_inverts_the_mean(self, ratios: list[float]) -> None:
        base = frame(row(1e-3, batch=index + 1) for index in range(len(ratios)))
        other = frame(row(1e-3 * ratio, batch=index + 1) for index, ratio in enumerate(ratios))
        (there,) = compare.records(compare.summary(compare.runs(base, other)))
        (back,) = compare.records(compare.summary(compare.runs(other, base)))
        assert there["ratio"] == pytest.approx(1 / back["ratio"])
        assert there["ratio_low"] == pytest.approx(1 / back["ratio_high"])


class TestRuns:
    @pytest.mark.parametrize(
        ("base", "other", "verdict"),
        [
            (row(1e-3), row(2e-3), Verdict.SLOWER),
            (row(2e-3), row(1e-3), Verdict.FASTER),
            (row(1e-3), row(1.1e-3), Verdict.SAME),
            (row(1e-3), row(status="crashed"), Verdict.FAILED),
            (row(1e-3), row(status="unsupported"), Verdict.FAILED),
            (row(status="oom"), row(1e-3), Verdict.FIXED),
            (row(status="oom"), row(status="timeout"), Verdict.NOT_MEASURED),
            (row(1e-3), row(math.nan), Verdict.NOT_MEASURED),
            (row(1e-3), None, Verdict.ONLY_IN_BASE),
            (None, row(1e-3), Verdict.ONLY_IN_OTHER),
        ],
    )
    def test_verdict(
        self, base: dict[str, object] | None, other: dict[str, object] | None, verdict: Verdict
    ) -> None:
        common = row(batch=512)
        compared = compare.runs(
            frame([common, *([base] if base else [])]),
            frame([common, *([other] if other else [])]),
        )
        found = dict(zip(compared["case_id"], compared["verdict"], strict=True))
        assert found == {common["case_id"]: Verdict.SAME, row()["case_id"]: verdict}

    def test_ratios_of_latency_and_memory_are_other_over_base(self) -> None:
        base = frame([row(2e-3, peak_memory_bytes=100.0)])
        other = frame([row(1e-3, peak_memory_bytes=300.0)])
        (case,) = compare.records(compare.runs(base, other))
        assert case["ratio"] == pytest.approx(0.5)
        assert case["memory_ratio"] == pytest.approx(3.0)

    @pytest.mark.parametrize(
        ("before", "after", "change"),
        [
            ("oneDNN rnn (brgemm)", "oneDNN rnn (ref)", "oneDNN rnn (brgemm) → oneDNN rnn (ref)"),
            ("SDPA math", "SDPA math", ""),
            ("", "SDPA math", ""),
            ("SDPA math", "", ""),
        ],
    )
    def test_a_change_of_the_execution_path_is_told(
        self, before: str, after: str, change: str
    ) -> None:
        base = frame([row(execution_path=before)])
        (case,) = compare.records(compare.runs(base, frame([row(execution_path=after)])))
        assert case["path_change"] == change

    def test_versions_and_machines_may_differ(self) -> None:
        other = row(framework_version="9.9", machine_id="new box", run_id="run-2")
        assert len(compare.runs(frame([row()]), frame([other]))) == 1

    def test_every_case_has_exactly_one_row(self) -> None:
        everything = quick()
        base, other = everything.iloc[:100], everything.iloc[50:]
        compared = compare.runs(base, other)
        assert sorted(compared["case_id"]) == sorted(everything["case_id"])

    def test_no_common_case_is_an_error_that_names_cases_of_both(self) -> None:
        with pytest.raises(NothingToCompareError, match=r"b32-units=256.*lstm/torch"):
            compare.runs(frame([row()]), frame([row(layer="lstm")]))

    def test_empty_other_is_an_error(self) -> None:
        with pytest.raises(NothingToCompareError, match="the other result none"):
            compare.runs(frame([row()]), frame([]))

    def test_several_machines_on_one_side_are_an_error_that_names_them(self) -> None:
        base = frame([row(machine_id="a"), row(machine_id="b")])
        with pytest.raises(UsageError, match=r"the base holds results of 2 machines \(a, b\)"):
            compare.runs(base, frame([row()]))


class TestRegressions:
    @pytest.mark.parametrize(("threshold", "found"), [(0.05, 1), (0.2, 0)])
    def test_only_an_interval_wholly_above_the_threshold_counts(
        self, threshold: float, found: int
    ) -> None:
        base = frame([row(**interval(1e-3, 1e-3, 1e-3))])
        other = frame([row(**interval(1.15e-3, 1.1e-3, 1.3e-3))])
        assert len(compare.regressions(compare.runs(base, other), threshold)) == found

    def test_a_failure_counts_whatever_the_threshold(self) -> None:
        compared = compare.runs(frame([row()]), frame([row(status="crashed")]))
        assert len(compare.regressions(compared, 10.0)) == 1

    def test_what_is_faster_fixed_or_new_does_not_count(self) -> None:
        base = frame([row(2e-3), row(status="oom", batch=1)])
        other = frame([row(1e-3), row(batch=1), row(batch=4)])
        assert compare.regressions(compare.runs(base, other), 0.05).empty

    def test_a_case_that_vanished_counts(self) -> None:
        compared = compare.runs(frame([row(), row(batch=2)]), frame([row()]))
        assert compare.regressions(compared, 10.0)["batch"].tolist() == [2]

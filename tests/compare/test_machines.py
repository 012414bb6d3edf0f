"""Several results against one: which cases are common, and what the ceilings let expect of each."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from boxes import box
from frames import frame, row, run

from harness import compare
from harness.compare import Verdict
from harness.compare.machines import CASE_COLUMNS, Result, against, by_device, names
from harness.types import NothingToCompareError, UsageError


def expected(base: Result, other: Result) -> list[float]:
    return list(against(base, [other])["expected"])


class TestExpectation:
    @pytest.mark.parametrize(
        ("bound", "ratio"), [("compute", 1 / 10), ("memory", 1 / 4), ("overhead", 5.0)]
    )
    def test_is_the_ratio_of_the_ceilings_of_what_binds_the_base(
        self, bound: str, ratio: float
    ) -> None:
        base = box("old", [row(bound=bound)])
        # What binds the other one does not count.
        other = box("new", [row(bound="memory")], flop_per_s=1e12, bytes_per_s=4e10, call_s=1e-5)
        assert expected(base, other) == [pytest.approx(ratio)]

    def test_there_is_none_where_nothing_is_known_to_bind_the_base(self) -> None:
        assert math.isnan(expected(box("a", [row(bound="")]), box("b", [row()]))[0])

    @pytest.mark.parametrize(
        "ceilings",
        [
            [],
            ["x"],
            [{}],
            [{"flop_per_s": "many"}],
            [{"call_overhead_s": None}],
            [{"bandwidth": []}],
            [{"bandwidth": [[2**20, "fast"]]}],
            [{"bandwidth": [2**20]}],
        ],
        ids=str,
    )
    def test_there_is_none_without_whole_ceilings(self, ceilings: list[Any]) -> None:
        whole = box("b", [row()])
        (good,) = whole.runs[0]["ceilings"]
        broken = [one and {**good, **one} if isinstance(one, dict) else one for one in ceilings]
        other = Result("b", whole.frame, [run(run_id="b run", ceilings=broken)])
        assert math.isnan(expected(box("a", [row()]), other)[0])

    @pytest.mark.parametrize("figures", [{"bytes": math.nan}, {"dtype": "bfloat16"}])
    def test_there_is_none_of_a_row_that_no_ceiling_is_over(self, figures: dict[str, Any]) -> None:
        assert math.isnan(expected(box("a", [row(**figures)]), box("b", [row(**figures)]))[0])

    def test_ceilings_are_those_of_the_run_that_a_row_is_from(self) -> None:
        early, late = box("a", [row(batch=1)]), box("a", [row(batch=2)], flop_per_s=4e11)
        runs = [{**early.runs[0], "run_id": "early"}, {**late.runs[0], "run_id": "late"}]
        rows = [row(batch=1, run_id="early"), row(batch=2, run_id="late")]
        base = Result("a", frame({**r, "machine_id": "a"} for r in rows), runs)
        other = box("b", [row(batch=1), row(batch=2)], flop_per_s=8e11)
        assert expected(base, other) == [pytest.approx(1 / 8), pytest.approx(1 / 2)]


class TestAgainst:
    def test_a_case_is_common_only_if_every_side_measured_it(self) -> None:
        base = box("a", [row(batch=b) for b in (1, 2, 4)])
        other = box("b", [row(batch=b) for b in (1, 2)])
        third = box("c", [row(batch=1), row(batch=2, status="oom"), row(batch=4)])
        found = against(base, [other, third])
        assert tuple(found.columns) == CASE_COLUMNS
        assert list(zip(found["machine"], found["batch"], found["common"], strict=True)) == [
            ("b", 1, True),
            ("b", 2, False),
            ("b", 4, False),
            ("c", 1, True),
            ("c", 2, False),
            ("c", 4, False),
        ]
        assert list(found["verdict"][[2, 4]]) == [Verdict.ONLY_IN_BASE, Verdict.FAILED]

    def test_both_sides_tell_their_share_bound_and_version(self) -> None:
        base = box("a", [row(roofline_fraction=0.5, bound="compute")])
        newer = row(roofline_fraction=0.25, bound="memory", framework_version="2.14.0")
        (case,) = compare.records(against(base, [box("b", [newer])]))
        assert (case["base_roofline_fraction"], case["other_roofline_fraction"]) == (0.5, 0.25)
        assert (case["base_bound"], case["other_bound"]) == ("compute", "memory")
        assert (case["base_framework_version"], case["other_framework_version"]) == (
            "2.13.0",
            "2.14.0",
        )

    def test_a_result_with_no_case_of_the_base_is_an_error_that_names_both(self) -> None:
        others = [box("b", [row()]), box("c", [row(layer="lstm")])]
        with pytest.raises(NothingToCompareError, match=r"no case in common: a holds .* c 1 such"):
            against(box("a", [row()]), others)

    def test_other_devices_are_an_error_that_says_what_to_do(self) -> None:
        with pytest.raises(NothingToCompareError, match="--across-devices"):
            against(box("a", [row()]), [box("b", [row(device="cuda")])])

    def test_a_result_of_two_machines_is_an_error_that_names_it(self) -> None:
        two = Result("both", frame([row(machine_id="x"), row(machine_id="y")]), [])
        with pytest.raises(UsageError, match=r"both holds results of 2 machines \(x, y\)"):
            against(box("a", [row()]), [two])


class TestNames:
    def test_are_the_machines_where_these_differ(self) -> None:
        frames = [box(name, [row()]).frame for name in ("left", "right")]
        assert names(frames, ["x/1", "y/1"]) == ["left", "right"]

    def test_are_the_folders_of_one_machine(self, tmp_path: Path) -> None:
        same = [box("here", [row()]).frame] * 2
        file = tmp_path / "head" / "cases.parquet"
        file.parent.mkdir()
        file.touch()
        assert names(same, [str(tmp_path / "base"), str(file)]) == ["base", "head"]

    def test_are_the_paths_where_folders_are_called_the_same(self) -> None:
        assert names([box("here", [row()]).frame] * 2, ["a/r", "b/r"]) == ["a/r", "b/r"]

    def test_are_unique_even_for_one_path_twice(self) -> None:
        assert names([box("here", [row()]).frame] * 2, ["r", "r"]) == ["r (1)", "r (2)"]

    def test_of_several_machines_in_one_result_there_is_no_one_name(self) -> None:
        both = frame([row(machine_id="x"), row(machine_id="y")])
        assert names([both, box("z", [row()]).frame], ["one", "two"]) == ["one", "two"]


class TestByDevice:
    def test_each_device_and_thread_count_is_a_side_and_cases_match_whatever_theirs(self) -> None:
        shape = {"params": {"units": 8}, "seq": 16}
        cpu = box("cpu box", [row(4e-3, **shape), row(2e-3, threads=2, **shape)])
        gpu = box("gpu box", [row(1e-3, device="cuda", **shape)])
        sides = by_device([cpu, gpu])
        assert [side.name for side in sides] == [
            "cpu box, cpu, 1 thread",
            "cpu box, cpu, 2 threads",
            "gpu box, cuda, 1 thread",
        ]
        found = against(sides[0], sides[1:])
        assert set(found["case_id"]) == {"dense/torch/forward/eager/float32/b32-s16-units=8"}
        assert list(found["ratio"]) == [pytest.approx(0.5), pytest.approx(0.25)]

    def test_what_all_sides_share_is_not_in_their_names(self) -> None:
        sides = by_device([box("box", [row(), row(device="cuda")])])
        assert [side.name for side in sides] == ["box, cpu", "box, cuda"]
        assert [side.name for side in by_device([box("box", [row()])])] == ["box"]

"""What is drawn of a roofline."""

from __future__ import annotations

from typing import Any

import pytest
from frames import NAN, frame, machine, row, run

from harness.report import ceilings, rows
from harness.report.roofline.points import Roofline, rooflines


def found(*members: dict[str, Any], **changes: Any) -> list[Roofline]:
    return rooflines(rows.read(frame(members)), [run(**changes)])


def test_a_case_is_a_point() -> None:
    (roofline,) = found(row(1e-3, flop_per_s=2e9, intensity=4.0))
    (point,) = roofline.points
    assert (point.layer, point.series) == ("dense", "torch eager")
    assert (point.intensity, point.flop_per_s) == (4.0, 2e9)
    assert roofline.setting == "cpu, float32, 1 thread"


@pytest.mark.parametrize(
    "lacking",
    [{"intensity": NAN}, {"flop_per_s": NAN}, {"flop_per_s": 0.0}, {"status": "mismatch"}],
)
def test_what_failed_or_declares_no_work_is_none(lacking: dict[str, Any]) -> None:
    assert found(row(**lacking)) == []


def test_what_has_other_ceilings_stands_apart_and_so_do_modes() -> None:
    members = [row(mode="train"), row(), row(dtype="bfloat16"), row(threads=2)]
    assert [one.mode for one in found(*members)] == ["forward", "train"]


def test_ceilings_are_the_best_of_all_frameworks_passes_and_runs_of_the_machine() -> None:
    def measured(flop_per_s: float, *bandwidth: tuple[float, float], **bench: Any) -> Any:
        here = {"framework": "torch", "device": "cpu", "threads": 1, "dtype": "float32", **bench}
        return {**here, "flop_per_s": flop_per_s, "bandwidth": list(map(list, bandwidth))}

    runs = [
        run(ceilings=[measured(3e9, (2**18, 9e9), (2**28, 2e9))]),
        run(ceilings=[measured(5e9, (2**18, 7e9), (2**28, 3e9), framework="tensorflow")]),
    ]
    best = ceilings.best(runs, "cpu", "float32", 1)
    assert best is not None
    assert best.flop_per_s == 5e9
    assert best.memory == (2**28, 3e9)
    assert best.cache == (2**18, 9e9)
    assert ceilings.best(runs, "cuda", "float32", 1) is None
    assert ceilings.best(runs, "cpu", "bfloat16", 1) is None
    assert ceilings.best(runs, "cpu", "float32", 2) is None


def test_another_machines_ceilings_are_not_used() -> None:
    assert found(row(machine_id="left"), machine=machine(machine_id="right")) == []

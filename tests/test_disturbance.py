"""Which samples count when some were disturbed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.disturbance import KINDS, counted, marks, only_counted
from harness.stats import ENOUGH_SAMPLES
from harness.types import Case, Disturbance, Measurement, Status

CASE = Case.parse("scale/fake/cpu/forward/eager/float32/b2-us=20")


def measurement(number: int, *disturbances: tuple[int, int, str]) -> Measurement:
    return Measurement(
        *(CASE, "latency", 0, Status.OK, "2026-01-01T00:00:00+00:00"),
        samples_s=tuple(float(n) for n in range(number)),
        device_samples_s=tuple(n / 2 for n in range(number)),
        disturbances=tuple(Disturbance(*one, 1.0) for one in disturbances),
    )


@pytest.mark.parametrize(
    ("number", "disturbances", "left"),
    [
        (10, [], 10),
        (10, [(0, 5, "waiting")], 5),
        (10, [(0, 3, "waiting"), (2, 5, "stolen")], 5),
        (10, [(0, 6, "waiting")], 10),  # fewer than half
        (100, [(0, 100 - ENOUGH_SAMPLES, "waiting")], ENOUGH_SAMPLES),
        (100, [(0, 101 - ENOUGH_SAMPLES, "waiting")], 100),
        (10, [(0, 10, "waiting")], 10),
        # What spans a break counts for nothing, not even as one of those taken.
        (10, [(0, 6, "suspended")], 4),
        (10, [(0, 6, "suspended"), (6, 8, "waiting")], 2),
        (10, [(0, 6, "suspended"), (6, 9, "waiting")], 4),
        (10, [(0, 6, "stopped"), (6, 10, "waiting")], 4),
        (10, [(0, 10, "suspended")], 10),
    ],
)
def test_undisturbed_samples_count_if_they_are_enough_and_else_all(
    number: int, disturbances: list[tuple[int, int, str]], left: int
) -> None:
    found = measurement(number, *disturbances)
    assert sum(counted(found)) == left
    kept = only_counted(found)
    assert kept.samples_s == tuple(float(n) for n in range(number - left, number))
    assert kept.device_samples_s == tuple(n / 2 for n in range(number - left, number))


def test_every_kind_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "method.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|.*\|.*\|$", text, re.MULTILINE)) >= set(KINDS)


def test_only_more_than_the_limit_is_marked() -> None:
    at_the_limit = {kind: found.limit for kind, found in KINDS.items()}
    assert marks(at_the_limit, 0, 5) == []
    above = {kind: limit + 1 for kind, limit in at_the_limit.items()}
    assert [one.kind for one in marks(above, 2, 5)] == list(KINDS)
    assert all((one.first, one.stop) == (2, 5) for one in marks(above, 2, 5))


def test_marks_survive_the_journal() -> None:
    found = measurement(10, (0, 3, "waiting"))
    assert Measurement.from_json(found.to_json()) == found


def test_of_a_journal_from_before_there_were_marks_nobody_knows() -> None:
    written = measurement(10).to_json()
    del written["disturbances"]
    assert Measurement.from_json(written).disturbances is None
    assert counted(Measurement.from_json(written)) == [True] * 10

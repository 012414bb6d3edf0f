"""Two workers that take turns, played by functions that know the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

import pytest

from harness.regress.turns import FEWEST, MOST, Turn, TurnFailedError, Turns, take
from harness.runner.measure import Ready
from harness.runner.process import CaseFailedError
from harness.runner.sampling import Ask, Effort
from harness.types import Case, Measurement, Status

EFFORT = Effort(0.01, 0.1, 20.0)
CASE = Case("scale", "fake", "cpu", "forward", "eager", "float32", 1, 2, None, ())


def _ready(calls: int, block_s: float) -> Ready:
    return Ready(Measurement(CASE, "latency", 0, Status.OK, ""), calls, block_s)


class Player:
    """A worker whose turns take these seconds a call, in turn."""

    def __init__(
        self, name: str, log: list[tuple[str, int]], walls: Sequence[float], waited_s: float = 0.0
    ) -> None:
        self._name = name
        self._log = log
        self._walls: Iterator[float] = cycle(walls)
        self._waited_s = waited_s

    def __call__(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        assert timeout_s == EFFORT.timeout_s
        assert request.pop("do") == "turn"
        self._log.append((self._name, request["calls"]))
        return {"wall_s": next(self._walls), "waited_s": self._waited_s}


def _play(
    first: Sequence[float],
    second: Sequence[float],
    calls: tuple[int, int] = (4, 4),
    block_s: float = 1e-3,
) -> tuple[Turns, list[tuple[str, int]]]:
    log: list[tuple[str, int]] = []
    turns = take(
        (Player("A", log, first), _ready(calls[0], block_s)),
        (Player("B", log, second), _ready(calls[1], block_s)),
        EFFORT,
    )
    return turns, log


def test_turns_go_abba_so_that_a_drift_weighs_on_both_alike() -> None:
    _, log = _play([1e-4], [1e-4])
    names = "".join(name for name, _ in log)
    assert names == "ABBA" * (len(names) // 4)


def test_both_sides_make_as_many_calls_as_the_faster_needs() -> None:
    _, log = _play([1e-4], [1e-4], calls=(4, 20))
    assert {calls for _, calls in log} == {40}  # of blocks of 1 ms, for 2


def test_a_side_that_is_slower_by_far_does_not_wait_for_the_other_to_fill_its_turn() -> None:
    _, log = _play([1e-6], [1e-2], calls=(1000, 1), block_s=1e-2)
    assert {calls for _, calls in log} == {2}  # 20 ms of the slower one


def test_a_very_slow_layer_takes_fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(0, 10**6, 6))
    monkeypatch.setattr("harness.regress.turns.time.monotonic", lambda: next(seconds))
    slow, _ = _play([10.0], [10.0], calls=(1, 1), block_s=10.0)
    assert len(slow.first) == 2


def test_a_slow_layer_makes_one_call_a_turn() -> None:
    _, log = _play([0.3], [0.3], calls=(1, 1), block_s=0.3)
    assert {calls for _, calls in log} == {1}


def test_the_first_round_finds_cold_caches_and_is_thrown_away_unless_a_block_is_long() -> None:
    walls = [9.0, 9.0, *[1e-4] * 10**3]
    short, log = _play(walls, walls)
    assert all(turn.wall_s == 1e-4 for turn in (*short.first, *short.second))
    assert len(log) == 4 + 2 * len(short.first + short.second) // 2
    long, log = _play([0.3], [0.3], calls=(1, 1), block_s=0.3)
    assert len(log) == len(long.first) + len(long.second)


def test_turns_that_agree_are_few_and_turns_that_do_not_are_more() -> None:
    steady, _ = _play([1e-4], [1.2e-4])
    assert len(steady.first) == len(steady.second) == 2 * FEWEST
    noisy, _ = _play([1e-4, 2e-4, 1e-4, 4e-4, 3e-4], [1e-4, 3e-4, 9e-4])
    assert len(noisy.first) == len(noisy.second) == 2 * MOST


@pytest.mark.parametrize(
    ("waited_s", "own_s"), [(0.0, 1.0), (0.25, 0.75), (0.999, 1.0), (1.5, 1.0)]
)
def test_what_another_process_took_is_taken_off_as_far_as_it_can_be_true(
    waited_s: float, own_s: float
) -> None:
    assert Turn(1.0, waited_s).own_s == own_s


@pytest.mark.parametrize("wall_s", [0.0, -1e-3])
@pytest.mark.parametrize("side", [0, 1])
def test_a_clock_that_stands_still_or_goes_backward_fails_its_side(
    side: int, wall_s: float
) -> None:
    walls: list[list[float]] = [[1e-4], [1e-4]]
    walls[side] = [1e-4, 1e-4, 1e-4, wall_s]
    with pytest.raises(TurnFailedError, match="clock") as failed:
        _play(*walls)
    assert failed.value.side == side
    assert failed.value.cause.status is Status.ERROR


def test_a_worker_that_fails_at_its_turn_is_told_from_the_other() -> None:
    def fails(_timeout_s: float, **_request: Any) -> dict[str, Any]:
        raise CaseFailedError(Status.CRASHED, "gone")

    sound: Ask = Player("A", [], [1e-4])
    failing: Callable[..., dict[str, Any]] = fails
    with pytest.raises(TurnFailedError, match="gone") as failed:
        take((sound, _ready(1, 1e-3)), (failing, _ready(1, 1e-3)), EFFORT)
    assert failed.value.side == 1

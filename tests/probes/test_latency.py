"""Blocks and ceilings, on a clock that moves as told."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from harness.frameworks.fake import Fake
from harness.probes import ceilings, latency


class Device(Fake):
    """A device that works in the background: calls return at once, waiting takes the time."""

    def __init__(self) -> None:
        super().__init__()
        self.queued = 0.0
        self.device_now = 0.0

    def call(self) -> None:
        self.queued += 1e-3

    def synchronize(self, result: Any) -> None:
        self._now += self.queued
        self.queued = 0.0

    def device_event(self) -> Any | None:
        return self.device_now + self.queued

    def device_seconds(self, start: Any, end: Any) -> float:
        return float(end - start)


def test_a_block_waits_for_the_device_and_divides_once() -> None:
    device = Device()
    block = latency.block(device.call, 10, device)
    assert block.wall_s == pytest.approx(1e-3, rel=1e-3)
    assert block.device_s == pytest.approx(1e-3, rel=1e-3)


def test_a_result_is_let_go_before_the_next_call() -> None:
    """Held, it would keep the next call from the memory it has just used, and make it slower."""

    class Result:
        pass

    given: list[weakref.ref[Result]] = []

    def call() -> Result:
        assert all(result() is None for result in given)
        result = Result()
        given.append(weakref.ref(result))
        return result

    latency.block(call, 5, Fake())
    assert len(given) == 5


def test_ceilings_are_the_best_rates_seen() -> None:
    fake = Fake()

    def taking(seconds: float) -> Callable[[], None]:
        def call() -> None:
            fake._now += seconds

        return call

    found = ceilings.measure(
        lambda n: taking(2 * n**3 / (1e11 if n == 512 else 5e10)),
        lambda size: taking(1.5 * size / (4e10 if size <= 2**22 else 1e10) + 1e-9),
        fake,
    )
    assert found.flop_per_s == pytest.approx(1e11, rel=1e-2)
    rates = dict(found.bandwidth)
    assert rates[2**20] == pytest.approx(4e10, rel=1e-2)
    assert rates[2**28] == pytest.approx(1e10, rel=1e-2)
    assert found.call_overhead_s < 1e-7

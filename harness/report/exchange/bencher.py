"""Figures in the Bencher Metric Format, for ``bencher run --adapter json``.

Format: https://bencher.dev/docs/reference/bencher-metric-format. Bencher's own measure ``latency``
is in nanoseconds, so all times here are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from harness.report.exchange.reading import Reading


def render(readings: Iterable[Reading]) -> str:
    """Measures by case, with their limits where they have any."""
    benchmarks: dict[str, dict[str, dict[str, float]]] = {}
    for reading in readings:
        measures = benchmarks.setdefault(reading.case, {})
        measures[_slug(reading.metric)] = {"value": reading.value, **_limits(reading)}
    return json.dumps(benchmarks, indent=1, allow_nan=False) + "\n"


def _slug(metric: str) -> str:
    """A measure's name in the notation of Bencher's own, such as ``peak-memory``."""
    return metric.replace("_", "-")


def _limits(reading: Reading) -> dict[str, float]:
    if reading.interval is None:
        return {}
    return {"lower_value": reading.interval.low, "upper_value": reading.interval.high}

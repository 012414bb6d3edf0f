"""Head's figures in the Bencher Metric Format, for ``bencher run --adapter json``.

Format: https://bencher.dev/docs/reference/bencher-metric-format. Bencher's own measure ``latency``
is in nanoseconds, so all times here are.
"""

from __future__ import annotations

import json

from harness.gate.outcome import METRICS, Finding, Outcome
from harness.report.gate import figures


def render(outcome: Outcome) -> str:
    """Measures by case. The limits are those of the ratio to base, at base's figure as measured."""
    benchmarks: dict[str, dict[str, dict[str, float]]] = {}
    for case, found, value in figures.of_head(outcome):
        measures = benchmarks.setdefault(case.case, {})
        measures[slug(found.metric)] = {"value": value, **_limits(found, value)}
    return json.dumps(benchmarks, indent=1, allow_nan=False) + "\n"


def slug(metric: str) -> str:
    """A measure's name in the notation of Bencher's own, such as ``peak-memory``."""
    return metric.replace("_", "-")


def _limits(found: Finding, value: float) -> dict[str, float]:
    ratio = found.ratio
    if ratio is None or METRICS[found.metric].exact or ratio.value <= 0:
        return {}
    return {
        "lower_value": value * ratio.low / ratio.value,
        "upper_value": value * ratio.high / ratio.value,
    }

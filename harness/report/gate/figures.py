"""What a gate found, for tools that keep a figure a commit or set one time beside another."""

from __future__ import annotations

from collections.abc import Iterator

from harness.gate.outcome import METRICS, CaseOutcome, Finding, Outcome, Side
from harness.report.exchange.pytest_benchmark import Benchmark
from harness.report.exchange.reading import Reading
from harness.report.gate import wording
from harness.types import Status


def of_head(outcome: Outcome) -> Iterator[Reading]:
    """The figures of the cases that ran on head.

    The limits are those of the ratio to base, at base's figure as measured.
    """
    for case in outcome.cases:
        if case.head_status != Status.OK:
            continue
        for found in case.findings:
            if found.head is not None:
                base, _ = wording.figures(found)
                notes = (
                    f"verdict: {found.verdict}",
                    f"base: {base}",
                    f"head / base: {wording.ratio(found)}",
                )
                limits = _limits(found, found.head)
                yield Reading.of(case.case, found.metric, found.head, limits, notes)


def _limits(found: Finding, figure: float) -> tuple[float, float] | None:
    ratio = found.ratio
    if ratio is None or METRICS[found.metric].exact or ratio.value <= 0:
        return None
    return figure * ratio.low / ratio.value, figure * ratio.high / ratio.value


def of_both(outcome: Outcome) -> Iterator[Benchmark]:
    """The latencies of both sides; each case is a group, so that base stands beside head."""
    for case in outcome.cases:
        found = case.finding("latency")
        if found is None:
            continue
        if case.base_status == Status.OK and found.base:
            yield _benchmark("base", outcome.base, case, found, found.base)
        if case.head_status == Status.OK and found.head:
            yield _benchmark("head", outcome.head, case, found, found.head)


def _benchmark(
    name: str, side: Side, case: CaseOutcome, found: Finding, latency_s: float
) -> Benchmark:
    """One figure stands for all: a gate keeps the median of a side, and the spread of the ratio.

    The latter is beside; a deviation made up from it would be none of this side's.
    """
    return Benchmark(
        group=case.case,
        name=name,
        fullname=f"{case.case}[{name}]",
        samples_s=(latency_s,),
        rounds=max(1, found.pairs),
        extra={
            "given": side.given,
            "commit": side.commit,
            "verdict": found.verdict,
            "ratio": found.ratio.value if found.ratio else None,
            "ratio_low": found.ratio.low if found.ratio else None,
            "ratio_high": found.ratio.high if found.ratio else None,
        },
    )

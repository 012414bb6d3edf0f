"""Where one configuration passes another: a table of what was measured, and a verdict in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness import units
from harness.report.summary import together
from harness.report.table import Cell, Table, Tone
from harness.search.crossing import NARROW, Crossing, Curve, Point, crossings
from harness.search.pairs import LATENCY, MEMORY, Figures, Pair, curves
from harness.types import Status

WORDS = {LATENCY: "faster", MEMORY: "smaller"}
"""What the lower one of a comparison is."""
_TOLD = {LATENCY: "Latency", MEMORY: "Peak memory"}


def table(pairs: Sequence[Pair], axis: str) -> Table:
    """A row a value: both latencies, both peaks, and B over A of each."""
    header = (axis, "A", "B", "B / A", "memory of A", "memory of B", "B / A")
    found = curves(pairs)
    rows = zip(pairs, found[LATENCY].points, found[MEMORY].points, strict=True)
    return Table.of(
        header,
        (
            (
                Cell(str(pair.value), pair.value),
                *map(_latency, (pair.a, pair.b)),
                _ratio(latency),
                *map(_memory, (pair.a, pair.b)),
                _ratio(memory, plain=True),
            )
            for pair, latency, memory in rows
        ),
    )


def _latency(figures: Figures) -> Cell:
    if figures.latency is None:
        return Cell(figures.status, tone="bad" if Status(figures.status).failed else "muted")
    half = units.percent(figures.latency.relative_half_width)
    return Cell(f"{units.seconds(figures.latency.value)} ±{half}", figures.latency.value)


def _memory(figures: Figures) -> Cell:
    peak = figures.peak_memory_bytes
    return Cell(units.peak_memory(peak, figures.memory_method), peak)


def _ratio(point: Point, plain: bool = False) -> Cell:
    if point.ratio is None:
        return Cell(units.MISSING)
    value, low, high = point.ratio.value, point.ratio.low, point.ratio.high
    text = units.ratio(value) if plain else units.ratio_interval(value, low, high)
    tones: dict[str, Tone] = {"B": "good", "A": "bad", "": "muted"}
    return Cell(text, value, tones[point.lower])


def verdicts(pairs: Sequence[Pair], axis: str, ended: bool = True) -> list[str]:
    """Where B passes A in latency and in peak memory, and why something was not compared.

    Args:
        pairs: what was measured.
        axis: along which.
        ended: False if the search was cut short.
    """
    told = [_verdict(name, curve, axis) for name, curve in curves(pairs).items()]
    if not ended:
        told.append("The search was cut short: this is what was known by then.")
    elif not all(c.narrow for curve in curves(pairs).values() for c in crossings(curve.points)):
        told.append(
            f"Where an interval is wider than {NARROW:.0%} the points in it cannot be told apart; "
            "a quieter machine, or more --passes, would narrow it."
        )
    return [*told, *_failures(pairs, axis)]


def _verdict(name: str, curve: Curve, axis: str) -> str:
    word = WORDS[name]
    points = [point for point in curve.points if point.ratio]
    if not points:
        return f"{_TOLD[name]}: nothing to compare."
    found = crossings(points)
    text = _changes(found, word, axis) if found else _no_change(points, word, axis)
    return f"{_TOLD[name]}: {text}"


def _changes(found: Sequence[Crossing], word: str, axis: str) -> str:
    parts = [
        f"{crossing.lower} is {word} from {axis} = {crossing.value} "
        f"({crossing.low} to {crossing.high}) on"
        for crossing in found
    ]
    times = f"the two cross {len(found)} times: " if len(found) > 1 else ""
    return f"{times}{', '.join(parts)}."


def _no_change(points: Sequence[Point], word: str, axis: str) -> str:
    first, last = points[0].value, points[-1].value
    certain = [point for point in points if point.lower]
    if not certain:
        span = f"at {axis} = {first}" if first == last else f"from {axis} = {first} to {last}"
        return f"{span} it cannot be told which is {word}: {_how_alike(points)}."
    who = certain[0].lower
    doubtful = [str(point.value) for point in points if not point.lower]
    unseen = f"; no difference was seen at {together(doubtful)}" if doubtful else ""
    span = f"at {axis} = {first}" if first == last else f"from {axis} = {first} to {last}"
    if doubtful:
        span = f"at {axis} = {together([str(point.value) for point in certain])}"
    return f"{who} is {word} {span}{unseen}: no crossover up to {last}."


def _how_alike(points: Sequence[Point]) -> str:
    """By the widest interval of those that contain 1."""
    ratios = [point.ratio for point in points if point.ratio]
    if not ratios:
        return "neither has a figure where the other has one"
    factor = max(max(ratio.high, 1 / ratio.low) for ratio in ratios)
    return (
        f"they differ by a factor of {factor:.3g} at most; more --passes, or a quieter machine, "
        "would tell more"
    )


def _failures(pairs: Sequence[Pair], axis: str) -> list[str]:
    """The first value at which each of the two has no latency."""
    told = []
    for name in ("A", "B"):
        sides: list[tuple[int, Figures]] = [
            (pair.value, pair.a if name == "A" else pair.b) for pair in pairs
        ]
        failed = [
            (value, figures)
            for value, figures in sides
            if figures.latency is None and figures.status != Status.INTERRUPTED
        ]
        if failed:
            _, figures = failed[0]
            values = together([str(value) for value, _ in failed])
            told.append(
                f"{name} has no figures at {axis} = {values}: {figures.status}: {figures.reason}"
            )
    return told


def as_json(pairs: Sequence[Pair], axis: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The same in plain types; seconds and bytes.

    Args:
        pairs: what was measured.
        axis: along which.
        names: what A and B are.
    """
    found = curves(pairs)
    return {
        "axis": axis,
        **names,
        **{
            name.replace(" ", "_"): {
                "crossings": [_crossing_json(crossing) for crossing in crossings(curve.points)],
                "verdict": _verdict(name, curve, axis),
            }
            for name, curve in found.items()
        },
        "points": [
            {
                "value": pair.value,
                "a": _figures_json(pair.a),
                "b": _figures_json(pair.b),
                "latency_ratio": _ratio_json(latency),
                "memory_ratio": memory.ratio.value if memory.ratio else None,
            }
            for pair, latency, memory in zip(
                pairs, found[LATENCY].points, found[MEMORY].points, strict=True
            )
        ],
    }


def _crossing_json(crossing: Crossing) -> dict[str, Any]:
    return {
        "lower": crossing.lower,
        "value": crossing.value,
        "low": crossing.low,
        "high": crossing.high,
        "narrow": crossing.narrow,
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    latency = figures.latency
    return {
        "status": figures.status,
        "reason": figures.reason,
        "latency_s": latency.value if latency else None,
        "latency_low_s": latency.low if latency else None,
        "latency_high_s": latency.high if latency else None,
        "peak_memory_bytes": figures.peak_memory_bytes,
        "memory_method": figures.memory_method,
    }


def _ratio_json(point: Point) -> list[float] | None:
    """(value, low, high), B over A."""
    return [point.ratio.value, point.ratio.low, point.ratio.high] if point.ratio else None

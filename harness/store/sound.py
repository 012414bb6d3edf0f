"""Whether what a file says can be: of a line whose checksum fits, as of one that has none.

A file may come from anyone, so every value that a figure is made of is held to its type and its
range here, where it is read, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness import faults
from harness.checks import COUNTS, LARGEST_COUNT
from harness.disturbance import KINDS
from harness.types import (
    Bench,
    Case,
    Disturbance,
    Measurement,
    Status,
    UsageError,
    check_name,
    check_value,
)

SHORTEST_S, LONGEST_S = 1e-12, 1e9
"""A call takes more than a picosecond and less than 30 years."""
LARGEST = 1e30
"""Of any other figure; products of two are still finite."""
_PROBES = ("latency", "memory")
_SERIES = ("samples_s", "device_samples_s", "paired_samples_s", "doubled_samples_s")
_TEXTS = ("started_at", "reason", "framework_version", "memory_method", "execution_path")
_TIMES = ("wall_s", "latency_s", "latency_low_s", "latency_high_s", "latency_p90_s")
"""Columns of tables that hold times of a call."""
_OF_MODELS = ("model_batch", "occurrences")
"""Columns of tables that count, as the axes do."""
_FLAGS = ("warmed", "converged")
_NOT_FIGURES = ("case", "probe", "status", "warnings", "disturbances", *_SERIES, *_TEXTS, *_FLAGS)
FIGURES = tuple(f for f in Measurement.__dataclass_fields__ if f not in _NOT_FIGURES)


def check_measurement(found: Measurement) -> None:
    """Holds each value to what one can be.

    Raises:
        ValueError: one cannot; the message names it.
    """
    _check(found.probe in _PROBES, "probe", found.probe)
    _check(_is_whole(found.pass_index), "pass_index", found.pass_index)
    for name in _TEXTS:
        _check(isinstance(value := getattr(found, name), str), name, value)
    for name in _FLAGS:
        _check(isinstance(value := getattr(found, name), bool), name, value)
    for name in FIGURES:
        value = getattr(found, name)
        _check(value is None or _is_number(value), name, value)
    _check(all(isinstance(text, str) for text in found.warnings), "warnings", found.warnings)
    for name in _SERIES:
        _check_times(name, getattr(found, name))
    for mark in found.disturbances or ():
        _check_disturbance(mark, len(found.samples_s))
    samples = len(found.samples_s)
    if found.status is Status.OK and found.probe == "latency" and not samples:
        raise ValueError("ok without samples")
    if len(found.device_samples_s) not in (0, samples):
        raise ValueError("not as many device samples as samples")
    if len(found.paired_samples_s) != len(found.doubled_samples_s):
        raise ValueError("pairs of samples that are no pairs")


def _check_times(name: str, times: Sequence[Any]) -> None:
    """Most of a journal is these, so they are not looked at one by one."""
    if times:
        _check(set(map(type, times)) <= {float, int}, name, "something that is no number")
        for value in (min(times), max(times)):
            _check(SHORTEST_S <= value <= LONGEST_S, name, value)


def _check_disturbance(mark: Disturbance, samples: int) -> None:
    ends = _is_whole(mark.first) and _is_whole(mark.stop) and mark.first < mark.stop <= samples
    known = isinstance(mark.kind, str) and mark.kind in KINDS
    _check(ends and known and _is_number(mark.amount), "disturbances", mark)


def check_ceilings(record: Mapping[str, Any]) -> None:
    """As `check_measurement`, of what a machine can do in one dtype."""
    check_bench(record)
    _check(isinstance(record["dtype"], str), "dtype", record["dtype"])
    _check(_is_positive(record["flop_per_s"]), "flop_per_s", record["flop_per_s"])
    _check(_is_number(record["call_overhead_s"]), "call_overhead_s", record["call_overhead_s"])
    curve = record["bandwidth"]
    _check(isinstance(curve, list) and len(curve) > 0, "bandwidth", curve)
    for point in curve:
        good = isinstance(point, list) and len(point) == 2 and all(map(_is_positive, point))
        _check(good, "bandwidth", point)


def check_bench(record: Mapping[str, Any]) -> Bench:
    """As `check_measurement`, of what a worker was for."""
    bench = Bench(record["framework"], record["device"], record["threads"])
    _check(isinstance(bench.framework, str), "framework", bench.framework)
    _check(isinstance(bench.device, str), "device", bench.device)
    _check(_is_whole(bench.threads), "threads", bench.threads)
    return bench


def check_text(record: Mapping[str, Any], *names: str) -> None:
    """As `check_measurement`, of texts."""
    for name in names:
        _check(isinstance(record[name], str), name, record[name])


def check_texts(found: object) -> None:
    """As `check_measurement`, of a list of texts."""
    texts = isinstance(found, list | tuple) and all(isinstance(text, str) for text in found)
    _check(texts, "a list of texts", found)


def check_round(record: Mapping[str, Any]) -> None:
    """As `check_measurement`, of a walk over the plan that came to its end."""
    _check(record["probe"] in _PROBES, "probe", record["probe"])
    _check(_is_whole(record["pass_index"]), "pass_index", record["pass_index"])
    _check(_is_number(record["taken_s"]), "taken_s", record["taken_s"])


def check_status(record: Mapping[str, Any]) -> None:
    """As `check_measurement`, of why and when a worker could not be started."""
    Status(record["status"])
    _check(_is_whole(record["pass_index"]), "pass_index", record["pass_index"])


def check_case(case: Case) -> None:
    """As `check_measurement`, of a planned case; its parameters have checked themselves."""
    for name in ("layer", "framework", "device", "mode", "execution", "dtype"):
        _check(isinstance(value := getattr(case, name), str), name, value)
    for name in COUNTS:
        value = getattr(case, name)
        missing = name == "seq" and value is None
        _check(missing or (_is_whole(value) and 1 <= value <= LARGEST_COUNT), name, value)


def check_counts(found: Sequence[Any]) -> None:
    """As `check_measurement`, of numbers of something that there is."""
    for value in found:
        _check(_is_whole(value) and 1 <= value <= LARGEST_COUNT, "a count", value)


def check_params(params: Any) -> None:
    """As `check_measurement`, of the parameters of a row."""
    if not isinstance(params, dict):
        raise ValueError(f"parameters {faults.shown(params)} are no object")
    try:
        for name, value in params.items():
            check_name("parameter", name)
            check_value(name, value)
    except UsageError as error:
        raise ValueError(faults.words(error)) from error


def check_depth(value: object, deepest: int = 10) -> None:
    """Holds what is kept as it came to a depth that whoever writes it again can walk.

    Raises:
        ValueError: it is nested deeper.
    """
    if isinstance(value, dict | list):
        _check(deepest > 0, "something", "nested too deep")
        for inner in value.values() if isinstance(value, dict) else value:
            check_depth(inner, deepest - 1)


def limits(column: str) -> tuple[float, float]:
    """The least and the most that a figure in a column of a table can be."""
    if column in (*COUNTS, *_OF_MODELS):
        return 1, LARGEST_COUNT
    return (SHORTEST_S, LONGEST_S) if column in _TIMES else (0, LARGEST)


def check_kinds(data: Mapping[str, Any], kinds: Mapping[Any, Collection[str]]) -> None:
    """Holds each value to its type.

    Raises:
        ValueError: one is of another; the message names it.
    """
    for kind, names in kinds.items():
        for name in names:
            _check(isinstance(data[name], kind), name, data[name])


def _check(good: bool, name: str, value: object) -> None:
    if not good:
        raise ValueError(f"{name} is {faults.shown(value)}")


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= LARGEST


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0

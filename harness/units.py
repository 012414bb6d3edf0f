"""The only place that turns SI figures into text for people, and such text into figures."""

from __future__ import annotations

import math
import re

from harness.types import UsageError

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BINARY = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_DECIMAL = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_SIZE = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_DURATION = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

MISSING = "–"
_LEAST_PERCENT = 0.001
"""Of less it is told that it is less."""


def _missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _three_digits(value: float) -> str:
    """Three significant digits without an exponent: 1.23, 12.3, 123, 1234."""
    rounded = float(f"{value:.3g}")  # first, as 0.9996 has one digit before the point in the end
    digits = 2 - math.floor(math.log10(abs(rounded))) if rounded else 2
    return f"{round(value, digits):.{max(0, digits)}f}"


def _second(value: float) -> tuple[float, str]:
    """The unit that suits a time, with its length in seconds."""
    return next(
        (step for step in _SECONDS if abs(value) >= step[0] * 0.9995),
        _SECONDS[-1],
    )


def seconds(value: float | None) -> str:
    """1.234e-4 -> '123 µs'."""
    if _missing(value):
        return MISSING
    assert value is not None
    scale, unit = _second(value)
    return f"{_three_digits(value / scale)} {unit}"


def seconds_interval(value: float, low: float, high: float) -> str:
    """(1.01e-3, 9.8e-4, 1.04e-3) -> '1.01 ms (0.980–1.04)', all three in one unit."""
    scale, unit = _second(value)
    limits = f"{_three_digits(low / scale)}–{_three_digits(high / scale)}"
    return f"{_three_digits(value / scale)} {unit} ({limits})"


def seconds_tick(value: float) -> str:
    """1e-4 -> '100 µs': a round figure, for an axis."""
    scale, unit = _second(value)
    return f"{value / scale:.6g} {unit}"


def size(value: float | None) -> str:
    """1536 -> '1.50 KiB'."""
    if _missing(value):
        return MISSING
    assert value is not None
    for scale, unit in _BINARY:
        if abs(value) >= scale:
            return f"{_three_digits(value / scale)} {unit}"
    return f"{value:.0f} B"


def peak_memory(value: float | None, method: str) -> str:
    """(2048.0, 'VmHWM') -> '2.00 KiB'; (None, 'VmHWM, below 128 KiB') -> '<128 KiB'.

    A method that names a bound says of a missing figure that it is less than could be read.
    """
    _, bounded, bound = method.partition(", below ")
    return f"<{bound}" if bounded and _missing(value) else size(value)


def size_tick(value: float) -> str:
    """1048576 -> '1 MiB': a round figure, for an axis."""
    scale, unit = next((step for step in _BINARY if value >= step[0]), (1, "B"))
    return f"{value / scale:.6g} {unit}"


def quantity(value: float | None, unit: str) -> str:
    """(1.5e9, 'FLOP/s') -> '1.50 GFLOP/s'; (1.5e9, '') -> '1.50 G'."""
    if _missing(value):
        return MISSING
    assert value is not None
    for scale, prefix in _DECIMAL:
        if abs(value) >= scale:
            return f"{_three_digits(value / scale)} {prefix}{unit}"
    return f"{_three_digits(value)} {unit}".rstrip()


def quantity_tick(value: float, unit: str) -> str:
    """(1e9, 'FLOP/s') -> '1 GFLOP/s': a round figure, for an axis."""
    scale, prefix = next((step for step in _DECIMAL if value >= step[0]), (1.0, ""))
    return f"{value / scale:.6g} {prefix}{unit}".rstrip()


def ratio(value: float | None) -> str:
    """1.5 -> '1.50×'."""
    return MISSING if _missing(value) else f"{_three_digits(value or 0.0)}×"


def ratio_interval(value: float, low: float, high: float) -> str:
    """(1.45, 1.38, 1.53) -> '1.45× (1.38–1.53)'; see `limits`."""
    told = _apart_from_one(value) if _excludes_one(low, high) else _three_digits(value)
    return f"{told}× ({limits(low, high)})"


def limits(low: float, high: float) -> str:
    """(1.38, 1.53) -> '1.38–1.53': of the interval of a ratio that stands beside it.

    (1.0047, 1.16) -> '1.005–1.16': one that excludes 1 does not look as if it included it.
    """
    digits = _apart_from_one if _excludes_one(low, high) else _three_digits
    return f"{digits(low)}–{digits(high)}"


def _excludes_one(low: float, high: float) -> bool:
    return low > 1 or high < 1


def _apart_from_one(value: float) -> str:
    """Three digits, or as many more as it takes to tell a figure near 1 from it."""
    rounded = _three_digits(value)
    if value == 1 or float(rounded) != 1:
        return rounded
    return f"{value:.{1 - math.floor(math.log10(abs(value - 1)))}g}"


def ratio_tick(value: float) -> str:
    """0.5 -> '0.5×': a round figure, for an axis."""
    return f"{value:.6g}×"


def error(value: float | None) -> str:
    """3.1e-06 -> '3.1×10⁻⁶', 0.9 -> '0.90': a relative error, of which the magnitude matters."""
    if _missing(value):
        return MISSING
    digits, _, exponent = f"{value:.1e}".partition("e")
    power = int(exponent)
    if not value or power > 1:
        return _three_digits(value) if value else "0"
    return (
        f"{value:.{1 - power}f}" if power >= -3 else f"{digits}×10{str(power).translate(_RAISED)}"
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """(2, 'thread') -> '2 threads'."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def calls(value: float) -> str:
    """12345.6 -> '12,300'; 7.2 -> '8': a number of calls after which something has come."""
    return f"{math.ceil(value) if value < 100 else float(f'{value:.3g}'):,.0f}"


def calls_interval(value: float, low: float, high: float) -> str:
    """(12345.6, 9871.0, 15622.0) -> '12,300 (9,870–15,600)'."""
    return f"{calls(value)} ({calls(low)}–{calls(high)})"


def percent(value: float | None) -> str:
    """0.0123 -> '1.23 %'; 1e-07 -> '<0.001 %': little does not look like nothing."""
    if _missing(value):
        return MISSING
    hundredths = (value or 0.0) * 100
    if 0 < abs(hundredths) < _LEAST_PERCENT:
        return f"<{_LEAST_PERCENT} %"
    return f"{_three_digits(hundredths)} %" if hundredths else "0 %"


def share(value: float) -> str:
    """0.05 -> '5 %'; 0.0025 -> '0.25 %': a share that was chosen, without digits it has not."""
    figure, space, unit = percent(value).partition(" ")
    return f"{figure.rstrip('0').rstrip('.') if '.' in figure else figure}{space}{unit}"


def chance(value: float) -> str:
    """0.0312 -> '0.031'; 2e-05 -> '<0.0001': a probability."""
    return f"{value:.2g}" if value >= 1e-4 or value == 0 else "<0.0001"


def figure(value: float | None, unit: str) -> str:
    """(1e-3, 's') -> '1.00 ms'; (1536, 'bytes') -> '1.50 KiB'; (1200, 'kernels') -> '1,200'."""
    if _missing(value):
        return MISSING
    assert value is not None
    if unit == "s":
        return seconds(value)
    if unit == "bytes":
        return size(value)
    return quantity(value, unit) if unit == "FLOP" else f"{value:,.0f}"


def exact_figure(value: float, unit: str) -> str:
    """(1536, 'bytes') -> '1,536 bytes': every digit, where two figures differ in the last one."""
    return f"{value:,.0f} {unit}"


def exact_ratio(value: float) -> str:
    """1.00002 -> '1.00002×': as many digits as tell it from 1."""
    rounded = ratio(value)
    return rounded if value == 1 or rounded != ratio(1.0) else f"{value:.6g}×"


def parse_duration(text: str) -> float:
    """'10m' -> 600.0; a bare number is seconds.

    Raises:
        UsageError: not a positive duration.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)?", text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"{text!r} is not a duration; write one such as 500ms, 30s, 10m or 1h")
    return float(match[1]) * _DURATION[match[2] or "s"]


def parse_size(text: str) -> int:
    """'1.5GiB' -> 1610612736; a bare number is bytes.

    Raises:
        UsageError: not a size of a byte or more.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]ib|b)?", text.strip().lower())
    unit = (match[2] or "b") if match else ""
    if not match or float(match[1]) * _SIZE[unit] < 1:
        raise UsageError(f"{text!r} is not a size; write one such as 512MiB or 2GiB")
    return int(float(match[1]) * _SIZE[unit])


def parse_fraction(text: str) -> float:
    """'5%' -> 0.05; '0.05' -> 0.05.

    Raises:
        UsageError: not a fraction above 0.
    """
    match = re.fullmatch(r"(\d*\.?\d+)\s*(%)?", text.strip())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"{text!r} is not a share; write one such as 5% or 0.05")
    return float(match[1]) / (100.0 if match[2] else 1.0)

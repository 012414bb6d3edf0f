"""Figures as people read and type them."""

from __future__ import annotations

import math

import pytest

from harness import units
from harness.types import UsageError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.234e-4, "123 µs"),
        (0.9996e-3, "1.00 ms"),
        (1.0, "1.00 s"),
        (123.4, "123 s"),
        (3e-10, "0.300 ns"),
        (0.0, "0.00 ns"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert units.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.50 KiB"), (2**40, "1.00 TiB")]
)
def test_size(value: float, text: str) -> None:
    assert units.size(value) == text


@pytest.mark.parametrize(
    ("value", "method", "text"),
    [
        (2048.0, "VmHWM", "2.00 KiB"),
        (2048.0, "VmHWM, below 1 KiB", "2.00 KiB"),
        (None, "VmHWM, below 128 KiB", "<128 KiB"),
        (math.nan, "VmHWM, below 128 KiB", "<128 KiB"),
        (math.nan, "VmHWM", "–"),
        (None, "", "–"),
    ],
)
def test_peak_memory_too_small_to_read_has_its_bound(
    value: float | None, method: str, text: str
) -> None:
    assert units.peak_memory(value, method) == text


def test_rates_ratios_and_shares() -> None:
    assert units.quantity(1.5e9, "FLOP/s") == "1.50 GFLOP/s"
    assert units.ratio(1.5) == "1.50×"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0123, "1.23 %"), (0.00996, "0.996 %"), (0.0009999, "0.100 %"), (1.0, "100 %")),
        *((12.345, "1230 %"), (4.88e-4, "0.0488 %"), (1e-5, "0.00100 %"), (1e-7, "<0.001 %")),
        *((0.0, "0 %"), (None, "–"), (math.nan, "–")),
    ],
)
def test_a_percentage_has_three_digits_and_no_exponent(value: float | None, text: str) -> None:
    assert units.percent(value) == text


def test_a_larger_share_never_looks_smaller() -> None:
    values = [10 ** (power / 50) for power in range(-249, 50)]
    told = [float(units.percent(value).removesuffix(" %")) for value in values]
    assert told == sorted(told)


def test_intervals_keep_one_unit() -> None:
    assert units.seconds_interval(1.01e-3, 9.8e-4, 1.04e-3) == "1.01 ms (0.980–1.04)"
    assert units.ratio_interval(1.45, 1.38, 1.53) == "1.45× (1.38–1.53)"


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ((1.08, 1.0047, 1.16), "1.08× (1.005–1.16)"),
        ((1.002, 1.0011, 1.0031), "1.002× (1.001–1.003)"),
        ((0.95, 0.9, 0.99996), "0.950× (0.900–0.99996)"),
        ((1.02, 1.0, 1.04), "1.02× (1.00–1.04)"),
        ((1.001, 0.9996, 1.04), "1.00× (1.00–1.04)"),
        ((1.0000001, 1.0000001, 1.2), "1.0000001× (1.0000001–1.20)"),
    ],
)
def test_an_interval_that_excludes_one_never_looks_as_if_it_held_it(
    ratio: tuple[float, float, float], text: str
) -> None:
    assert units.ratio_interval(*ratio) == text


def test_ticks_are_round() -> None:
    assert [units.seconds_tick(value) for value in (1e-4, 2e-3, 50.0)] == ["100 µs", "2 ms", "50 s"]
    assert [units.size_tick(value) for value in (512.0, 2.0**20)] == ["512 B", "1 MiB"]
    rates = [units.quantity_tick(value, "FLOP/s") for value in (0.5, 2e9, 1e12)]
    assert rates == ["0.5 FLOP/s", "2 GFLOP/s", "1 TFLOP/s"]
    assert [units.ratio_tick(value) for value in (0.25, 1.0, 64.0)] == ["0.25×", "1×", "64×"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((3.1e-6, "3.1×10⁻⁶"), (9.96e-13, "1.0×10⁻¹²"), (1.2e-3, "0.0012"), (0.25, "0.25")),
        *((1.5, "1.5"), (1234.0, "1230"), (0.0, "0"), (None, "–")),
    ],
)
def test_error(value: float | None, text: str) -> None:
    assert units.error(value) == text


def test_counts_agree_with_their_noun() -> None:
    assert units.count(1, "thread") == "1 thread"
    assert units.count(2, "pass", "passes") == "2 passes"


@pytest.mark.parametrize(("text", "value"), [("10m", 600), ("500ms", 0.5), ("2h", 7200), ("3", 3)])
def test_durations(text: str, value: float) -> None:
    assert units.parse_duration(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("0.05", 0.05), (".5 %", 0.005)])
def test_shares(text: str, value: float) -> None:
    assert units.parse_fraction(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("2GiB", 2**31), ("1.5 KiB", 1536), ("512mib", 2**29), ("7", 7), ("1TiB", 2**40), ("8B", 8)],
)
def test_sizes(text: str, value: int) -> None:
    assert units.parse_size(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1s", "x", "1d"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write one such as"):
        units.parse_duration(text)
    with pytest.raises(UsageError, match="write one such as"):
        units.parse_fraction(text)
    with pytest.raises(UsageError, match="write one such as"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5e-3, "s", "1.50 ms"),
        (1536, "bytes", "1.50 KiB"),
        (2e9, "FLOP", "2.00 GFLOP"),
        (12345, "operators", "12,345"),
        (None, "kernels", "–"),
    ],
)
def test_a_figure_is_written_as_its_unit_asks(value: float | None, unit: str, text: str) -> None:
    assert units.figure(value, unit) == text


def test_exact_figures_and_ratios_show_the_smallest_step() -> None:
    assert units.exact_figure(2**20 + 1, "bytes") == "1,048,577 bytes"
    assert units.exact_ratio(1.00002) == "1.00002×"
    assert units.exact_ratio(1.0) == "1.00×"
    assert units.exact_ratio(1.5) == "1.50×"


def test_a_chosen_share_has_no_digits_of_its_own() -> None:
    assert [units.share(value) for value in (0.05, 0.0025, 0.125, 1.0)] == [
        "5 %", "0.25 %", "12.5 %", "100 %",
    ]  # fmt: skip
    assert units.share(1e-7) == "<0.001 %"


def test_calls_have_three_digits_and_small_numbers_are_whole() -> None:
    assert [units.calls(value) for value in (0.2, 7.2, 99.1, 123.4, 12345.6)] == [
        "1", "8", "100", "123", "12,300",
    ]  # fmt: skip
    assert units.calls_interval(12345.6, 9871.0, 15622.0) == "12,300 (9,870–15,600)"


def test_a_rate_without_a_unit_ends_in_its_prefix() -> None:
    assert [units.quantity(value, "") for value in (12.0, 1234.0)] == ["12.0", "1.23 k"]
    assert [units.quantity_tick(value, "") for value in (500.0, 5e5)] == ["500", "500 k"]


def test_a_probability_has_no_exponent() -> None:
    texts = [units.chance(value) for value in (0.0312, 1.2e-4, 2e-5, 0.0)]
    assert texts == ["0.031", "0.00012", "<0.0001", "0"]

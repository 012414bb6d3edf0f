"""What is drawn of a layer, and what is held fixed."""

from __future__ import annotations

import itertools
import math

import pytest
from frames import NAN, frame, row
from hypothesis import given
from hypothesis import strategies as st

from harness.report import axes, charts, rows
from harness.report.canvas import MARKERS, canvas, round_values, styles
from harness.report.panels import ITEMS, LATENCY, MEMORY, TOKENS, Panel, metrics, panels
from harness.stats import Interval
from harness.types import Status

STYLES = styles({"torch eager": ("torch", "eager")})


def drawn(*members: dict[str, object]) -> list[Panel]:
    return panels(rows.read(frame(members)), LATENCY)


def grid(**changes: object) -> list[dict[str, object]]:
    return [row(batch=b, seq=s, **changes) for b in (1, 8, 32) for s in (16, 64)]


class TestPanels:
    def test_each_axis_is_drawn_at_the_largest_value_of_the_other(self) -> None:
        batch, seq = drawn(*grid())
        assert (batch.axis, batch.held, batch.ticks) == ("batch", "sequence length 64", (1, 8, 32))
        assert (seq.axis, seq.held, seq.ticks) == ("seq", "batch size 32", (16, 64))

    def test_axis_with_one_value_is_not_drawn(self) -> None:
        (only,) = drawn(row(batch=1, seq=16), row(batch=8, seq=16))
        assert only.axis == "batch"

    def test_largest_value_gives_way_where_nothing_varies_at_it(self) -> None:
        (panel,) = drawn(row(batch=1, seq=16), row(batch=8, seq=16), row(batch=1, seq=64))[:1]
        assert panel.held == "sequence length 16"

    def test_layer_without_sequence_holds_nothing(self) -> None:
        (panel,) = drawn(row(batch=1), row(batch=8))
        assert panel.held == ""

    def test_modes_are_drawn_apart_and_in_order(self) -> None:
        found = drawn(*grid(mode="train"), *grid())
        assert [panel.mode for panel in found] == ["forward", "forward", "train", "train"]

    def test_failures_are_marks_and_unsupported_cases_are_not(self) -> None:
        (panel,) = drawn(
            row(batch=1),
            row(batch=2, status="oom"),
            row(batch=4),
            row(batch=1, framework="tensorflow", status="unsupported"),
        )
        (line,) = panel.lines
        assert [x for x, _ in line.points] == [1, 4]
        assert line.failures == ((2, "oom"),)

    def test_nothing_is_drawn_of_a_layer_that_only_failed(self) -> None:
        assert drawn(row(batch=1, status="oom"), row(batch=2, status="oom")) == []

    @pytest.mark.parametrize("peak", [NAN, 0.0])
    def test_memory_that_has_no_logarithm_is_not_drawn(self, peak: float) -> None:
        members = [row(batch=1, peak_memory_bytes=peak), row(batch=2, peak_memory_bytes=peak)]
        assert panels(rows.read(frame(members)), MEMORY) == []

    def test_axis_keeps_values_at_which_nothing_can_be_drawn(self) -> None:
        members = [row(batch=1, peak_memory_bytes=0.0), row(batch=2)]
        (panel,) = panels(rows.read(frame(members)), MEMORY)
        assert panel.ticks == (1, 2)
        assert charts.panel(panel, charts.shared_scale([panel]), STYLES, "key")

    def test_lines_are_one_a_framework_and_execution_torch_first(self) -> None:
        others = [{"framework": "jax"}, {"framework": "torch"}, {"execution": "compiled"}]
        (panel,) = drawn(*(row(batch=b, **o) for o, b in itertools.product(others, (1, 2))))
        names = [line.series for line in panel.lines]
        assert names == ["torch eager", "torch compiled", "jax eager"]


class TestScale:
    def test_spans_a_decade_at_least_and_holds_every_interval(self) -> None:
        found = drawn(row(1e-3, batch=1), row(1.01e-3, batch=2))
        scale = charts.shared_scale(found)
        assert scale.high / scale.low >= 9.99
        for panel in found:
            for line in panel.lines:
                assert all(scale.low < f.low and f.high < scale.high for _, f in line.points)

    def test_leaves_a_line_above_for_each_series_and_status_that_failed(self) -> None:
        quiet = [row(batch=1), row(batch=2)]
        failed = [row(batch=4, status="oom"), row(batch=8, status="oom")]
        assert charts.shared_scale(drawn(*quiet)).top == charts.shared_scale(drawn(*quiet)).high
        assert charts.shared_scale(drawn(*quiet, *failed)).marks == 1
        scale = charts.shared_scale(drawn(*quiet, *failed, row(batch=16, status="timeout")))
        assert scale.marks == 2
        assert math.log(scale.high / scale.low) / math.log(scale.top / scale.low) == pytest.approx(
            0.8
        )

    @given(st.floats(1e-9, 1e12), st.floats(10, 1e9), st.booleans())
    def test_round_values_are_a_few_and_inside(
        self, low: float, factor: float, binary: bool
    ) -> None:
        values = round_values(low, low * factor, binary=binary)
        assert 1 <= len(values) <= 8
        assert all(low <= value <= low * factor * (1 + 1e-12) for value in values)


def test_description_gives_every_figure_and_failure() -> None:
    (panel,) = drawn(row(1e-3, batch=1), row(2e-3, batch=2), row(batch=4, status="timeout"))
    assert panel.description == (
        "Latency, forward, against batch size. torch eager: 1: 1.00 ms, 2: 2.00 ms, 4: timeout."
    )
    assert panel.lines[0].points[0][1] == Interval(1e-3, 1e-3 / 1.1, 1e-3 * 1.1)


class TestThroughput:
    def test_layer_over_sequences_does_tokens_with_the_interval_of_its_latency(self) -> None:
        members = rows.read(frame([row(2e-3, batch=b, seq=16) for b in (1, 8)]))
        assert metrics(members) == (LATENCY, TOKENS, MEMORY)
        (panel,) = panels(members, TOKENS)
        (line,) = panel.lines
        (_, one), (_, eight) = line.points
        assert one.value == pytest.approx(16 / 2e-3)
        assert (eight.value, eight.low, eight.high) == pytest.approx(
            (8 * 16 / 2e-3, 8 * 16 / 2.2e-3, 8 * 16 * 1.1 / 2e-3)
        )
        assert panel.description == (
            "Tokens/s, forward, against batch size at sequence length 16. "
            "torch eager: 1: 8.00 k, 8: 64.0 k."
        )

    def test_in_words_the_fewest_a_second_stand_before_the_most(self) -> None:
        skewed = {"latency_low_s": 1.9e-3, "latency_high_s": 4e-3}
        members = rows.read(frame([row(2e-3, batch=b, **skewed) for b in (1, 8)]))
        (panel,) = panels(members, ITEMS)
        (line,) = panel.lines
        told = [panel.told(line, *point) for point in line.points]
        assert told[1] == "torch eager, batch size 8: 4.00 k (2.00–4.21)"
        assert told[0].endswith(": 500 (250–526)")

    def test_layer_without_a_sequence_does_items(self) -> None:
        members = rows.read(frame([row(2e-3, batch=b) for b in (1, 8)]))
        assert metrics(members) == (LATENCY, ITEMS, MEMORY)
        (panel,) = panels(members, ITEMS)
        assert [figure.value for _, figure in panel.lines[0].points] == pytest.approx([500, 4000])
        assert panels(members, TOKENS) == []


class TestDrawing:
    def test_band_holds_the_intervals_and_ends_where_the_line_failed(self) -> None:
        (panel,) = drawn(*(row(batch=b, status="oom" if b == 4 else "ok") for b in (1, 2, 4, 8, 9)))
        _, plot = canvas(100, 100, (0, 0, 0, 0))
        axes.draw_band(plot, panel.lines[0], "#d55e00")
        (band,) = plot.collections
        low, high = 1e-3 / 1.1, 1e-3 * 1.1
        for path, places in zip(band.get_paths(), [(1, 2), (8, 9)], strict=True):
            assert {tuple(corner) for corner in path.vertices} == {
                (x, y) for x in places for y in (low, high)
            }

    def test_peaks_of_memory_have_no_interval_and_no_band(self) -> None:
        (panel,) = panels(rows.read(frame([row(batch=1), row(batch=2)])), MEMORY)
        _, plot = canvas(100, 100, (0, 0, 0, 0))
        axes.draw_band(plot, panel.lines[0], "#d55e00")
        assert not plot.collections

    def test_each_failure_has_a_mark_of_its_own_that_no_series_has(self) -> None:
        marks = [str(axes.failure_marker(status)) for status in Status if status.failed]
        assert len({*marks, *MARKERS}) == len(marks) + len(MARKERS)

    def test_mark_and_word_stand_where_the_line_stopped(self) -> None:
        drawings = []
        for status in ("oom", "timeout"):
            (panel,) = drawn(row(batch=1), row(batch=2), row(batch=4, status=status))
            svg = charts.panel(panel, charts.shared_scale([panel]), STYLES, "key")
            assert f">{status}</text>" in svg
            drawings.append(svg.replace(status, ""))
        assert drawings[0] != drawings[1]


def test_a_mark_is_told_with_its_interval_in_one_unit_where_it_has_one() -> None:
    (panel,) = drawn(row(1e-3, batch=1), row(2e-3, batch=2, latency_low_s=0.9e-3))
    (line,) = panel.lines
    told = [panel.told(line, place, figure) for place, figure in line.points]
    assert told == [
        "torch eager, batch size 1: 1.00 ms (909 µs–1.10 ms)",
        "torch eager, batch size 2: 2.00 ms (900 µs–2.20 ms)",
    ]
    assert panel.told(line, 2, Interval(2e-3, 1e-3, 3e-3)).endswith("2.00 ms (1.00–3.00)")
    assert panel.told(line, 2, Interval(2e-3, 2e-3, 2e-3)).endswith(": 2.00 ms")


def test_however_many_fail_figures_keep_most_of_a_panel_and_its_ticks_apart() -> None:
    statuses = ("oom", "timeout", "crashed", "error", "mismatch")
    members = [
        row(batch=batch, execution=execution, status=status, peak_memory_bytes=2.0 ** (20 + batch))
        for execution in ("eager", "compiled")
        for batch, status in enumerate(("ok", "ok", *statuses), 1)
    ]
    (panel,) = panels(rows.read(frame(members)), MEMORY)
    scale = charts.shared_scale([panel])
    assert scale.marks == 10
    figure, drawn = axes.log_log(panel, scale, (288.0, 200.0), (66.0, 12.0, 10.0, 42.0), 0.12)
    height = math.log(scale.high / scale.low) / math.log(scale.top / scale.low)
    assert height > 0.6
    figure.canvas.draw()
    places = [drawn.transData.transform((1, tick))[1] for tick in drawn.get_yticks()]
    points = [(upper - lower) * 72 / figure.dpi for lower, upper in itertools.pairwise(places)]
    assert points
    assert min(points) >= 12

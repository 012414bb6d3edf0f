"""Speedups by size, the way back against the way forward, and when compiling pays."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any

import pandas as pd
import pytest
from frames import NAN, frame, quick, row, run
from pages import Page

from harness.report import caps, html, markdown
from harness.report import rows as reading
from harness.report.choose import compiling, directions, grids
from harness.report.choose import section as choose
from harness.report.choose.compiling import Outcome, Pair
from harness.report.choose.directions import Block
from harness.report.choose.grids import Grid
from harness.report.heatmap import HeatCell
from harness.report.table import Table

EVIL = "<script>alert(1)</script>$x^2$\"' onload=alert(1)|\n# heading"
BATCHES, LENGTHS = (1, 8), (16, 64)


def drawn(members: list[dict[str, Any]]) -> list[Grid]:
    return list(grids.grids(reading.read(frame(members))))


def sizes(latency_s: float = 1.0, **changes: Any) -> list[dict[str, Any]]:
    """A row at two batch sizes by two lengths."""
    return [
        row(latency_s, batch=batch, seq=seq, **changes)
        for batch, seq in itertools.product(BATCHES, LENGTHS)
    ]


def compiled(latency_s: float = 0.5, **changes: Any) -> list[dict[str, Any]]:
    return sizes(latency_s, execution="compiled", **changes)


def cells(grid: Grid) -> list[list[HeatCell]]:
    (only,) = grid.maps
    return [list(line.cells) for line in only.lines]


def column(table: Table, name: str) -> list[str]:
    index = table.header.index(name)
    return [line[index].text for line in table.rows]


class TestGrids:
    def test_each_size_has_the_speedup_with_its_interval(self) -> None:
        (grid,) = drawn([*compiled(), *sizes()])
        (found,) = grid.maps
        assert found.title == "forward: speedup of torch compiled, torch eager = 1"
        assert (found.columns, [line.name for line in found.lines]) == (
            ("s16", "s64"),
            ["b1", "b8"],
        )
        # Both intervals are a factor of 1.1 either way, the ratio's is 1.1 ** sqrt(2) = 1.144.
        expected = HeatCell("2.00×", ("1.75–2.29",), strength=0.25, unsure=False)
        assert all(
            (cell.text, cell.notes, cell.unsure, cell.failed)
            == (expected.text, expected.notes, expected.unsure, expected.failed)
            for line in cells(grid)
            for cell in line
        )
        assert cells(grid)[0][0].strength == pytest.approx(0.25)  # the fourth root of 16

    def test_a_cell_stands_where_its_size_does(self) -> None:
        members = [*sizes(), *compiled()]
        members[-1] |= {"latency_s": 0.25, "latency_low_s": 0.24, "latency_high_s": 0.26}
        (grid,) = drawn(members)
        texts = [[cell.text for cell in line] for line in cells(grid)]
        assert texts == [["2.00×", "2.00×"], ["2.00×", "4.00×"]]

    def test_a_speedup_whose_interval_contains_one_is_unsure(self) -> None:
        (near,), (far,) = (drawn([*sizes(), *compiled(s)]) for s in (0.95, 1.5))
        assert all(cell.unsure for line in cells(near) for cell in line)
        assert not any(cell.unsure for line in cells(far) for cell in line)
        assert all(cell.strength and cell.strength < 0 for line in cells(far) for cell in line)

    def test_what_failed_or_was_not_tried_is_named(self) -> None:
        base, other = sizes(), compiled()
        other[0] = row(status="oom", execution="compiled", batch=1, seq=16)
        base[1] = row(status="timeout", framework_version="", batch=1, seq=64)
        del other[2]
        (grid,) = drawn([*base, *other])
        texts = [[cell.text for cell in line] for line in cells(grid)]
        assert texts == [["oom", "alone"], ["–", "2.00×"]]
        assert cells(grid)[0][0].failed

    @pytest.mark.parametrize(
        "kept",
        [
            lambda r: r["batch"] == 1,
            lambda r: r["seq"] == 16,
            lambda r: r["batch"] * r["seq"] == 64 or r["batch"] * r["seq"] == 128,
        ],
        ids=["one batch size", "one length", "constant tokens"],
    )
    def test_sizes_that_vary_one_way_only_make_no_grid(self, kept: Any) -> None:
        assert drawn([member for member in [*sizes(), *compiled()] if kept(member)]) == []

    def test_a_layer_without_a_sequence_makes_no_grid(self) -> None:
        members = [row(batch=b, execution=e) for b in (1, 8) for e in ("eager", "compiled")]
        assert drawn(members) == []

    @pytest.mark.parametrize(
        "other",
        [
            {"machine_id": "other"},
            {"device": "cuda"},
            {"dtype": "bfloat16"},
            {"threads": 2},
            {"params": {"units": 512}},
            {"mode": "train"},
            {"layer": "lstm"},
            {"framework_version": "2.14.0"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_nothing_is_held_against_what_is_not_comparable(self, other: dict[str, Any]) -> None:
        found = drawn([*sizes(), *compiled(**other)])
        assert not any(
            cell.strength is not None
            for grid in found
            for heat in grid.maps
            for line in heat.lines
            for cell in line.cells
        )

    def test_each_mode_and_each_other_configuration_has_a_map(self) -> None:
        keras = {"framework": "tensorflow", "execution": "compiled"}
        members = [
            member
            for mode in ("train", "forward")
            for changes in (keras, {"execution": "compiled"}, {})
            for member in sizes(mode=mode, **changes)
        ]
        (grid,) = drawn(members)
        assert [found.title for found in grid.maps] == [
            "forward: speedup of torch compiled, torch eager = 1",
            "forward: speedup of tensorflow compiled, torch eager = 1",
            "train: speedup of torch compiled, torch eager = 1",
            "train: speedup of tensorflow compiled, torch eager = 1",
        ]
        assert (grid.layer, grid.setting) == ("dense", "cpu, float32, 1 thread, units=256")

    def test_a_base_that_only_failed_gives_way_to_the_next(self) -> None:
        dead = [row(status="oom", batch=b, seq=s) for b, s in itertools.product(BATCHES, LENGTHS)]
        (grid,) = drawn([*dead, *compiled(), *compiled(framework="tensorflow")])
        assert [found.title for found in grid.maps] == [
            "forward: speedup of torch eager, torch compiled = 1",
            "forward: speedup of tensorflow compiled, torch compiled = 1",
        ]


def blocks(members: list[dict[str, Any]]) -> list[Block]:
    return directions.blocks(reading.read(frame(members)))


def both(
    ratio: float = 2.0, modes: tuple[str, str] = ("forward", "backward"), **changes: Any
) -> list[dict[str, Any]]:
    return [row(1e-3, mode=modes[0], **changes), row(ratio * 1e-3, mode=modes[1], **changes)]


class TestDirections:
    def test_backward_over_forward_with_its_interval(self) -> None:
        (block,) = blocks([*both(), row(3.1e-3, mode="train")])
        assert block.title == "Backward over forward, cpu, float32, 1 thread"
        assert "Backward / forward" in block.table.header
        (line,) = block.table.rows
        assert [cell.text for cell in line] == ["dense", "torch eager", "2.00× (1.75–2.29)", "1"]

    def test_train_stands_in_where_there_is_no_backward_and_says_so(self) -> None:
        (block,) = blocks(both(3.0, modes=("forward", "train")))
        assert block.title.startswith("Train over forward")
        assert column(block.table, "Train / forward") == ["3.00× (2.62–3.43)"]

    def test_backward_and_train_are_never_in_one_table(self) -> None:
        found = blocks([*both(), *both(3.0, ("forward", "train"), framework="tensorflow")])
        assert [(b.mode, column(b.table, "Framework")) for b in found] == [
            ("backward", ["torch eager"]),
            ("train", ["tensorflow eager"]),
        ]

    def test_a_mean_is_geometric_and_over_common_sizes_only(self) -> None:
        torch = [*both(2.0, batch=1), *both(8.0, batch=8)]
        (block,) = blocks(torch)
        assert [(mean.ratio.value, mean.sizes) for mean in block.means] == [(pytest.approx(4), 2)]
        (block,) = blocks([*torch, *both(3.0, batch=1, framework="tensorflow")])
        assert [(mean.series, mean.ratio.value, mean.sizes) for mean in block.means] == [
            ("torch eager", pytest.approx(2), 1),
            ("tensorflow eager", pytest.approx(3), 1),
        ]

    def test_where_sizes_have_nothing_in_common_there_is_no_mean_but_a_sentence(self) -> None:
        (block,) = blocks([*both(batch=1), *both(batch=8, framework="tensorflow")])
        assert (block.means, block.chart) == ((), None)
        assert block.remarks == [
            "dense has no mean: there is no size at which all of its frameworks have both."
        ]
        assert column(block.every_size, "Size") == ["b1", "b8"]

    def test_what_failed_is_named_and_left_out_of_the_mean(self) -> None:
        failed = [row(mode="forward", batch=64), row(mode="backward", batch=64, status="oom")]
        (block,) = blocks([*both(2.0), *failed])
        assert [mean.sizes for mean in block.means] == [1]
        assert column(block.every_size, "Backward") == ["2.00 ms (1.82–2.20)", "oom"]
        assert column(block.every_size, "Backward / forward") == ["2.00× (1.75–2.29)", "–"]

    def test_two_versions_of_a_framework_are_not_held_against_each_other(self) -> None:
        members = [*both(batch=1), *both(batch=8)]
        members[-1]["framework_version"] = "2.14.0"
        (block,) = blocks(members)
        assert column(block.every_size, "Backward / forward")[1] == "versions differ"
        assert [mean.sizes for mean in block.means] == [1]

    def test_devices_dtypes_threads_and_machines_are_apart(self) -> None:
        others: list[dict[str, Any]] = [
            {}, {"device": "cuda"}, {"dtype": "bfloat16"}, {"threads": 2}, {"machine_id": "far"}
        ]  # fmt: skip
        found = blocks([member for changes in others for member in both(**changes)])
        assert sorted(block.place for block in found) == [
            "cpu, bfloat16, 1 thread (box)",
            "cpu, float32, 1 thread (box)",
            "cpu, float32, 1 thread (far)",
            "cpu, float32, 2 threads (box)",
            "cuda, float32, 1 thread (box)",
        ]

    def test_drawing_has_the_means_in_words(self) -> None:
        (block,) = blocks([*both(), *both(3.0, layer="lstm")])
        assert block.chart
        assert (
            'aria-label="Backward over forward, cpu, float32, 1 thread, by layer. dense, torch '
            'eager: 2.00×; lstm, torch eager: 3.00×."' in block.chart
        )
        assert "more than forward →" in block.chart

    def test_the_cheapest_way_back_is_drawn_first(self) -> None:
        (block,) = blocks([*both(3.0, layer="lstm"), *both()])
        assert block.chart
        assert block.chart.index(">dense</text>") < block.chart.index(">lstm</text>")

    def test_one_direction_is_nothing_to_compare(self) -> None:
        assert blocks([row(mode="forward"), row(mode="forward", batch=1)]) == []
        assert blocks([row(mode="backward"), row(mode="train")]) == []
        assert blocks([row(mode="forward"), row(mode="train", status="not_applicable")]) == []


def timed(value: float, half: float, first_call_s: float, **changes: Any) -> dict[str, Any]:
    """A row whose interval is that far to either side, in milliseconds."""
    limits = {"latency_low_s": (value - half) / 1e3, "latency_high_s": (value + half) / 1e3}
    return row(value / 1e3, first_call_s=first_call_s, **{**limits, **changes})


def pairs(members: list[dict[str, Any]]) -> list[Pair]:
    return compiling.pairs(reading.read(frame(members)))


def pair(eager: dict[str, Any], other: dict[str, Any]) -> Pair:
    (only,) = pairs([eager, other | {"execution": "compiled", "case_id": "other"}])
    return only


class TestCompiling:
    def test_break_even_is_the_longer_first_call_over_what_a_call_saves(self) -> None:
        found = pair(timed(10, 0.3, 0.01), timed(6, 0.4, 2.01))
        # 4 ms a call, ± the hypotenuse of 0.3 and 0.4; 2 s to make up for.
        assert found.extra_s == pytest.approx(2.0)
        assert found.saving_s
        assert found.saving_s.low == pytest.approx(3.5e-3)
        assert found.saving_s.high == pytest.approx(4.5e-3)
        table = compiling.table([found])
        assert column(table, "Pays after calls") == ["500 (444–571)"]
        assert column(table, "Extra first call") == ["2.00 s"]
        assert column(table, "Compiled / eager")[0].startswith("0.600× (0.5")

    @pytest.mark.parametrize(
        ("eager", "other", "outcome"),
        [
            (timed(6, 0.4, 0.01), timed(10, 0.3, 2.0), Outcome.NEVER),
            (timed(10, 1.0, 0.01), timed(9.5, 0.9, 2.0), Outcome.OPEN),
            (timed(10, 0.3, 2.0), timed(6, 0.4, 2.0), Outcome.AT_ONCE),
            (timed(10, 0.3, 0.01), timed(6, 0.4, NAN), Outcome.OPEN),
            (timed(10, 0.3, 0.01), row(status="oom"), Outcome.NOT_COMPARED),
        ],
        ids=["slower", "intervals overlap", "no longer first call", "unknown first call", "oom"],
    )
    def test_where_it_does_not_pay_the_table_says_why(
        self, eager: dict[str, Any], other: dict[str, Any], outcome: Outcome
    ) -> None:
        found = pair(eager, other)
        assert (found.outcome, found.calls) == (outcome, None)
        assert column(compiling.table([found]), "Pays after calls") == [str(outcome)]

    def test_a_failure_on_one_side_stays_in_the_table_with_its_status(self) -> None:
        table = compiling.table([pair(row(1e-3), row(status="timeout"))])
        assert (column(table, "Eager"), column(table, "Compiled")) == (
            ["1.00 ms (0.909–1.10)"],
            ["timeout"],
        )
        assert pairs([row(status="oom"), row(status="oom", execution="compiled")]) == []
        assert pairs([row(), row(status="unsupported", execution="compiled")]) == []

    def test_each_way_to_compile_has_its_line(self) -> None:
        members = [
            row(framework="tensorflow", execution=execution)
            for execution in ("compiled-xla", "compiled", "eager")
        ]
        names = [found.compiled.series for found in pairs(members)]
        assert names == ["tensorflow compiled", "tensorflow compiled-xla"]

    @pytest.mark.parametrize(
        "other",
        [
            {"framework": "tensorflow"},
            {"machine_id": "other"},
            {"device": "cuda"},
            {"dtype": "bfloat16"},
            {"threads": 2},
            {"params": {"units": 512}},
            {"mode": "train"},
            {"layer": "lstm"},
            {"batch": 1},
            {"seq": 16},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_only_the_execution_may_differ(self, other: dict[str, Any]) -> None:
        assert pairs([row(), row(execution="compiled", **other)]) == []

    def test_another_version_of_the_framework_is_named_and_not_compared(self) -> None:
        found = pair(row(), row(0.5e-3, framework_version="2.14.0"))
        table = compiling.table([found])
        assert column(table, "Compiled / eager") == ["versions differ"]
        assert column(table, "Pays after calls") == ["–"]

    def test_setting_has_a_column_where_it_varies(self) -> None:
        wide = {"params": {"units": 512}}
        members = [row(**c, execution=e) for c in ({}, wide) for e in ("eager", "compiled")]
        assert column(compiling.table(pairs(members)), "Setting") == ["units=256", "units=512"]
        assert "Setting" not in compiling.table(pairs(members[:2])).header

    def test_sentences_count_the_outcomes(self) -> None:
        cases = [
            (timed(10, 0.3, 0.01), timed(6, 0.4, 2.01)),
            (timed(10, 0.3, 0.01), timed(6, 0.4, 4.01)),
            (timed(6, 0.4, 0.01), timed(10, 0.3, 2.0)),
            (timed(10, 1.0, 0.01), timed(9.5, 0.9, 2.0)),
            (timed(10, 0.3, 0.01), row(status="oom")),
        ]
        found = [pair(eager, other) for eager, other in cases]
        assert list(compiling.sentences(found)) == [
            "A call of torch compiled takes less time than one of torch eager in 2 of 4 cases, "
            "more in 1; in 1 it cannot be told whether compiling pays. Where it pays, it has made "
            "up for its longer first call after 500 to 1,000 further calls, 750 in the median case."
        ]
        (text,) = compiling.sentences(found[:1])
        assert text.endswith(" in 1 of 1 case. Where it pays, it has made up for its longer first "
                             "call after 500 further calls.")  # fmt: skip
        assert list(compiling.sentences(found[2:3])) == [
            "A call of torch compiled takes less time than one of torch eager in none of 1 case, "
            "more in 1."
        ]
        assert list(compiling.sentences(found[-1:])) == []


class TestReport:
    @pytest.fixture(scope="class")
    def report(self) -> tuple[Page, str]:
        members = quick().to_dict("records")
        backward = [
            member | {"mode": "backward", "case_id": f"{member['case_id']}-back"}
            for member in members
            if member["mode"] == "forward"
        ]
        table = frame([*members, *backward])
        return Page(html.render(table, [run()])), markdown.render(table, [run()])

    def test_page_holds_all_three(self, report: tuple[Page, str]) -> None:
        page, _ = report
        assert page.open == []
        ids = Counter(page.attributes("id"))
        assert {"speedups", "directions", "compiling"} <= ids.keys()
        assert [name for name, number in ids.items() if number > 1] == []
        assert "forward: speedup of tensorflow compiled, torch eager = 1" in page.text
        assert any(d.startswith("Backward over forward, cpu") for d in page.drawings())
        assert "Pays after calls" in page.text
        assert "nan" not in page.text.lower()

    def test_markdown_holds_means_and_what_compiling_comes_to(
        self, report: tuple[Page, str]
    ) -> None:
        _, text = report
        for part in ("## Backward over forward, cpu, float32, 1 thread", "| Backward / forward |",
                     "## Eager against compiled", "A call of tensorflow compiled"):  # fmt: skip
            assert part in text
        assert len(text) < 65_536

    def test_throughput_is_drawn_beside_latency_and_memory(self, report: tuple[Page, str]) -> None:
        page, _ = report
        for start in ("Tokens/s, forward, against sequence length at batch size 32.",
                      "Items/s, train, against batch size. torch"):  # fmt: skip
            assert any(text.startswith(start) for text in page.drawings())

    @pytest.mark.parametrize(
        "members",
        [
            frame([]),
            pd.DataFrame(),
            frame([row()]),
            frame([row(seq=16), row(2e-3, seq=16, framework="tensorflow")]),
            frame([row(status="oom"), row(status="error", execution="compiled")]),
        ],
        ids=["columns", "nothing", "one row", "one size", "failures"],
    )
    def test_there_is_no_section_where_nothing_can_be_told(self, members: pd.DataFrame) -> None:
        assert not choose.section(reading.newest(members))
        page = Page(html.render(members, []))
        assert not {"speedups", "directions", "compiling"} & set(page.attributes("id"))
        assert "Eager against compiled" not in markdown.render(members, [])

    def test_long_tables_end_and_say_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(caps, "PAIRS", 2)
        monkeypatch.setattr(caps, "GRIDS", 1)
        modes = [*sizes(), *sizes(mode="backward"), *compiled()]
        wide = [m | {"params": {"units": 512}, "case_id": f"{m['case_id']}-wide"} for m in modes]
        found = choose.section(reading.read(frame([*modes, *wide])))
        assert (len(found.grids), found.more_grids) == (1, True)
        assert (len(found.compiling.rows), found.unlisted) == (2, 6)
        (block,) = found.directions
        assert (len(block.every_size.rows), block.unlisted) == (2, 6)
        page = Page(html.render(frame([*modes, *wide]), []))
        assert "Further layers and settings are not drawn" in page.text
        assert page.text.count("6 more pairs not listed") == 2

    def test_hostile_text_stays_text(self) -> None:
        names = {"layer": EVIL, "framework": EVIL, "device": EVIL, "machine_id": EVIL}
        members = [
            member
            for mode in ("forward", "backward")
            for execution in ("eager", "compiled")
            for member in sizes(mode=mode, execution=execution, **names)
        ]
        table = frame(members)
        text = html.render(table, [])
        page = Page(text)
        assert [tag for tag, _ in page.tags].count("script") == 1
        assert not any(page.attributes("onload"))
        assert f"forward: speedup of {EVIL} compiled, {EVIL} eager = 1" in page.text
        told = markdown.render(table, [])
        assert "<script>" not in told
        assert "\n# heading" not in told
        for part in told.split("\n\n"):
            if part.startswith("| "):
                assert len({len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines()}) == 1

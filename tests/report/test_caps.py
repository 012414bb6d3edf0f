"""A large frame is shown in part, in whole units, and the page says so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from frames import frame, row, run
from pages import Page

from harness import compare
from harness.report import caps, charts, html, layers, markdown, rows, series
from harness.report.panels import LATENCY


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "ROWS", 40)
    monkeypatch.setattr(caps, "LISTED", 3)


def large(layers: int = 3, **changes: Any) -> pd.DataFrame:
    """Units of 8 rows, 4 a layer."""
    return frame(
        row(
            1e-3 * batch,
            layer=f"layer{layer}",
            framework=framework,
            batch=batch,
            mode=mode,
            dtype=dtype,
            **changes,
        )
        for layer in range(layers)
        for mode in ("forward", "train")
        for dtype in ("float32", "bfloat16")
        for framework in ("torch", "tensorflow")
        for batch in (1, 2, 4, 8)
    )


def test_everything_is_shown_as_long_as_there_is_room() -> None:
    newest = rows.newest(large(1))
    assert caps.shown(newest) == newest
    assert caps.notes(large(1), newest, newest, [run()]) == []


def test_whole_units_are_shown_each_layer_first_once() -> None:
    newest = rows.newest(large())
    shown = caps.shown(newest)
    units = Counter((one.layer, one.mode, one.dtype) for one in shown)
    assert set(units.values()) == {8}
    assert Counter(layer for layer, _, _ in units) == {"layer0": 2, "layer1": 2, "layer2": 1}
    assert shown == [one for one in newest if one in shown], "their order is kept"


def test_a_unit_that_is_larger_than_the_room_is_cut() -> None:
    one_unit = rows.newest(frame(row(batch=batch) for batch in range(1, 60)))
    assert [one.batch for one in caps.shown(one_unit)] == list(range(1, 41))


def test_the_page_counts_all_draws_some_and_names_the_file_of_all() -> None:
    table = large()
    text = Page(html.render(table, [run()])).text
    assert "Of 96 cases, 96 gave a latency" in " ".join(text.split())
    told = "of 40 of 96 cases, from 3 layers and 1 machine; sentences, counts and means are of all."
    assert told in text
    assert "All 96 rows are in run-1.parquet beside this report" in text
    listed = {case for case in table["case_id"] if case in text}
    assert len(listed) == 40
    assert told in markdown.render(table, [run()])


def test_pairs_of_what_is_not_shown_are_left_out_of_the_table_only() -> None:
    pairs = compare.frameworks(large())
    shown = caps.shown(rows.newest(large()))
    assert len(pairs) == 48
    assert len(caps.pairs(pairs, shown)) == 20
    (mean,) = compare.records(compare.summary(pairs))
    assert mean["cases"] == 48


def test_latencies_are_drawn_before_all_else_and_what_is_left_out_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = rows.newest(large(layers=2)[lambda table: table["dtype"] == "float32"])
    whole = layers.drawings(newest)
    assert not any(one.left_out for one in whole)
    needed = sum(charts.weight(panel) for one in whole for panel in one.panels[LATENCY])
    monkeypatch.setattr(caps, "PAGE_BYTES", needed + caps.ROW_BYTES * len(newest))
    monkeypatch.setattr(caps, "DRAWN_BYTES", 0)
    assert [list(one.panels) for one in layers.drawings(newest)] == [[LATENCY], [LATENCY]]
    for _, (group,) in layers.groups(newest, series.looks(newest)):
        assert {figure.title.partition(",")[0] for figure in group.charts} == {"Latency"}
        (remark,) = group.remarks
        assert remark.startswith("Items/s and Peak memory: not drawn, as drawings of all would")


def test_the_weight_of_a_drawing_is_about_what_it_takes() -> None:
    for made in layers.drawings(rows.newest(large(layers=1))):
        for chosen in made.panels.values():
            looks = series.looks(made.members)
            drawn = charts.panel(chosen[0], charts.shared_scale(chosen), looks, "layer0-0-0")
            assert 0.5 < charts.weight(chosen[0]) / len(drawn.encode()) < 2


def test_of_a_long_list_the_first_of_each_layer_come_first() -> None:
    assert caps.spread(["a", "a", "a", "b", "c", "b"], 4) == [0, 1, 3, 4]
    assert caps.spread(["a", "b"], 4) == [0, 1]


def test_machines_are_compared_by_what_most_of_them_have_each_layer_alike() -> None:
    alone = large(layers=2, machine_id="a")
    shared = pd.concat([large(layers=3, machine_id=name) for name in ("b", "c")])
    alone["case_id"] = "alone/" + alone["case_id"]
    table = pd.concat([alone, shared], ignore_index=True)
    found = caps.shared(table, table["case_id"], ["machine_id"])
    assert found["case_id"].nunique() == caps.ROWS
    assert set(found["machine_id"]) == {"b", "c"}
    layers = found.drop_duplicates("case_id")["layer"].value_counts()
    assert layers.max() - layers.min() <= 1
    assert set(layers.index) == {"layer0", "layer1", "layer2"}


def test_few_cases_are_all_compared() -> None:
    few = large(layers=1)
    assert caps.shared(few, few["case_id"], ["machine_id"]) is few


def test_failures_are_counted_all_and_listed_first() -> None:
    table = frame(row(batch=2**index, status="oom", reason=f"why {index}") for index in range(5))
    text = " ".join(Page(html.render(table, [run()])).text.split())
    assert "5 failed (5 oom)" in text
    assert "Of 5 failures the first 3 are listed; the counts are of all." in text
    assert len(caps.failures(rows.newest(table))) == 3


def test_older_runs_are_left_out_before_anything_else() -> None:
    table = pd.concat(
        [large(1, run_id="old", started_at="2026-01-01"), large(1)], ignore_index=True
    )
    newest = rows.newest(table)
    assert caps.every(table, caps.shown(newest)) == newest
    (note,) = caps.notes(table, newest, caps.shown(newest), [run()])
    assert note.startswith("The table of all rows leaves those of earlier runs out. All 64 rows")

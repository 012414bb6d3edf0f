"""Tables for a notebook: figures that stay figures, and look as in the report."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import outcomes
import pandas as pd
import pytest
from colours import contrast, mix
from frames import NAN, frame, quick, row
from pages import Page

import harness
from harness.types import UsageError

HOSTILE = [text for text in outcomes.HOSTILE if "\ud800" not in text]
"""No frame can hold a lone surrogate."""
RATIO = "Time ratio (95 % interval)"
EACH: dict[str, Callable[[pd.DataFrame], Any]] = {
    name: getattr(harness.tables, name) for name in harness.tables.__all__
}


def cells(styler: Any) -> list[str]:
    """What a reader sees of each cell, row by row."""
    text = styler.to_html()
    _, _, body = text.partition("<tbody>")
    return [part.partition(">")[2].partition("</td>")[0] for part in body.split("<td")[1:]]


def test_figures_are_numbers_and_are_shown_with_unit_and_interval() -> None:
    styler = harness.tables.latency(frame([row(2e-3), row(3e-3, framework="tensorflow")]))
    assert styler.data["torch eager"].to_list() == [2e-3]
    assert "<caption>Median of a call, its interval in brackets." in styler.to_html()
    assert str(styler.data["torch eager"].dtype) == "float64"
    assert cells(styler)[-2:] == ["2.00 ms (1.82–2.20)", "3.00 ms (2.73–3.30)"]


def test_what_failed_has_no_figure_and_shows_its_status() -> None:
    styler = harness.tables.latency(frame([row(batch=1), row(batch=2, status="oom")]))
    assert math.isnan(styler.data["torch eager"][1])
    assert cells(styler)[-1] == "oom"


def test_equal_figures_that_are_told_differently_each_keep_their_own_text() -> None:
    members = [row(1e-3, batch=1), row(1e-3, batch=2, converged=False), row(1e-3, batch=4)]
    styler = harness.tables.latency(frame(members))
    shown = cells(styler)[3::4]
    assert shown == ["1.00 ms (0.909–1.10)", "1.00 ms† (0.909–1.10)", "1.00 ms (0.909–1.10)"]
    assert set(styler.data["torch eager"]) == {1e-3}


def test_memory_too_small_to_read_is_no_figure_and_shows_its_bound() -> None:
    small = row(batch=2, peak_memory_bytes=NAN, memory_method="VmHWM, below 256 KiB")
    styler = harness.tables.cases(frame([row(batch=1), small]))
    read, unread = styler.data["Peak memory"]
    assert read == 2**20
    assert math.isnan(unread)
    assert "&lt;256 KiB" in cells(styler)


def test_ratios_can_be_reckoned_with() -> None:
    data = harness.tables.frameworks(quick()).data
    assert data.query("Layer == 'lstm'")[RATIO].gt(1).all()
    assert (data[RATIO].dtype, data["Cases"].dtype) == ("float64", "int64")
    assert set(data["Against"]) == {"torch eager"}


def test_failures_are_listed_with_their_reasons() -> None:
    data = harness.tables.failures(quick()).data
    assert list(data.columns) == ["Case", "Status", "Reason"]
    assert len(data) == quick()["status"].isin(["oom", "timeout", "mismatch"]).sum()


def test_nothing_that_failed_is_an_empty_table_with_its_head() -> None:
    styler = harness.tables.failures(frame([row()]))
    assert styler.data.empty
    assert "Reason" in styler.to_html()


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("#000000", "#ffffff"),
        ("#212121", "#ffffff"),
        ("#ffffff", "#111111"),
        ("#d4d4d4", "#1e1e1e"),
    ],
    ids=["white", "JupyterLab, light", "JupyterLab, dark", "VS Code, dark"],
)
def test_what_is_good_bad_or_muted_can_be_read_in_a_light_and_in_a_dark_notebook(
    ink: str, paper: str
) -> None:
    looks = harness.tables._LOOKS
    for tone in ("good", "bad"):
        found = re.match(
            r"color: color-mix\(in srgb, (#\w{6}) (\d+)%, currentcolor\);", looks[tone]
        )
        assert found
        assert contrast(mix(found[1], ink, int(found[2]) / 100), paper) >= 4.5, tone
    found = re.fullmatch(r"opacity: ([\d.]+);", looks["muted"])
    assert found
    assert contrast(mix(ink, paper, float(found[1])), paper) >= 4.5


def test_a_tone_reaches_its_cell() -> None:
    assert (
        "color-mix(in srgb, #d0432f 70%, currentcolor)"
        in harness.tables.failures(quick()).to_html()
    )


def test_every_case_has_its_warnings_and_memory() -> None:
    data = harness.tables.cases(quick()).data
    assert len(data) == len(quick())
    assert data["Peak memory"].dtype == "float64"
    assert len(harness.tables.warnings(quick()).data) == 1


@pytest.mark.parametrize("name", EACH)
def test_an_empty_frame_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="holds no rows"):
        EACH[name](frame([]))


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_no_markup(name: str, text: str) -> None:
    evil = f'{text}<img src=x onerror=alert(1)>"'
    table = frame(
        row(layer=evil, framework=framework, reason=evil, warnings=[evil], status=status)
        for framework in ("torch", evil)
        for status in ("ok", "oom")
    )
    styler = EACH[name](table)
    page = Page(styler.to_html())
    assert page.open == []
    assert not any(tag in ("img", "script", "details") for tag, _ in page.tags)
    assert "\x1b" not in page.text

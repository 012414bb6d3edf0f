"""Markdown whose tables hold together whatever the text."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from frames import frame, quick, row, run
from hypothesis import given
from hypothesis import strategies as st
from pages import Page

from harness.report import html, legend, markdown, rows, summary, verdict
from harness.report.table import Table

UNESCAPED_BAR = re.compile(r"(?<!\\)\|")


def tables(text: str) -> list[list[str]]:
    """The tables of a document, each as its lines."""
    blocks = (block.splitlines() for block in text.split("\n\n"))
    return [lines for lines in blocks if lines and lines[0].startswith("| ")]


def columns(line: str) -> int:
    return len(UNESCAPED_BAR.findall(line)) - 1


@pytest.fixture(scope="module")
def report() -> str:
    return markdown.render(quick(), [run()])


def test_every_line_of_a_table_has_as_many_cells_as_its_heading(report: str) -> None:
    found = tables(report)
    assert len(found) > 10
    for table in found:
        assert {columns(line) for line in table} == {columns(table[0])}


def test_holds_verdict_ratios_failures_and_command(report: str) -> None:
    assert report.startswith("# 9 layers in torch and tensorflow on AMD EPYC 7B13\n")
    for text in ("- Trust: converged ", "| Layer | Mode | Framework | Against |", "killed at the",
                 "    layerbench run quick --seed 7"):  # fmt: skip
        assert text in report


def test_the_verdict_is_that_of_the_page(report: str) -> None:
    page = " ".join(Page(html.render(quick(), [run()])).text.split())
    bullets = report.split("\n\n")[1].splitlines()
    newest = rows.newest(quick())
    told = [*verdict.sentences(newest), summary.measured(newest, [run()])]
    assert bullets == [
        f"- {markdown.escape(text)}" for text in [*told, f"Trust: {verdict.trust(newest)}."]
    ]
    assert all(text in page for text in [*told, verdict.trust(newest)])


def test_fits_into_a_comment_on_a_pull_request(report: str) -> None:
    assert len(report) < 65_536


def test_what_to_type_stays_code_and_the_rest_of_the_sentence_text() -> None:
    assert markdown.prose("a_b `c_d --e` <f> `") == "a\\_b `c_d --e` &lt;f&gt; \\`"


def test_hostile_text_stays_text() -> None:
    evil = "<script>alert(1)</script>|`code`\n# heading @everyone $x^2$"
    table = frame([row(layer=evil, reason=evil, status="error", warnings=[evil]), row()])
    text = markdown.render(table, [run(command=evil, sweep=evil)])
    outside_code = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert "<script>" not in outside_code
    assert "@everyone" not in text
    assert "\n# heading" not in text
    for lines in tables(text):
        assert {columns(line) for line in lines} == {columns(lines[0])}


def test_marks_memory_and_intervals_are_explained() -> None:
    members = [row(1e-3, converged=False), row(2e-3, framework="tensorflow", warmed=False)]
    text = markdown.render(frame(members), [])
    assert "| 1.00 ms† (" in text
    assert "| 2.00 ms‡ (" in text
    assert all(text.count(mark) == 1 for mark in ("† not converged:", "‡ not warm:"))
    assert legend.RATIO in text


def test_signs_that_no_file_can_hold_become_a_mark() -> None:
    text = markdown.render(frame([row(layer="\x1b", warnings=["\ud800\x00"])]), [])
    assert "\x1b" not in text
    assert "\x00" not in text
    text.encode()


@given(st.text())
def test_any_text_stays_in_its_cell(text: str) -> None:
    lines = markdown.table(Table.of(("a", "b"), [(text, "end")])).splitlines()
    assert len(lines) == 3
    # A backslash before the bar is itself escaped, so pairs of them go first.
    assert columns(lines[2].replace("\\\\", "")) == 2


@pytest.mark.parametrize("empty", [frame([]), pd.DataFrame()], ids=["columns", "nothing"])
def test_no_rows(empty: pd.DataFrame) -> None:
    text = markdown.render(empty, [])
    assert "There are no results" in text
    assert "Nothing was measured." in text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://a.example www.a.example", "https\u200b://a.example www\u200b.a.example"),
        ("#12 and a/b#3, GH-4", "\\#\u200b12 and a/b\\#\u200b3, GH\u200b-4"),
        ("- a", "\\- a"),
        ("12. a", "12\\. a"),
        ("-5 % of 1.5", "-5 % of 1.5"),
    ],
)
def test_text_neither_links_nor_starts_a_list(text: str, written: str) -> None:
    assert markdown.escape(text) == written

"""The shell of the report: pages, controls, headings, tables, and what works without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from attention_frames import attention_frame
from colours import contrast, mix
from frames import frame, quick, row, run, samples
from histories import noise, stored
from pages import VOID, Page

from harness import compare
from harness.report import caps, html, rows
from harness.report.canvas import HUES, VARIABLES

STEP = np.where(np.arange(20) >= 10, 0.15, 0.0)


@pytest.fixture(scope="module")
def report() -> str:
    return html.render(quick(), [run()], samples=samples(quick()))


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    return Page(report)


class Outline(HTMLParser):
    """Which page of the report each id, heading and table is in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.pages: list[str] = []
        self.where: dict[str, str] = {}
        self.headings: list[tuple[int, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "section" and "page" in (found.get("class") or "").split():
            self.pages.append(found.get("id") or "")
        if tag not in VOID:
            self.open.append((tag, found.get("id") or ""))
        inside = next((own for name, own in self.open if name == "section"), "")
        if found.get("id"):
            self.where[found["id"] or ""] = inside
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), inside))

    def handle_endtag(self, tag: str) -> None:
        while self.open.pop()[0] != tag:
            pass  # of cells and rows, whose end tags may be left out


class TestPages:
    def test_there_are_eight_in_order(self, report: str) -> None:
        pages = (
            "verdict",
            "layer",
            "framework",
            "machine",
            "guard",
            "cases",
            "catalogue",
            "method",
        )
        assert Outline(report).pages == list(pages)

    def test_navigation_leads_to_each(self, report: str) -> None:
        bar = report.partition('<nav id="pages"')[2].partition("</nav>")[0]
        assert re.findall(r'href="#(\w+)"', bar) == Outline(report).pages

    def test_what_was_there_is_where_it_belongs(self, report: str) -> None:
        where = Outline(report).where
        expected = {
            "layer-1": "layer", "means": "framework", "ratios": "framework", "pairs": "framework",
            "failures": "cases", "all-cases": "cases", "case-1": "cases", "reading": "method",
            "data": "method", "download-csv": "method", "download-parquet": "method",
            "reproduce": "method",
        }  # fmt: skip
        assert {name: where[name] for name in expected} == expected

    def test_attention_and_history_are_in_their_pages(self) -> None:
        assert Outline(html.render(attention_frame(), [])).where["attention"] == "layer"
        with_history = html.render(*stored([noise(20) + STEP]))
        assert Outline(with_history).where["history"] == "guard"

    def test_verdict_has_three_sentences(self, report: str) -> None:
        verdict = report.partition('<div class="verdict">')[2].partition("</div>")[0]
        assert verdict.count("<p>") == 3

    def test_guard_without_a_history_says_how_to_get_one(self, page: Page) -> None:
        assert "layerbench regress --base main" in page.text


class TestHeadings:
    @pytest.mark.parametrize(
        "text",
        [
            lambda: html.render(quick(), [run()], samples=samples(quick())),
            lambda: html.render(attention_frame(), [run()]),
            lambda: html.render(*stored([noise(20) + STEP, noise(20, seed=1)])),
            lambda: html.render(frame([]), []),
        ],
        ids=["quick", "attention", "history", "nothing"],
    )
    def test_no_level_is_left_out(self, text: object) -> None:
        assert callable(text)
        levels = [level for level, _ in Outline(text()).headings]
        assert levels[:2] == [1, 2]
        assert levels.count(1) == 1
        assert levels.count(2) == len(html.PAGES)
        assert all(after <= before + 1 for before, after in pairwise(levels))


class TestControls:
    def test_they_are_hidden_until_the_script_runs(self, page: Page) -> None:
        (form,) = (attributes for tag, attributes in page.tags if tag == "form")
        assert "hidden" in form
        controls = [a for tag, a in page.tags if tag in ("button", "select", "input")]
        assert controls
        outside = html.render(quick(), [run()]).replace("\n", " ")
        outside = re.sub(r"<form.*?</form>", "", outside)
        assert not re.search(r"<(button|select|input)\b", outside)

    def test_a_facet_with_several_values_can_be_chosen(self, page: Page) -> None:
        names = {a.get("name") for tag, a in page.tags if tag == "select"}
        assert names == {"layer", "framework", "mode", "theme"}
        assert "q" in set(page.attributes("name"))

    def test_rows_and_groups_carry_what_they_are_of(self, report: str) -> None:
        first = report.partition('<table id="all-cases"')[2].partition("<tbody>")[2]
        assert '<tr data-layer="dense" data-framework="torch" data-mode="forward">' in first
        group = re.search(r'<div class="group"([^>]*)>', report)
        assert group is not None
        assert 'data-framework="torch\ntensorflow"' in group[1]
        assert "data-device" not in group[1], "there is one only"
        modes = re.findall(r'<figure data-mode="(\w+)"><figcaption><b>Latency, (\w+)</b>', report)
        assert set(modes) == {("forward", "forward"), ("train", "train")}

    def test_every_label_has_a_control_and_every_control_a_name(self, report: str) -> None:
        form = report.partition("<form")[2].partition("</form>")[0]
        labels = re.findall(r"<label.*?</label>", form, re.DOTALL)
        assert all(len(re.findall(r"<(?:select|input)\b", label)) == 1 for label in labels)
        named = len(re.findall(r"<(?:select|input)\b", "".join(labels)))
        assert named + form.count("aria-label=") == len(re.findall(r"<(?:select|input)\b", form))

    def test_hostile_names_are_options_and_values_alike(self) -> None:
        evil = '"><script>alert(1)</script>\n x'
        text = html.render(frame([row(layer=evil), row()]), [])
        page = Page(text)
        assert [tag for tag, _ in page.tags].count("script") == 1
        assert '"><script>alert(1)</script> x' in set(page.attributes("data-layer"))
        assert '"><script>alert(1)</script> x' in page.text


class TestTables:
    def test_each_has_a_name_and_headings_of_columns_and_rows(self, page: Page) -> None:
        tables = [attributes for tag, attributes in page.tags if tag == "table"]
        assert tables
        assert all(attributes.get("aria-label") for attributes in tables)
        scopes = {a.get("scope") for tag, a in page.tags if tag == "th"}
        assert scopes == {"col", "row"}

    def test_those_that_can_be_sorted_have_an_id(self, page: Page) -> None:
        found = {
            attributes.get("id")
            for tag, attributes in page.tags
            if tag == "table" and "sortable" in (attributes.get("class") or "")
        }
        assert None not in found
        assert {"means", "ratios", "pairs", "all-cases"} <= found

    def test_pairs_that_are_left_out_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(caps, "ROWS", 60)
        table = quick()
        every = compare.frameworks(table)
        listed = caps.pairs(every, caps.shown(rows.newest(table)))
        page = Page(html.render(table, [run()]))
        assert page.open == []
        assert 0 < len(listed) < len(every)
        assert f"{len(every) - len(listed)} more rows would make this page too large" in page.text


class TestFigures:
    def test_marks_tell_their_values_on_hovering(self, report: str) -> None:
        assert re.search(
            r"<title>torch eager, batch size 32: \S+ [mµ]s \(\S+–\S+\)</title>", report
        )
        assert re.search(
            r"<title>lstm, tensorflow eager: \S+× \(\S+\) over 4 cases</title>", report
        )
        assert "<title>all layers, tensorflow compiled: " in report

    def test_forests_have_the_fastest_layer_first(self, page: Page) -> None:
        members = [
            row(time, layer=layer, framework=framework)
            for layer, other in (("gru", 4e-3), ("lstm", 2e-3), ("dense", 8e-3))
            for framework, time in (("torch", 1e-3), ("jax", other))
        ]
        text = html.render(frame(members), [])
        drawing = text.partition('class="forests"')[2].partition("</svg>")[0]
        names = [name for name in re.findall(r">([\w ]+)</text>", drawing) if name.isascii()]
        assert names == ["lstm", "gru", "dense", "all layers"]
        told = re.findall(r">([\d.]+× \([\d.]+–[\d.]+\))</text>", drawing)
        assert told[0] == "2.00× (1.75–2.29)"
        assert len(told) == len(names)

    def test_no_figure_has_an_exponent_of_two_digits(self, page: Page) -> None:
        assert not re.search(r"\de[-+]0\d", page.text)


class TestColours:
    def style(self, report: str) -> dict[str, tuple[str, str]]:
        pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", report)
        return {name: (light, dark) for name, light, dark in pairs}

    def test_text_and_hues_have_enough_contrast_in_both_themes(self, report: str) -> None:
        found = self.style(report)
        papers = found["paper"]
        texts = ["ink", "muted", "link", "good", "bad", *(f"hue-{n}" for n in range(len(HUES)))]
        for theme in (0, 1):
            for name in texts:
                assert contrast(found[name][theme], papers[theme]) >= 4.5, (name, theme)
            for name in ("ink", "muted", "bad"):
                assert contrast(found[name][theme], found["raised"][theme]) >= 4.5, (name, theme)
            assert contrast(found["edge"][theme], papers[theme]) >= 3

    def test_drawings_and_pages_agree_on_the_light_colours(self, report: str) -> None:
        found = self.style(report)
        for colour, variable in VARIABLES.items():
            name = variable.removeprefix("--")
            assert name in found
            if name.startswith("hue"):
                assert found[name][0] == colour

    def test_strongest_tints_leave_their_text_readable(self, report: str) -> None:
        found = self.style(report)
        for theme in (0, 1):
            for tint in ("faster", "slower"):
                mixed = mix(found[tint][theme], found["paper"][theme], 0.62)
                assert contrast(found["ink"][theme], mixed) >= 4.5, (tint, theme)

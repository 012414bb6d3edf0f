"""The report in a real browser: what a reader can do with it, and what it must never do."""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import outcomes
import pandas as pd
import pytest
from attention_frames import FEW, attention_frame
from frames import frame, machine, quick, row, run, samples
from histories import noise, stored

from harness import store
from harness.ledger import Entry, State
from harness.report import caps, html

Open = Callable[..., Any]
PAGES = ("verdict", "layer", "framework", "machine", "guard", "cases", "catalogue", "method")
TABLES = """
    () => [...document.querySelectorAll("main table")]
        .filter(table => !table.closest("details.case"))
        .map(table => [table.closest("section.page").id,
            [...table.querySelectorAll("th, td")].map(cell => cell.textContent)])
"""
"""Those that are behind no click on a single case, and what stands in each of their cells."""
COLOURS = """
    () => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]
"""
VISIBLE_ROWS = """
    () => [...document.querySelectorAll("#all-cases tbody tr")]
        .filter(row => !row.hidden).map(row => row.cells[0].textContent.trim())
"""
FIGURES = """
    column => [...document.querySelectorAll("#all-cases tbody tr")]
        .filter(row => !row.hidden)
        .map(row => parseFloat(row.cells[column].dataset.n || row.cells[column].textContent))
        .filter(figure => !Number.isNaN(figure))
"""
OPEN_PAGES = """
    () => [...document.querySelectorAll("section.page")]
        .filter(page => !page.hasAttribute("hidden")).map(page => page.id)
"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOW_ALL = """
    () => {
        for (const one of document.querySelectorAll("section.page")) one.removeAttribute("hidden");
        for (const one of document.querySelectorAll("details")) one.open = true;
    }
"""
HANDLERS = """
    () => [...document.querySelectorAll("main *")]
        .filter(one => [...one.attributes].some(found => found.name.startsWith("on"))).length
"""
AXE = """
    async () => (await axe.run(document, {runOnly: {type: "tag", values: ["wcag2a", "wcag2aa"]}}))
        .violations.map(found => `${found.id}: ${found.nodes.length} times, such as `
            + found.nodes[0].html.slice(0, 200) + " " + found.nodes[0].failureSummary)
"""
LONG = "x" * 5_000
HOSTILE = (
    "<script>document.title = 'owned'; alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" \'`',
    "| a | b |",
    "line one\nline two\r\n# heading",
    "javascript:alert(1)//&lt;&amp;",
    "\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627 abc",
    "\u202egnp.exe",
    "#at=method&layer=lstm%00",
    LONG,
)
"""What a layer, a parameter or a machine may be called in results that come from a stranger."""


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 168 rows: failures of several kinds, warnings, samples, and two frameworks."""
    table = quick()
    text = html.render(table, [run()], samples=samples(table), outcomes=[outcomes.full()])
    return written(tmp_path_factory.mktemp("report") / "report.html", text)


@pytest.fixture(scope="session")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few rows, and something in every section: attention, a history, what gates found."""
    table, runs = stored([noise(12) + np.where(np.arange(12) >= 6, 0.3, 0.0), noise(12, seed=1)])
    some = quick()
    some = some[some["layer"].isin(["lstm", "dropout", "gru"]) & (some["batch"] == 32)]
    attention = attention_frame(laws=FEW, lengths=(128, 256), modes=("forward",))
    table = pd.concat([table, some, attention], ignore_index=True)
    taken = samples(some)
    linear = Entry("torch.nn.Linear", "linear", State.TIMED, ("dense",))
    text = html.render(
        table,
        [*runs, run()],
        samples=taken,
        outcomes=[outcomes.full()],
        ledger={linear.name: linear},
    )
    return written(tmp_path_factory.mktemp("every_kind") / "report.html", text)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every name and text that can be is hostile."""
    rows = [
        row(
            layer=evil,
            family=evil,
            framework=framework,
            batch=batch,
            status=status,
            reason=evil,
            warnings=[evil],
            execution_path=evil,
            params={"units": 256},
            machine_id=HOSTILE[0],
            run_id=HOSTILE[1],
        )
        for evil in HOSTILE
        for framework in ("torch", HOSTILE[2])
        for batch, status in ((1, "ok"), (2, "ok"), (4, "oom"))
    ]
    here = machine(machine_id=HOSTILE[0], os=LONG, versions={HOSTILE[1]: HOSTILE[0]})
    here["cpu"]["model"] = HOSTILE[0]
    text = html.render(
        frame(rows),
        [run(machine=here, run_id=HOSTILE[1], command=HOSTILE[0])],
        outcomes=[outcomes.hostile(evil) for evil in (*HOSTILE, *outcomes.HOSTILE)],
    )
    return written(tmp_path_factory.mktemp("hostile") / "report.html", text)


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def visible(page: Any) -> list[str]:
    """The cases that the table of all of them shows, in its order."""
    return list(page.evaluate(VISIBLE_ROWS))


def heading(page: Any, text: str) -> tuple[Any, int]:
    """A heading of the table of all cases, and its place."""
    names = page.locator("#all-cases thead th").all_inner_texts()
    place = next(index for index, name in enumerate(names) if name.startswith(text))
    return page.locator("#all-cases thead th").nth(place), place


def printed(page: Any, file: Path) -> str:
    """The text of the page on paper, without spaces: lines break elsewhere there."""
    pypdf = pytest.importorskip(
        "pypdf", reason="pypdf is missing: pip install 'layerbench[browser]'"
    )
    page.pdf(path=file, format="A4", prefer_css_page_size=True)
    return squeezed("".join(sheet.extract_text() for sheet in pypdf.PdfReader(file).pages))


def squeezed(text: str) -> str:
    """Without spaces, hints where to break a line, and letters that are drawn as one."""
    return re.sub(r"[\s\u200b\u00ad]", "", unicodedata.normalize("NFKC", text))


def open_pages(page: Any) -> list[str]:
    return list(page.evaluate(OPEN_PAGES))


class TestReading:
    def test_one_page_is_open_and_the_contents_lead_to_each(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report).page
        assert open_pages(page) == ["verdict"]
        for name in PAGES:
            page.click(f"nav#pages a[href='#{name}']")
            assert open_pages(page) == [name]
            assert page.locator("nav#pages a[aria-current=page]").count() == 1
            assert page.locator(f"#{name} h2").is_visible()
        page.go_back()
        assert open_pages(page) == [PAGES[-2]]

    def test_a_heading_sorts_by_its_figures_either_way(self, visit: Open, report: Path) -> None:
        page = visit(report, "#cases").page
        cell, place = heading(page, "Median")
        cell.locator("button").click()
        assert cell.get_attribute("aria-sort") == "ascending"
        rising = page.evaluate(FIGURES, place)
        assert len(rising) > 100
        assert rising == sorted(rising)
        cell.locator("button").click()
        assert cell.get_attribute("aria-sort") == "descending"
        assert page.evaluate(FIGURES, place) == rising[::-1]

    def test_filters_narrow_and_together_narrow_more(self, visit: Open, report: Path) -> None:
        page = visit(report, "#cases").page
        everything = visible(page)
        page.select_option("#controls select[name=layer]", "lstm")
        lstm = visible(page)
        assert lstm == [case for case in everything if case.startswith("lstm/")]
        page.select_option("#controls select[name=framework]", "torch")
        both = visible(page)
        assert both == [case for case in lstm if "/torch/" in case]
        assert 0 < len(both) < len(lstm) < len(everything)
        shown = page.locator("output#shown").inner_text()
        assert shown == f"{len(both)} of {len(everything)} rows; drawings and means are of all"
        page.click("#clear")
        shown = page.locator("output#shown").inner_text()
        assert shown == f"{len(everything)} of {len(everything)} rows"
        assert visible(page) == everything

    def test_a_column_of_counts_sorts_by_what_its_cells_say(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#cases").page
        cell, place = heading(page, "Operators")
        cell.locator("button").click()
        assert page.evaluate(FIGURES, place) == [12] * int(quick()["operators"].notna().sum())

    def test_search_takes_every_word(self, visit: Open, report: Path) -> None:
        page = visit(report, "#cases").page
        everything = visible(page)
        page.fill("#controls input[name=q]", "GRU train")
        page.wait_for_function(f"() => ({VISIBLE_ROWS})().length < {len(everything)}")
        found = visible(page)
        assert found
        assert all("gru" in case and "train" in case for case in found)
        page.fill("#controls input[name=q]", "nothing is called this")
        page.wait_for_function(f"() => ({VISIBLE_ROWS})().length === 0")

    def test_a_case_leads_to_all_that_is_known_of_it(self, visit: Open, report: Path) -> None:
        page = visit(report, "#cases").page
        link = page.locator("#all-cases tbody tr:not([hidden]) th a").first
        target = str(link.get_attribute("href"))
        link.click()
        page.wait_for_function(f"() => document.querySelector('{target}').closest('details').open")
        assert page.locator(target).is_visible()

    def test_a_case_shows_its_samples_beside_its_figures(self, visit: Open, report: Path) -> None:
        for javascript in (True, False):
            page = visit(report, javascript=javascript).page
            if javascript:
                page.evaluate(SHOW_ALL)
            drawn = page.locator("#cases .strip")
            assert drawn.count() == int(quick()["latency_s"].notna().sum()) - caps.SAMPLES
            card = page.locator("#cases details", has=page.locator(".strip")).first
            if not javascript:
                card.locator("summary").click()
            strip = card.locator(".strip")
            box = strip.bounding_box()
            assert box["width"] > 200
            assert all(text.endswith("s") for text in strip.locator("text").all_text_contents())
            for kind in ("line", "level", "bars"):
                mark = strip.locator(f".{kind}").bounding_box()
                assert box["x"] - 1 <= mark["x"]
                assert mark["x"] + mark["width"] <= box["x"] + box["width"] + 1
                assert box["y"] - 1 <= mark["y"]
                assert mark["y"] + mark["height"] <= box["y"] + box["height"] + 1

    def test_the_data_are_saved_with_every_digit(
        self, visit: Open, report: Path, tmp_path: Path
    ) -> None:
        told = store.to_csv(quick()).encode()
        for javascript, name in ((True, "layerbench.csv"), (False, "layerbench.csv.gz")):
            page = visit(report, "#method", javascript=javascript).page
            for _ in range(2):  # a second click saves it, too
                with page.expect_download() as saving:
                    page.click("#download-csv")
                assert saving.value.suggested_filename == name
                saving.value.save_as(tmp_path / name)
                content = (tmp_path / name).read_bytes()
                assert (content if javascript else gzip.decompress(content)) == told

    def test_colours_follow_the_reader_and_then_their_choice(
        self, visit: Open, report: Path
    ) -> None:
        def paper(page: Any) -> str:
            return str(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))

        light, dark = (visit(report, scheme=scheme).page for scheme in ("light", "dark"))
        assert paper(light) != paper(dark)
        dark_paper = paper(dark)
        light.select_option("#theme", "dark")
        assert light.locator("html").get_attribute("data-theme") == "dark"
        assert paper(light) == dark_paper
        light.select_option("#theme", "")
        assert light.locator("html").get_attribute("data-theme") is None
        assert paper(light) != dark_paper

    def test_the_keyboard_reaches_the_text_first(self, visit: Open, report: Path) -> None:
        page = visit(report).page
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.activeElement.closest('main')")


class TestPrint:
    def test_on_paper_stand_all_pages_with_all_of_their_tables(
        self, visit: Open, every_kind: Path, tmp_path: Path
    ) -> None:
        page = visit(every_kind, "#cases").page
        told = page.evaluate(TABLES)
        assert {name for name, _ in told} >= {*PAGES} - {"verdict"}
        paper = printed(page, tmp_path / "report.pdf")
        for name in PAGES:
            assert squeezed(page.locator(f"#{name} h2").text_content()) in paper, name
        missing = [
            (name, cell) for name, cells in told for cell in cells if squeezed(cell) not in paper
        ]
        assert missing == []

    def test_what_is_dark_on_the_screen_is_dark_on_white_on_paper(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#theme=dark", scheme="dark").page
        dark = page.evaluate(COLOURS)
        page.emulate_media(media="print")
        assert page.evaluate(COLOURS) != dark
        assert page.evaluate(COLOURS) == visit(report, scheme="light").page.evaluate(COLOURS)

    def test_a_long_table_has_its_head_on_every_sheet(
        self, visit: Open, report: Path, tmp_path: Path
    ) -> None:
        pypdf = pytest.importorskip("pypdf", reason="pip install 'layerbench[browser]'")
        page = visit(report, "#cases").page
        printed(page, tmp_path / "report.pdf")
        sheets = [
            squeezed(one.extract_text()) for one in pypdf.PdfReader(tmp_path / "report.pdf").pages
        ]
        cases = [squeezed(case) for case in visible(page)]
        of_table = [sheet for sheet in sheets if sum(f"{case}ok" in sheet for case in cases) > 3]
        assert len(of_table) > 2
        assert all("Median(95%interval)" in sheet for sheet in of_table)


class TestLargeReport:
    def test_a_click_saves_the_file_that_lies_beside_it(
        self, visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caps, "ROWS", 10)
        name, content = caps.data_file(quick(), [run()]), store.to_parquet(quick())
        (tmp_path / name).write_bytes(content)
        report = written(tmp_path / "a report.html", html.render(quick(), [run()]))
        visited = visit(report, "#at=data")
        visited.check()
        with visited.page.expect_download() as started:
            visited.page.click("#download-parquet")
        assert started.value.suggested_filename == name
        assert Path(started.value.path()).read_bytes() == content
        asked = {visited.address, (tmp_path / name).as_uri()}
        assert {request.partition("#")[0] for request in visited.requests} <= asked
        visited.requests.remove((tmp_path / name).as_uri())  # that the reader asked for


class TestPermalink:
    def test_what_is_seen_is_seen_again_by_whoever_opens_the_link(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#cases").page
        page.select_option("#controls select[name=mode]", "train")
        page.fill("#controls input[name=q]", "lstm")
        page.wait_for_function("() => location.hash.includes('lstm')")
        cell, _ = heading(page, "Median")
        cell.locator("button").click()
        page.select_option("#theme", "dark")
        again = visit(report, f"#{page.url.partition('#')[2]}").page
        assert open_pages(again) == ["cases"]
        assert visible(again) == visible(page) != []
        assert heading(again, "Median")[0].get_attribute("aria-sort") == "ascending"
        assert again.locator("html").get_attribute("data-theme") == "dark"
        assert again.input_value("#controls select[name=mode]") == "train"

    def test_a_place_within_a_page_is_opened(self, visit: Open, report: Path) -> None:
        page = visit(report, "#case-3").page
        assert open_pages(page) == ["cases"]
        assert page.locator("#case-3").is_visible()

    def test_the_link_can_be_copied_or_at_least_seen(self, visit: Open, report: Path) -> None:
        page = visit(report, "#cases").page
        page.click("#copy")
        page.wait_for_function(
            "() => document.querySelector('#copied').textContent.trim()"
            " || !document.querySelector('#link')?.hidden"
        )
        if page.locator("#copied").inner_text().strip() != "Link copied":
            assert page.input_value("#link") == page.url

    @pytest.mark.parametrize(
        "fragment",
        ["#nowhere", "#at=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "#sort=all-cases:999:a",
         "#layer=none%20such", "#at=cases&sort=x&sort=all-cases:a:b", "#%E0%A4%A"],
    )  # fmt: skip
    def test_a_link_that_says_nonsense_opens_the_report(
        self, visit: Open, report: Path, fragment: str
    ) -> None:
        page = visit(report, fragment).page
        assert len(open_pages(page)) == 1
        assert page.title().endswith("layerbench")


class TestWithoutScript:
    def test_everything_can_be_read_and_no_control_is_in_the_way(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, javascript=False).page
        for name in PAGES:
            assert page.locator(f"section#{name} h2").is_visible()
        assert not page.locator("#controls").is_visible()
        text = page.locator("#all-cases").inner_text()
        squeezed = re.sub(r"\s", "", text)
        assert all(case in squeezed for case in quick()["case_id"])


class TestPhone:
    @pytest.mark.parametrize("width", [390, 1280])
    def test_no_page_is_wider_than_the_screen(
        self, visit: Open, report: Path, hostile: Path, width: int
    ) -> None:
        for file in (report, hostile):
            page = visit(file, width=width).page
            for name in PAGES:
                page.click(f"nav#pages a[href='#{name}']")
                page.evaluate(f"() => {{ for (const one of document.querySelectorAll('#{name} "
                              "details')) one.open = true; }")  # fmt: skip
                assert page.evaluate(OVERFLOW) <= 0, (file.parent.name, name)


class TestAccess:
    @pytest.mark.parametrize("width", [1280, 390])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing(
        self, visit: Open, every_kind: Path, axe: str, scheme: str, width: int
    ) -> None:
        page = visit(every_kind, width=width, scheme=scheme, script=axe).page
        page.evaluate(SHOW_ALL)
        assert page.evaluate(AXE) == []


class TestHostileNames:
    def test_they_stay_text(self, visit: Open, hostile: Path) -> None:
        page = visit(hostile, "#cases").page
        page.evaluate(SHOW_ALL)
        assert page.locator("main script, main img, main iframe").count() == 0
        assert page.evaluate(HANDLERS) == 0
        assert "<img src=x onerror=alert(1)>" in page.locator("main").inner_text()
        assert page.title() != "owned"
        assert not page.evaluate(
            "() => [...document.links].some(link => link.protocol === 'javascript:')"
        )

    def test_they_can_be_chosen_and_linked_to_like_any_other(
        self, visit: Open, hostile: Path
    ) -> None:
        page = visit(hostile, "#cases").page
        values: Sequence[str] = page.evaluate(
            "() => [...document.querySelectorAll('#controls select[name=layer] option')]"
            ".map(option => option.value).filter(Boolean)"
        )
        assert len(values) == len(HOSTILE)
        everything = len(visible(page))
        for value in values:
            page.select_option("#controls select[name=layer]", value)
            assert len(visible(page)) == everything // len(HOSTILE)
        for value in values[:2]:
            page.select_option("#controls select[name=layer]", value)
            again = visit(hostile, f"#{page.url.partition('#')[2]}").page
            assert visible(again) == visible(page)


BARS = """
    () => Math.max(...[...document.querySelectorAll("#pages, search")]
        .filter(bar => getComputedStyle(bar).position === "sticky")
        .map(bar => bar.getBoundingClientRect().bottom))
"""
"""Down to where bars cover the page."""


class TestPlaces:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_the_name_of_a_linked_case_is_below_the_bars(
        self, visit: Open, report: Path, width: int
    ) -> None:
        page = visit(report, "#case-5", width=width).page
        page.wait_for_timeout(200)  # the browser itself goes to the place once more
        name = page.locator("#case-5 summary").bounding_box()
        assert page.evaluate(BARS) <= name["y"] < 700

    @pytest.mark.parametrize("page_id", ["framework", "layer"])
    def test_what_is_cut_on_a_phone_is_shaded_until_it_is_scrolled_to(
        self, visit: Open, report: Path, page_id: str
    ) -> None:
        page = visit(report, f"#{page_id}", width=390).page
        cut = page.locator(f"#{page_id} :is(.scroll, .panels):visible").filter(
            has=page.locator("td, figure")
        )
        wide = next(
            one for one in cut.all() if one.evaluate("e => e.scrollWidth > e.clientWidth + 40")
        )
        wide.scroll_into_view_if_needed()
        assert wide.evaluate("e => getComputedStyle(e).overflowX") == "auto"
        before = wide.evaluate("e => getComputedStyle(e).backgroundAttachment").split(", ")
        assert before == ["local", "local", "scroll", "scroll"]

    def test_a_phone_scrolls_the_drawings_of_a_layer_sideways(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#layer", width=390).page
        row = page.locator("#layer .panels").first
        tops = {round(one.bounding_box()["y"]) for one in row.locator("figure").all()}
        assert len(tops) == 1
        assert row.locator("figure").first.bounding_box()["width"] < 300

    def test_all_columns_but_counts_of_the_table_of_rows_fit_a_laptop(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#cases").page
        cell, _ = heading(page, "Bound by")
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= 1280

    def test_no_backtick_is_shown(self, visit: Open, every_kind: Path) -> None:
        page = visit(every_kind).page
        page.evaluate(SHOW_ALL)
        assert "`" not in page.locator("main").inner_text()

    def test_a_search_without_a_hit_says_so_below_each_table(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#cases").page
        told = page.locator("#cases p:visible", has_text="No row of this table is what")
        assert told.count() == 0
        page.fill("#controls input[name=q]", "nothing is called this")
        page.wait_for_function(f"() => ({VISIBLE_ROWS})().length === 0")
        assert told.count() >= 1
        page.click("#clear")
        assert told.count() == 0

    def test_contents_lead_to_the_layers_that_are_shown_and_to_no_other(
        self, visit: Open, report: Path
    ) -> None:
        page = visit(report, "#layer").page
        listed = page.locator("#layer .contents a:visible")
        assert listed.count() > 1
        page.select_option("#controls select[name=layer]", "lstm")
        assert listed.all_inner_texts() == ["lstm"]
        listed.first.click()
        assert page.locator("#layer h3:visible", has_text="lstm").count() == 1

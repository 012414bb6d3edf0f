"""The HTML report holds everything, loads nothing, and survives any frame."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter

import example_rows
import pandas as pd
import pytest
from frames import NAN, QUICK, frame, machine, quick, row, run, samples
from pages import Page

from harness.report import caps, html, legend
from harness.types import Status

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def report() -> str:
    return html.render(quick(), [run()])


@pytest.fixture(scope="module")
def page(report: str) -> Page:
    return Page(report)


class TestWhole:
    def test_is_well_formed(self, page: Page) -> None:
        assert page.open == []

    def test_every_case_and_figure_column_is_there(self, page: Page) -> None:
        assert all(case in page.text for case in quick()["case_id"])
        for column in ("p90", "Peak memory", "Items/s", "Tokens/s", "FLOP/s", "Roofline"):
            assert column in page.text

    def test_every_id_is_unique_and_every_reference_leads_to_one(self, page: Page) -> None:
        ids = Counter(page.attributes("id"))
        assert [name for name, number in ids.items() if number > 1] == []
        used = {link[1:] for link in page.attributes("href") if link.startswith("#")}
        used |= set(re.findall(r"url\(#([^)]+)\)", " ".join(page.attributes("clip-path"))))
        used |= set(page.attributes("aria-labelledby"))
        assert used
        assert used <= ids.keys()

    def test_nothing_is_loaded_from_anywhere(self, report: str, page: Page) -> None:
        loaded = [*page.attributes("src"), *page.attributes("srcset"), *page.attributes("data")]
        assert loaded == []
        links = [attributes for tag, attributes in page.tags if "href" in attributes]
        outside = [link for link in links if not (link["href"] or "").startswith("#")]
        assert all("download" in link for link in outside)
        assert all((link["href"] or "").startswith("data:") for link in outside)
        assert not any(tag in ("link", "iframe", "img", "image") for tag, _ in page.tags)
        assert "@import" not in report
        assert "://" not in report.replace('xmlns="http://www.w3.org/2000/svg"', "")

    def test_policy_allows_exactly_the_script_of_the_report(self, page: Page) -> None:
        (script,) = page.scripts
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        (policy,) = (p for p in page.attributes("content") if "default-src" in p)
        assert f"script-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy

    def test_every_drawing_has_its_figures_in_words(self, page: Page) -> None:
        drawings = page.drawings()
        held = "Latency, forward, against batch size at sequence length 64. torch eager: 1: "
        assert any(text.startswith(held) for text in drawings)
        assert any("tensorflow eager: 1: " in text and "32: oom" in text for text in drawings)
        (ratios,) = (text for text in drawings if text.startswith("Time ratios by layer, train."))
        assert "; dense, tensorflow eager: " in ratios

    def test_every_layer_has_a_heading_that_the_contents_lead_to(self, page: Page) -> None:
        assert {f"#layer-{index + 1}" for index in range(len(QUICK))} <= set(
            page.attributes("href")
        )

    def test_rendering_twice_gives_the_same_bytes(self) -> None:
        first, second = (html.render(quick(), [run()], samples=samples(quick())) for _ in range(2))
        assert first == second

    def test_a_thousand_rows_with_their_samples_stay_below_three_megabytes(self) -> None:
        table, runs, taken = example_rows.at_least(1_000)
        assert len(table["machine_id"].unique()) > 1
        text = html.render(table, runs, samples=taken)
        assert len(text.encode()) < caps.PAGE_BYTES
        latencies = [told for told in Page(text).drawings() if told.startswith("Latency, forward")]
        assert len(latencies) >= table["layer"].nunique(), "a page of all rows still draws them"


class TestHostileText:
    @pytest.fixture(scope="class")
    def attacked(self) -> str:
        evil = f'{HOSTILE}$x^2$"\' onload=alert(1) id="machine"'
        rows = [
            row(
                batch=batch,
                layer=evil,
                framework=framework,
                framework_version=evil,
                execution=evil,
                device=evil,
                dtype=evil,
                reason=evil,
                warnings=[evil],
                memory_method=evil,
                machine_id=evil,
                run_id=evil,
                status=status,
            )
            for framework in ("torch", evil, "_nolegend_")
            for batch, status in ((1, "ok"), (2, "ok"), (4, "oom"), (8, "unsupported"))
        ]
        here = machine(machine_id=evil, os=evil, git_commit=evil, versions={evil: evil})
        here["cpu"]["model"] = evil
        return html.render(frame(rows), [run(machine=here, command=evil, sweep=evil, run_id=evil)])

    def test_no_text_becomes_a_tag_or_an_attribute(self, attacked: str) -> None:
        page = Page(attacked)
        assert len(page.scripts) == 1
        assert [tag for tag, _ in page.tags].count("script") == 1
        assert not any(page.attributes("onload"))
        assert HOSTILE in page.text
        assert Counter(page.attributes("id"))["machine"] == 1

    @pytest.mark.parametrize("evil", ["\x00", "\x07bell", "\x1b[31m", "\u202eflipped"])
    def test_signs_that_no_drawing_can_hold_become_a_mark(self, evil: str) -> None:
        members = [
            row(batch=batch, layer=evil, framework=name, reason=evil, warnings=[evil, "\ud800"])
            for name in ("torch", "tensorflow")
            for batch in (1, 2)
        ]
        surrogates = machine(machine_id="\ud800", os=evil)
        text = html.render(frame(members), [run(command=evil, sweep=evil, machine=surrogates)])
        assert evil[0] not in text
        assert "\ufffd" in text
        assert len(Page(text).drawings()) > 2
        text.encode()

    def test_dollars_stay_dollars_in_drawings(self, attacked: str) -> None:
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", attacked)
        name = html_name(f"{HOSTILE}$x^2$"[:12])
        assert any(text.startswith(name) for text in texts)

    def test_formula_as_a_layer_name_is_not_typeset(self) -> None:
        rows = [row(layer="$x^2$", framework=framework) for framework in ("torch", "tensorflow")]
        assert ">$x^2$</text>" in html.render(frame(rows), [])


def html_name(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


class TestIncompleteData:
    @pytest.mark.parametrize("empty", [frame([]), pd.DataFrame()], ids=["columns", "nothing"])
    def test_no_rows(self, empty: pd.DataFrame) -> None:
        text = Page(html.render(empty, [])).text
        assert "There are no results" in text
        assert "No description of a machine came with these results" in text
        assert "There are no rows" in text

    def test_every_status_appears(self) -> None:
        rows = [row(status=str(status), reason=f"because {status}", batch=2**index)
                for index, status in enumerate(Status)]  # fmt: skip
        text = Page(html.render(frame(rows), [run()])).text
        for status in Status:
            assert f"1 {status}" in text
            if status != Status.OK:
                assert f"because {status}" in text

    def test_all_failed(self) -> None:
        rows = [row(status="crashed", batch=batch) for batch in (1, 2)]
        page = Page(html.render(frame(rows), [run()]))
        assert "No latency was measured" in page.text
        assert page.drawings() == []

    def test_one_row_has_nothing_to_draw_against_and_says_so(self) -> None:
        page = Page(html.render(frame([row()]), [run()]))
        assert "nothing to draw against" in page.text
        assert "Only one framework was run (torch)" in page.text
        assert [text.partition(" of ")[0] for text in page.drawings()] == ["Roofline"]

    def test_figures_all_missing(self) -> None:
        bare = row()
        missing = {
            name: NAN
            for name, value in bare.items()
            if isinstance(value, float) and not name.startswith("latency")
        }
        text = Page(html.render(frame([bare | missing | {"reason": None}]), [run()])).text
        assert "Peak memory was not measured" in text
        assert "nan" not in text.lower()

    def test_memory_too_small_to_read_is_left_out_of_drawings_and_told(self) -> None:
        small = {"peak_memory_bytes": NAN, "memory_method": "VmHWM, below 128 KiB"}
        members = [row(batch=1, **small), row(batch=2), row(batch=4)]
        page = Page(html.render(frame(members), []))
        assert "1 peak too small to read (<128 KiB): not drawn" in page.text
        (drawing,) = (text for text in page.drawings() if text.startswith("Peak memory"))
        assert drawing.endswith("torch eager: 2: 1.00 MiB, 4: 1.00 MiB.")
        only = Page(html.render(frame(members[:1]), [])).text
        assert "<128 KiB" in only
        assert "Peak memory was not measured" not in only

    def test_memory_of_zero_bytes_is_told_where_it_cannot_be_drawn(self) -> None:
        rows = [row(batch=batch, peak_memory_bytes=64.0 * (batch - 1)) for batch in (1, 2, 3)]
        assert "1 peak of 0 B cannot be shown" in html.render(frame(rows), [])

    def test_ok_without_a_latency(self) -> None:
        assert "0 gave a latency" in html.render(frame([row(NAN, batch=b) for b in (1, 2)]), [])

    def test_run_that_says_nothing(self) -> None:
        text = Page(html.render(frame([row()]), [{}])).text
        assert "unknown processor" in text

    def test_several_machines_are_named_wherever_they_differ(self) -> None:
        rows = [
            row(batch=batch, framework=framework, machine_id=box)
            for batch in (1, 2)
            for framework in ("torch", "tensorflow")
            for box in ("left", "right")
        ]
        runs = [run(machine=machine(machine_id=box)) for box in ("left", "right")]
        page = Page(html.render(frame(rows), runs))
        assert "torch eager (left)" in page.text
        assert "The figures are from 2 machines" in page.text
        assert "Time relative to torch eager on cpu (right)" in page.text

    def test_a_machine_with_nothing_to_compare_beside_one_that_has(self) -> None:
        members = [row(machine_id="left"), row(framework="tensorflow", machine_id="left")]
        page = Page(html.render(frame([*members, row(machine_id="right")]), []))
        assert "Time relative to torch eager on cpu (left)" in page.text

    def test_device_time_has_a_column_where_there_is_a_device(self, page: Page) -> None:
        text = Page(html.render(frame([row(device="cuda", device_time_s=4.2e-5)]), [run()])).text
        assert "42.0 µs" in text
        assert "Device time" not in page.text

    def test_device_time_is_told_to_hold_waiting(self) -> None:
        text = Page(html.render(frame([row(device="cuda", device_time_s=4.2e-5)]), [run()])).text
        assert "between two events on the device's stream" in text
        assert "the device's waiting" in text

    def test_marks_stand_beside_latencies_and_are_explained_once(self) -> None:
        members = [row(1e-3, batch=1, converged=False), row(2e-3, batch=2)]
        text = Page(html.render(frame(members), [])).text
        assert "1.00 ms† (" in text
        assert "2.00 ms (" in text
        assert text.count("† not converged:") == 1
        assert "‡ not warm" not in text

    def test_what_an_interval_of_ratios_is_made_of_is_said(self, page: Page) -> None:
        assert legend.RATIO in page.text

    def test_older_runs_are_in_the_table_of_all_rows_only(self) -> None:
        rows = [row(1e-3, run_id="old", started_at="2026-01-01"), row(7.77e-3)]
        text = Page(html.render(frame(rows), [run()])).text
        assert "leave out 1 row of earlier runs" in text
        assert "old" in text
        assert text.count("1.00 ms (") == 1

    def test_planned_cases_without_a_row_are_told(self) -> None:
        assert "3 planned cases left no row" in html.render(frame([row()]), [run(planned=4)])

"""The files of a profile, and the way to them from a report."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from frames import frame, row, run
from pages import Page

from harness.profilers.operators import Cost
from harness.report import html, profiles
from harness.types import Case

HOSTILE = "<script>alert(1)</script>"
CASE = Case.parse("scale/fake/cpu/forward/eager/float32/b2-us=20")
COSTS = [
    Cost(HOSTILE, calls=2, self_s=3e-3, total_s=4e-3, memory_bytes=2048),
    Cost("kernel", calls=1, self_s=1e-3, total_s=1e-3, is_kernel=True),
]
MEMORY = [(0.0, 4096), (1e-3, 8192), (2e-3, 4096)]


def test_the_table_has_shares_of_the_time_and_is_cut_where_asked() -> None:
    table = profiles.operators(COSTS)
    assert [line[4].text for line in table.rows] == ["75.0 %", "25.0 %"]
    assert [line[1].text for line in table.rows] == ["host", "GPU"]
    assert len(profiles.operators(COSTS, most=1).rows) == 1


def test_files_hold_every_figure_as_it_was() -> None:
    files = profiles.files(CASE, "1.0", COSTS, MEMORY)
    (first, _) = csv.DictReader(io.StringIO(files["operators.csv"]))
    assert (first["operator"], first["self_s"], first["memory_bytes"]) == (HOSTILE, "0.003", "2048")
    held = [
        (float(r["at_s"]), int(r["held_bytes"]))
        for r in csv.DictReader(io.StringIO(files["memory.csv"]))
    ]
    assert held == MEMORY


def test_the_page_holds_table_and_chart_and_lets_nothing_in() -> None:
    files = profiles.files(CASE, "1.0", COSTS, MEMORY)
    page = Page(files["index.html"])
    assert page.open == []
    assert HOSTILE in page.text
    assert page.scripts == []
    (drawing,) = page.drawings()
    assert "at most 8.00 KiB, after 1.00 ms" in drawing
    links = {link for link in page.attributes("href") if not link.startswith("#")}
    assert links == {"trace.json", "operators.csv", "memory.csv"}


def test_a_call_that_took_no_memory_has_no_chart_and_says_so() -> None:
    files = profiles.files(CASE, "1.0", COSTS, [])
    assert "memory.svg" not in files
    assert "saw no memory taken" in files["index.html"]


def test_a_report_leads_to_the_profiles_beside_its_run(tmp_path: Path) -> None:
    run_folder, out = tmp_path / "results" / "box" / "run-1", tmp_path / "reports"
    page = run_folder / "profiles" / CASE.id / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    found = profiles.found(run_folder, out)
    assert found == {CASE.id: f"../results/box/run-1/profiles/{CASE.id}/index.html"}
    links = Page(html.render(frame([row()]), [run()], found)).attributes("href")
    assert found[CASE.id] in set(links)
    assert profiles.found(tmp_path / "elsewhere", out) == {}

"""Histories in words, tables and drawings: the verdict first, and nothing that is markup."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from frames import frame, row
from histories import noise, stored
from pages import Page
from rich.console import Console

from harness import units
from harness.gate import history
from harness.report import caps, html, markdown, terminal
from harness.report.history import events
from harness.report.history.section import section
from harness.stats import pass_interval

STEP = np.where(np.arange(20) >= 10, 0.15, 0.0)
BUMP = np.where((np.arange(20) >= 6) & (np.arange(20) < 13), 0.2, 0.0)


def shown(*found: history.History, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(terminal.histories(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def one(*cases: np.ndarray, **differing: object) -> history.History:
    (found,) = history.histories(*stored(cases, **differing))  # type: ignore[arg-type]
    return found


def test_verdict_event_and_what_to_do_stand_in_this_order() -> None:
    text = shown(one(noise(20) + STEP, noise(20, seed=1)))
    parts = [
        "20 runs on box, 2026-11-01 to 2026-11-20",
        "Of 2 cases 1 is slower at the end, by 5 % or more: dense/torch/cpu/forward/eager",
        "2026-11-10 10:00 → 2026-11-11 10:00, commit a00000000000 → b00000000000",
        "between the runs run-9 and run-10",
        "slower since, over 10 runs",
        "layerbench regress --base=a00000000000 --head=b00000000000",
        "would be found 19 times in 20",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_each_estimate_has_its_interval() -> None:
    found = one(noise(20) + STEP)
    case = re.escape("dense/torch/cpu/forward/eager/float32/b1-units=256")
    assert re.search(rf"or more: {case} 1\.\d\d× \(1\.\d\d–1\.\d\d\)\.$", events.verdict(found))
    (event,) = events.events(found)
    before, after = event.table(1).rows[0][1:3]
    (change,) = found.cases[0].changes
    for cell, runs in ((before, slice(0, 10)), (after, slice(10, 20))):
        level = pass_interval(found.cases[0].latencies[runs])
        assert cell.text == units.seconds_interval(level.value, level.low, level.high)
    assert after.figure / before.figure == pytest.approx(change.ratio.value)


def test_a_slowdown_that_was_mended_is_told_and_is_none_at_the_end() -> None:
    text = shown(one(noise(20) + BUMP))
    assert "Of 1 case none is slower at the end" in text
    assert "recovered after 7 runs" in text
    assert "back where it was before that" in text
    assert "layerbench regress" not in text


def test_other_versions_are_a_possible_cause() -> None:
    found = one(
        noise(20) + STEP,
        python=lambda day: "3.11.9" if day < 10 else "3.12.1",
        versions=lambda day: {"torch": "2.12.0" if day < 10 else "2.13.0"},
    )
    text = shown(found)
    assert "may be the cause: Python: 3.11.9 → 3.12.1; torch: 2.12.0 → 2.13.0." in text


def test_nothing_that_differs_is_said() -> None:
    found = one(noise(20) + STEP, git_commit=lambda day: "c" * 40)
    assert "Nothing that is known of the two runs differs, commit included." in shown(found)
    assert "layerbench regress" not in shown(found)


def test_most_cases_at_once_point_to_what_they_share() -> None:
    all_but_one = [noise(20, seed=seed) + STEP for seed in range(3)]
    text = shown(one(*all_but_one, noise(20, seed=9)))
    assert "3 of 4 cases changed at once" in text
    assert "changed at once" not in shown(one(all_but_one[0], noise(20, seed=9)))


def test_a_short_history_says_how_many_runs_it_takes() -> None:
    text = shown(one(noise(8), noise(8, seed=1)))
    assert "No change could have been told, however large: with 2 cases it takes 10 runs" in text
    assert "there are 8" in text
    assert "a history begins with 6" in shown(one(noise(3)))


def test_a_case_with_few_runs_and_one_that_fails_now_are_told() -> None:
    table, runs = stored([noise(20), noise(7, seed=1)])
    table.loc[19, ["status", "reason", "latency_s"]] = ["oom", "killed", np.nan]
    text = shown(*history.histories(table, runs))
    assert "1 case with fewer than 10 runs" in text
    assert "Failed in the last run, which a history of latencies does not judge" in text
    assert "(oom: killed)" in text


def test_several_machines_are_told_apart() -> None:
    left, right = one(noise(20)), history.histories(*stored([noise(20)], "other"))[0]
    assert events.MACHINES in " ".join(shown(left, right).split())
    assert events.MACHINES not in " ".join(shown(left).split())


class TestReport:
    def test_section_draws_each_change_with_its_words(self) -> None:
        page = Page(html.render(*stored([noise(20) + STEP, noise(20, seed=1)])))
        assert "history" in page.attributes("id")
        drawn, *lines = (text for text in page.drawings() if text.startswith("Latency of"))
        assert "1.16× from 2026-11-11 10:00 on, slower since, over 10 runs" in drawn
        assert lines[0] == drawn, "a line begins with the same, drawn small"
        assert [text.endswith("no change.") for text in lines] == [False, True]

    def test_the_first_page_says_what_got_slower_and_leads_to_the_history(self) -> None:
        table, runs = stored([noise(20) + STEP, noise(20, seed=1)])
        first = html.render(table, runs).partition('id="layer"')[0]
        assert '<p class=bad><a href="#history">20 runs on box, ' in first
        told = "Of 2 cases 1 is slower at the end"
        assert told in first
        assert told in markdown.render(table, runs).partition("##")[0]
        unknown = html.render(*stored([noise(3)])).partition('id="layer"')[0]
        assert "What got slower is not known" in unknown
        assert 'href="#history"' not in unknown

    def test_what_to_type_is_set_as_code_and_not_between_backticks(self) -> None:
        left, right = (stored([noise(20) + STEP], name, name) for name in ("left", "right"))
        both = pd.concat([left[0], right[0]], ignore_index=True), [*left[1], *right[1]]
        page, text = html.render(*both), markdown.render(*both)
        command = "layerbench regress --base=a00000000000 --head=b00000000000"
        for typed in (command, "layerbench compare A B"):
            assert f"<code>{typed}</code>" in page
            assert f"`{typed}`" in text
            assert f"\\`{typed}" not in text
        assert "`layerbench" not in page

    def test_every_case_has_a_line_with_its_last_latency_and_where_it_stands(self) -> None:
        table, runs = stored([noise(20), noise(7, seed=1), noise(20, seed=2) + STEP])
        (block,) = section(table, runs)
        slower, flat, short = block.lines
        assert slower.case.endswith("b4-units=256")
        assert slower.state.text.endswith(") from 2026-11-11 on: slower since, over 10 runs")
        assert (slower.state.tone, slower.runs) == ("bad", 20)
        assert re.fullmatch(r"1\.\d\d ms \(1\.\d\d–1\.\d\d\)", slower.last)
        assert re.match(r"1\.1\d× \(1\.\d\d–1\.\d\d\) from 2026-11-11 on", slower.state.text)
        assert (flat.state.text, flat.state.tone) == ("no change", "muted")
        assert (short.state.text, short.runs) == ("too few runs to tell", 7)
        assert ['class="slower"' in line.sparkline for line in block.lines] == [True, False, False]
        assert all(' class="last"' in line.sparkline for line in block.lines)
        text = " ".join(Page(html.render(table, runs)).text.split())
        assert "slower since, over 10 runs" in text

    def test_a_case_of_a_single_run_is_counted_and_has_no_line(self) -> None:
        table, runs = stored([noise(10), noise(1, seed=1)])
        (block,) = section(table, runs)
        assert [line.runs for line in block.lines] == [10]
        assert "1 case with fewer than" in Page(html.render(table, runs)).text

    def test_no_more_lines_than_a_page_can_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(caps, "SPARKLINES", 2)
        table, runs = stored([noise(8, seed=seed) for seed in range(5)])
        (block,) = section(table, runs)
        assert (len(block.lines), block.undrawn) == (2, 3)
        assert "3 more cases without a line" in html.render(table, runs)

    def test_no_more_drawings_and_changes_than_a_page_can_hold(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mended = noise(20, seed=3) + BUMP
        table, runs = stored([mended, *(noise(20, seed=seed) + STEP for seed in range(3))])
        whole = section(table, runs)[0]
        every, said = whole.events, whole.remarks
        monkeypatch.setattr(caps, "LISTED", 2)
        monkeypatch.setattr(caps, "HISTORIES", 2)
        (block,) = section(table, runs)
        assert block.verdict == whole.verdict
        assert [len(told.table.rows) for told in every] == [1, 3, 1]
        assert [told.event for told in block.events] == [told.event for told in every[1:]]
        assert [len(told.table.rows) for told in block.events] == [1, 1], "two in all"
        assert [figure.title for figure in block.changed] == [
            case.case for case in block.history.cases[1:3]
        ], "those that are slower now come first"
        remarks = [
            "Of 5 changes at 3 times the last 2 are listed.",
            "2 more cases with a change would be too many to draw.",
        ]
        assert block.remarks == [*remarks, *said]
        for text in (html.render(table, runs), markdown.render(table, runs), shown(block.history)):
            assert all(remark in " ".join(text.split()) for remark in remarks)

    def test_what_a_long_history_leaves_out_is_told_and_its_page_is_small(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(history, "MOST_RUNS", 20)
        monkeypatch.setattr(caps, "RUNS", 10)
        step = np.where(np.arange(400) >= 390, 0.15, 0.0)
        table, runs = stored([noise(400) + step])
        long, short = html.render(table, runs), html.render(table.tail(20), runs[-20:])
        told = "Of 400 runs the last 20 are this history; what changed before them is not told."
        listed = "Of 400 runs the last 10 are listed, with their ceilings and commands."
        for text in (long, markdown.render(table, runs)):
            assert told in text
            assert listed in text
            assert "run-399" in text
            assert "| run-389 |" not in text
        assert len(Page(long).drawings()) == len(Page(short).drawings())
        tables = ("Runs", "Measured ceilings")
        assert all(f'aria-label="{name}"' in long for name in tables)
        without_rows = [text.partition('id="cases"')[0] for text in (long, short)]
        assert len(without_rows[0]) < 1.1 * len(without_rows[1])

    def test_machines_with_few_runs_have_no_section_beside_one_with_many(self) -> None:
        many, few = stored([noise(10)]), stored([noise(5)], "other", "others")
        table = pd.concat([many[0], few[0]], ignore_index=True)
        (block,) = section(table, [*many[1], *few[1]])
        assert block.history.machine_id == "box"

    def test_few_runs_have_no_section(self) -> None:
        page = Page(html.render(*stored([noise(5)])))
        assert "history" not in page.attributes("id")
        assert "## History" not in markdown.render(*stored([noise(5)]))

    def test_markdown_has_the_verdict_and_the_table(self) -> None:
        text = markdown.render(*stored([noise(20) + STEP]))
        assert "## History" in text
        assert "| Case | Before | After | After / before | Since | p |" in text
        assert markdown.histories([one(noise(20) + STEP)]).startswith("## History of stored runs")

    def test_hostile_names_stay_text(self) -> None:
        evil = '<img src=x onerror=alert(1)>|`"\x1b[31m'
        table, runs = stored([noise(20) + STEP], evil, evil, git_commit=lambda day: evil + str(day))
        table["layer"] = evil
        page = Page(html.render(table, runs))
        assert not any(page.attributes("onerror"))
        assert page.open == []
        text = markdown.histories(history.histories(table, runs))
        assert "<img" not in text
        assert "layerbench regress" not in text
        assert "\x1b" not in shown(*history.histories(table, runs))


@pytest.mark.parametrize("empty", [frame([]), pd.DataFrame()], ids=["columns", "nothing"])
def test_no_rows(empty: pd.DataFrame) -> None:
    assert history.histories(empty, []) == []
    assert shown() == ""


def test_rows_without_runs_are_no_history() -> None:
    assert history.histories(frame([row(), row(1e-3, run_id="run-2")]), []) == []

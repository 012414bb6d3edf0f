"""Each case by itself: which samples are drawn, and all that is known of it."""

from __future__ import annotations

import shlex

import pandas as pd
import pytest
from frames import frame, quick, row, run, samples
from pages import Page

from harness.cli.parser import parse
from harness.report import caps, html, rows
from harness.report.cases import choice
from harness.report.cases.chart import chart, description, stride
from harness.report.cases.samples import Pass, by_row
from harness.report.cases.section import Section, section
from harness.types import Case


def made(table: pd.DataFrame, **more: object) -> Section:
    return section(rows.read(table), [run(**more)], samples(table))


class TestCards:
    def test_every_row_has_one_and_the_table_leads_to_it(self) -> None:
        table = quick()
        found = made(table)
        assert [card.case for card in found.cards] == table["case_id"].tolist()
        assert [line[0].link for line in found.table.rows] == [card.key for card in found.cards]
        assert len({card.key for card in found.cards}) == len(table)

    def test_facts_tell_what_the_table_does_not(self) -> None:
        parts = {"output_bytes": 2.0**20, "saved_bytes": 0.0, "workspace_bytes": 2.0**21}
        table = frame([row(1e-3, warnings=["noisy"], **parts)])
        (card,) = section(rows.read(table), [run()], None).cards
        assert card.facts == {
            "Samples": "90 in 3 passes",
            "Allocated at the peak": (
                "3.28 MiB = 256 KiB parameters + 32.0 KiB inputs + 1.00 MiB outputs + "
                "2.00 MiB workspace"
            ),
            "Execution path": "MKL sgemm",
        }
        assert card.warnings == ("noisy",)

    def test_a_failure_tells_its_reason(self) -> None:
        table = frame([row(status="not_applicable", reason="does nothing", samples=0)])
        (card,) = section(rows.read(table), [run()], None).cards
        assert card.facts == {"not applicable": "does nothing"}

    def test_passes_are_told_by_their_medians(self) -> None:
        table = frame([row(1e-3)])
        taken = samples(table, passes=2, each=1).assign(wall_s=[1e-3, 2e-3])
        (card,) = section(rows.read(table), [run()], taken).cards
        assert card.facts["Samples"].endswith("by pass with a median of 1.00 ms, 2.00 ms")

    def test_the_command_runs_the_case_with_its_suites(self) -> None:
        table = frame([row()])
        (card,) = section(rows.read(table), [run(suites=["my layers.py"])], None).cards
        options = parse(shlex.split(card.command)[1:])
        assert options.case == [table["case_id"][0]]
        assert [str(suite) for suite in options.suite] == ["my layers.py"]
        assert Case.parse(options.case[0]).id == table["case_id"][0]

    def test_hostile_ids_are_quoted_for_a_shell(self) -> None:
        evil = "$(rm -rf ~)'\"; x"
        table = frame([row(layer=evil)])
        (card,) = section(rows.read(table), [run()], None).cards
        assert shlex.split(card.command)[-1] == table["case_id"][0]


class TestChoice:
    def test_each_kind_of_trouble_is_drawn_before_any_kind_twice(self) -> None:
        members = [row(1e-6, batch=2**n) for n in range(30)]
        members[3] |= {"audit": ["trend"]}
        members[5] |= {"converged": False}
        members[7] |= {"latency_s": 1.0, "latency_low_s": 0.9, "latency_high_s": 1.1}
        members[9] |= {"latency_low_s": 1e-7, "latency_high_s": 1e-5}
        found = choice.chosen(rows.read(frame(members)))
        assert found[:4] == [3, 5, 7, 9]
        assert len(found) == len(set(found)) == caps.SAMPLES

    def test_of_few_all_are_drawn_and_of_failures_none(self) -> None:
        members = [row(), row(batch=1), row(batch=2, status="oom")]
        assert sorted(choice.chosen(rows.read(frame(members)))) == [0, 1]

    def test_the_page_says_how_many_and_why_these(self) -> None:
        found = made(quick())
        measured = int(quick()["latency_s"].notna().sum())
        assert found.drawn.startswith(f"The samples of {caps.SAMPLES} of {measured} measured cases")
        assert sum(card.figure is not None for card in found.cards) == caps.SAMPLES
        assert made(frame([row()])).drawn == "The samples of every measured case are drawn."
        without = section(rows.read(quick()), [], None)
        assert without.drawn.startswith("Of no case")
        assert all(card.figure is None for card in without.cards)


class TestChart:
    PASSES = (Pass(0, (1e-3, 1.2e-3, 1.1e-3)), Pass(2, (2e-3, 2.2e-3)))

    def test_words_give_range_median_and_passes(self) -> None:
        assert description(self.PASSES) == (
            "5 samples from 1.00 ms to 2.20 ms, median 1.20 ms; medians by pass: 1.10 ms, 2.10 ms."
        )

    def test_marks_tell_their_values(self) -> None:
        text = chart(self.PASSES, "key")
        assert "<title>pass 1: median 1.10 ms, 3 samples</title>" in text
        assert "<title>pass 3: median 2.10 ms, 2 samples</title>" in text
        bars = [part for part in text.split("<title>") if "sample, " in part or "samples, " in part]
        assert sum(int(bar.split()[0]) for bar in bars) == 5

    def test_equal_samples_are_drawn_too(self) -> None:
        assert "<svg" in chart([Pass(0, (1e-3,))], "key")

    def test_many_samples_are_thinned_over_time_and_that_is_said(self) -> None:
        table = frame([row()])
        found = section(rows.read(table), [run()], samples(table, passes=3, each=400))
        (card,) = found.cards
        assert stride(1200) == 4
        assert card.figure is not None
        assert card.figure.subtitle.endswith("of the samples over time every 4th")


class TestSamples:
    def test_passes_are_those_of_one_run_and_case_in_order(self) -> None:
        table = frame([row(1e-3), row(1e-3, run_id="run-2")])
        taken = samples(table, passes=2, each=3)
        found = by_row(taken)
        assert set(found) == {("run-1", table["case_id"][0]), ("run-2", table["case_id"][0])}
        first = taken[(taken["run_id"] == "run-1") & (taken["pass_index"] == 1)]
        assert found["run-1", table["case_id"][0]][1] == Pass(1, tuple(first["wall_s"]))

    @pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 0.0, -1.0])
    def test_what_is_no_time_is_left_out(self, wrong: float) -> None:
        taken = samples(frame([row()]), passes=1, each=2).assign(wall_s=[wrong, 1e-3])
        ((only,),) = by_row(taken).values()
        assert only.samples_s == (1e-3,)
        assert by_row(taken.assign(wall_s=wrong)) == {}

    def test_what_does_not_count_is_left_out(self) -> None:
        taken = samples(frame([row()]), passes=1, each=2).assign(wall_s=[2e-3, 1e-3])
        ((only,),) = by_row(taken.assign(counted=[False, True])).values()
        assert only.samples_s == (1e-3,)

    def test_none_and_nothing(self) -> None:
        assert by_row(None) == {}
        assert by_row(samples(frame([]))) == {}


def test_the_page_holds_the_cards_and_the_drawings() -> None:
    page = Page(html.render(quick(), [run()], samples=samples(quick())))
    assert page.open == []
    drawn = [text for text in page.drawings() if "medians by pass" in text]
    assert len(drawn) == caps.SAMPLES
    assert page.text.count("layerbench run --case") == len(quick())

"""Each case by itself: which samples are drawn, and all that is known of it."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

import pandas as pd
import pytest
from frames import frame, machine, quick, row, run, samples
from pages import Page

from harness import sweep
from harness.cli.parser import parse
from harness.report import caps, html, rows
from harness.report.cases import choice
from harness.report.cases.chart import chart, description
from harness.report.cases.samples import Pass, by_row, key, over_time
from harness.report.cases.section import Section, section
from harness.report.cases.strip import HEIGHT, strip
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
        assert card.facts["Samples"] == (
            "90 in 3 passes, 1.00 ms to 2.00 ms; median by pass 1.00 ms, 2.00 ms"
        )

    def test_the_command_runs_the_case_with_its_suites(self) -> None:
        table = frame([row()])
        (card,) = section(rows.read(table), [run(suites=["my layers.py"])], None).cards
        options = parse(shlex.split(card.command)[1:])
        assert options.case == [table["case_id"][0]]
        assert [str(suite) for suite in options.suite] == ["my layers.py"]
        assert Case.parse(options.case[0]).id == table["case_id"][0]

    def test_the_command_has_the_settings_of_its_run_where_they_are_not_the_usual_ones(
        self,
    ) -> None:
        wanted = {"passes": 9, "sample_s": 1e-5, "rel_ci": 0.07, "timeout_s": 90.0}
        options = ("passes", "sample_time", "rel_ci", "timeout")
        usual = {name: getattr(sweep.read("quick"), name) for name in wanted}
        for option, (name, value) in zip(options, wanted.items(), strict=True):
            run_of_it = run(**{**usual, name: value})
            (card,) = section(rows.read(frame([row()])), [run_of_it], None).cards
            typed = vars(parse(shlex.split(card.command)[1:]))
            assert {n: typed[n] for n in options} == {**dict.fromkeys(options), option: value}

    def test_the_command_has_the_passes_that_fitted_and_the_limit_of_memory(self) -> None:
        run_of_it = run(passes=None, budget_s=60.0, max_memory_bytes=3 * 2**30)
        (card,) = section(rows.read(frame([row(passes=7)])), [run_of_it], None).cards
        typed = parse(shlex.split(card.command)[1:])
        assert (typed.passes, typed.max_memory) == (7, 3 * 2**30)

    def test_settings_are_those_of_the_runs_own_machine(self) -> None:
        table = frame(row(machine_id=name) for name in ("left", "right"))
        runs = [
            run(machine=machine(machine_id=name), passes=n)
            for name, n in (("left", 5), ("right", 6))
        ]
        cards = section(rows.read(table), runs, None).cards
        assert ["--passes 5" in card.command for card in cards] == [True, False]
        assert ["--passes 6" in card.command for card in cards] == [False, True]

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
        assert [one.batch for one in found[:4]] == [2**3, 2**5, 2**7, 2**9]
        assert len(found) == len(set(map(key, found))) == caps.SAMPLES

    def test_of_few_all_are_drawn_and_of_failures_none(self) -> None:
        table = frame([row(), row(batch=1), row(batch=2, status="oom")])
        known = choice.known(rows.read(table), by_row(samples(table)))
        assert [one.batch for one in choice.chosen(known)] == [32, 1]

    def test_the_page_says_how_many_are_in_a_figure_and_why_these(self) -> None:
        found = made(quick())
        measured = int(quick()["latency_s"].notna().sum())
        assert found.drawn.startswith(f"{caps.SAMPLES} of {measured} measured cases have their")
        assert sum(card.figure is not None for card in found.cards) == caps.SAMPLES
        few = made(frame([row()]))
        assert few.drawn == "Every measured case has its samples in a figure."
        assert not few.any_small
        without = section(rows.read(quick()), [], None)
        assert without.drawn.startswith("Of no case")
        assert all(card.figure is card.samples is None for card in without.cards)

    def test_each_measured_case_has_its_samples_drawn_once(self) -> None:
        table = quick()
        drawn = [
            (card.figure is not None) + (card.samples is not None) for card in made(table).cards
        ]
        assert drawn == table["latency_s"].notna().astype(int).tolist()


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


class TestStrip:
    PASSES = (Pass(0, (1e-3, 4e-3, 2e-3)), Pass(1, (2e-3, 2e-3)))

    def test_the_slowest_sample_is_at_the_top_and_the_fastest_at_the_foot(self) -> None:
        (line,) = re.findall(r'class="line" d="([^"]*)"', strip(self.PASSES))
        assert line == f"M0 {HEIGHT}l42-{HEIGHT} 42 {HEIGHT // 2}M126 {HEIGHT // 2}l42 0"

    def test_each_pass_has_a_bar_at_its_median(self) -> None:
        (levels,) = re.findall(r'class="level" d="([^"]*)"', strip(self.PASSES))
        assert levels == f"M0 {HEIGHT // 2}h84M126 {HEIGHT // 2}h42"

    def test_bars_are_as_long_as_times_are_frequent(self) -> None:
        (bars,) = re.findall(r'class="bars" d="([^"]*)"', strip(self.PASSES))
        assert bars == "M218 0h18v4h-18v16h52v4h-52v16h18v4H218z"

    def test_one_sample_of_very_many_is_to_be_seen_among_the_bars(self) -> None:
        (bars,) = re.findall(r'class="bars" d="([^"]*)"', strip([Pass(0, (1.0,) * 900 + (9.0,))]))
        assert bars.startswith("M218 0h1v4h-1")

    def test_ends_and_median_stand_beside_it_and_never_on_each_other(self) -> None:
        skewed = (Pass(0, (1e-3, 1e-3, 1e-3, 9e-3)),)
        for passes, words in (
            (self.PASSES, ["4.00 ms", "2.00 ms", "1.00 ms"]),
            (skewed, ["9.00 ms", "1.00 ms", "980 µs"]),
        ):
            labels = re.findall(r'<text y="(\d+)">([^<]*)</text>', strip(passes))
            assert [text for _, text in labels] == words
            feet = [int(foot) for foot, _ in labels]
            assert all(below - above >= 11 for above, below in pairwise(feet))

    @pytest.mark.parametrize("each", [1, 2, 3, 7, 500])
    def test_any_number_of_samples_and_passes_stays_small_and_inside(self, each: int) -> None:
        table = frame([row()])
        for count in (1, 3, 40):
            (passes,) = by_row(samples(table, passes=count, each=each)).values()
            text = strip(passes)
            assert len(text) < 2_000
            assert not re.search(r"NaN|nan|\d\.\d*[hlv]", text)

    def test_equal_samples_are_drawn_too(self) -> None:
        assert "M0 22h0" in strip([Pass(0, (1e-3,))])


class TestThinning:
    def test_few_samples_are_all_drawn(self) -> None:
        passes = [Pass(0, (3.0, 1.0)), Pass(1, (2.0,))]
        assert over_time(passes, 3) == [[(0, 3.0), (1, 1.0)], [(0, 2.0)]]

    def test_of_many_the_ones_that_stand_out_stay(self) -> None:
        times = [1.0 + 0.001 * (n % 7) for n in range(1000)]
        times[501], times[777] = 9.0, 0.1
        (drawn,) = over_time([Pass(0, tuple(times))], 20)
        assert len(drawn) == 20
        assert {(501, 9.0), (777, 0.1)} <= set(drawn)
        assert drawn == sorted(drawn)


class TestSamples:
    def test_passes_are_those_of_one_run_and_case_in_order(self) -> None:
        table = frame([row(1e-3), row(1e-3, run_id="run-2")])
        taken = samples(table, passes=2, each=3)
        found = by_row(taken)
        case = table["case_id"][0]
        assert set(found) == {("box", "run-1", case), ("box", "run-2", case)}
        first = taken[(taken["run_id"] == "run-1") & (taken["pass_index"] == 1)]
        assert found["box", "run-1", case][1] == Pass(1, tuple(first["wall_s"]))

    def test_machines_whose_runs_share_an_id_stay_apart(self) -> None:
        table = frame([row(1e-3, machine_id="left"), row(9e-3, machine_id="right")])
        taken = samples(table, passes=1, each=3)
        found = by_row(taken)
        for read in rows.read(table):
            own = taken.loc[taken["machine_id"] == read.machine_id, "wall_s"]
            assert found[key(read)] == (Pass(0, tuple(own)),)

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
    strips = [told for tag, told in page.tags if tag == "svg" and told.get("class") == "strip"]
    assert len(strips) == quick()["latency_s"].notna().sum() - caps.SAMPLES
    assert page.text.count("layerbench run --case") == len(quick())

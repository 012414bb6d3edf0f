"""A comparison of machines in words, tables, drawings and pages: figures as worked out by hand."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
from boxes import box
from frames import NAN, frame, machine, row, run
from pages import Page
from rich.console import Console

from harness.compare.machines import Result, by_device
from harness.report import caps, html, markdown, terminal
from harness.report.machines import document
from harness.report.machines.section import Section, compared, section
from harness.report.table import Table


def lines(table: Table) -> list[dict[str, str]]:
    return [
        {name: cell.text for name, cell in zip(table.header, row, strict=True)}
        for row in table.rows
    ]


def shown(content: Section, width: int = 240) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(terminal.comparison(content))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def two(base: Mapping[str, Any] | None = None, other: Mapping[str, Any] | None = None) -> Section:
    """One case on two machines alike; what is said of either row is different."""
    return compared([box("old", [row(**base or {})]), box("new", [row(**other or {})])])


USUAL = ("gru", "conv2d", "attention", "batch_norm", "dropout")
"""Layers that do as the ceilings let expect, so that it can be told what is usual."""


def pair() -> Section:
    """Layers ten times as fast, as the ceilings have it, but for one that is as slow as before."""
    figures = {"dense": 1e-4, "lstm": 1e-3, **dict.fromkeys(USUAL[:4], 1e-4)}
    old = [row(1e-3, layer=layer) for layer in figures]
    new = [row(after, layer=layer, bound="overhead") for layer, after in figures.items()]
    return compared([box("old", old), box("new", new, flop_per_s=1e12)])


def defier(base: Mapping[str, Any], other: Mapping[str, Any]) -> Section:
    """As `two`, but the case takes nine times as long on the other, among layers that do not."""
    rest = [row(layer=layer) for layer in USUAL]
    here, there = [row(**base), *rest], [row(9e-3, **other), *rest]
    return compared([box("old", here), box("new", there)])


class TestVerdict:
    def test_wins_and_losses_are_counted_with_the_largest_of_each(self) -> None:
        times = {1: 0.25e-3, 2: 0.5e-3, 4: 3e-3, 8: 1.01e-3}
        base = box("old", [row(1e-3, batch=b) for b in times])
        other = box("new", [row(seconds, batch=b) for b, seconds in times.items()])
        mean, wins, counted = compared([base, other]).verdicts["new"]
        assert counted == "Of 4 cases: 1 slower, 2 faster, 1 no difference seen."
        case = "dense/torch/cpu/forward/eager/float32"
        assert wins == (
            f"It is faster in 2, at most 4.00× ({case}/b1-units=256), and slower in 1, at most "
            f"3.00× ({case}/b4-units=256)."
        )
        # (0.25 · 0.5 · 3 · 1.01) ** 0.25 = 0.7845
        assert mean.startswith("new takes 0.784× (")
        assert mean.endswith("the time of old, as the geometric mean of 4 common cases.")

    def test_of_three_the_means_are_over_what_all_measured(self) -> None:
        base = box("a", [row(1e-3, batch=b) for b in (1, 2)])
        other = box("b", [row(4e-3, batch=1), row(9.0, batch=2)])
        third = box("c", [row(2e-3, batch=1)])
        told = {
            name: " ".join(said) for name, said in compared([base, other, third]).verdicts.items()
        }
        for name, ratio in (("b", "4.00×"), ("c", "2.00×")):
            assert f"{name} takes {ratio} (" in told[name]
            assert "of 1 common case, those that every machine measured." in told[name]

    def test_without_a_case_that_all_measured_there_is_no_mean(self) -> None:
        base = box("a", [row(batch=1), row(batch=2)])
        others = [box("b", [row(batch=1)]), box("c", [row(batch=2)])]
        found = compared([base, *others])
        assert all("has no mean" in said[0] for said in found.verdicts.values())
        assert not found.layers
        assert found.charts == []
        assert "b has no mean" in shown(found)

    def test_chance_is_told_and_drift_only_within_a_machine(self) -> None:
        rows = [row(batch=2**index) for index in range(20)]
        base = box("here", rows)
        apart = compared([base, box("there", rows)]).verdicts["there"][-1]
        assert apart == (
            "If there were no difference, about 1 of 20 intervals would still exclude 1 by chance."
        )
        later = Result("later", base.frame, [{**base.runs[0], "run_id": "another"}])
        assert "drift of the machine" in compared([base, later]).verdicts["later"][-1]

    def test_other_kernels_are_told(self) -> None:
        found = two({"execution_path": "A"}, {"execution_path": "B"})
        assert any("path changed in 1 case" in said for said in found.verdicts["new"])


class TestDefying:
    def test_what_misses_its_ceilings_is_listed_and_what_meets_them_is_not(self) -> None:
        found = pair()
        (line,) = lines(found.defying)
        assert (line["Layer"], line["Mode"], line["Framework"]) == (
            "lstm",
            "forward",
            "torch eager",
        )
        assert (line["Time ratio (95 % interval)"], line["Expected"]) == (
            "1.00× (0.874–1.14)",
            "0.100×",
        )
        assert line["Off by (95 % interval)"] == "10.0× (8.74–11.4)"
        assert line["Possible reason"] == "another bound: compute → overhead"
        assert found.expectations == (
            "1 of 6 layers, modes and frameworks defies what the ceilings let expect. The middle "
            "one misses it by 1.00×, so that more than 1.10× either way is called defying."
        )

    @pytest.mark.parametrize(
        ("base", "other", "reason"),
        [
            ({}, {}, "none found"),
            (
                {"execution_path": "oneDNN (brgemm)"},
                {"execution_path": "oneDNN (ref)"},
                "another execution path: oneDNN (brgemm) → oneDNN (ref)",
            ),
            ({}, {"bound": ""}, "another bound: compute → unknown"),
            ({}, {"framework_version": "2.14.0"}, "torch 2.13.0 → 2.14.0"),
            (
                {},
                {"framework_version": "2.14.0", "bound": "memory"},
                "another bound: compute → memory; torch 2.13.0 → 2.14.0",
            ),
        ],
    )
    def test_a_reason_is_what_else_differs(
        self, base: dict[str, Any], other: dict[str, Any], reason: str
    ) -> None:
        (line,) = lines(defier(base, other).defying)
        assert line["Possible reason"] == reason

    def test_a_reason_says_in_how_many_cases_if_not_in_all(self) -> None:
        rest = [row(layer=layer) for layer in USUAL]
        base = box("old", [*rest, *(row(batch=b, execution_path="A") for b in (1, 2, 4))])
        paths = {1: "B", 2: "A", 4: "B"}
        new = [row(9e-3, batch=b, execution_path=path) for b, path in paths.items()]
        (line,) = lines(compared([base, box("new", [*rest, *new])]).defying)
        assert line["Possible reason"] == "another execution path in 2 of 3 cases: A → B"

    def test_of_paths_only_what_differs_is_told(self) -> None:
        base = {"execution_path": "A, while loop, B"}
        (line,) = lines(defier(base, {"execution_path": "A, C, B"}).defying)
        assert line["Possible reason"] == "another execution path: while loop → C"
        (line,) = lines(defier(base, {"execution_path": "A, B"}).defying)
        assert line["Possible reason"] == "another execution path: while loop → no more"

    def test_other_devices_and_threads_are_reasons(self) -> None:
        rows = [row(1e-3, layer=name, threads=t) for name in USUAL for t in (1, 8)]
        rows += [row(1e-3), row(9e-3, threads=8)]
        ceilings = [
            box("box", [], flop_per_s=1e11).runs[0]["ceilings"][0] | {"threads": t} for t in (1, 8)
        ]
        here = Result("box", box("box", rows).frame, [run(run_id="box run", ceilings=ceilings)])
        (line,) = lines(compared(by_device([here])).defying)
        assert line["Possible reason"] == "other threads: 1 → 8"

    def test_a_case_that_one_side_lacks_makes_no_reason(self) -> None:
        rest = [row(layer=layer) for layer in USUAL]
        here, there = [row(), row(batch=64), *rest], [row(9e-3), *rest]
        for sides in ((here, there), (there, here)):
            names = ("old", "new")
            found = compared([box(name, rows) for name, rows in zip(names, sides, strict=True)])
            (line,) = lines(found.defying)
            assert line["Possible reason"] == "none found"

    def test_of_several_machines_each_is_named(self) -> None:
        rest = [row(layer=layer) for layer in USUAL]
        rows, slow = [row(), *rest], [row(9e-3), *rest]
        found = compared([box("a", rows), box("b", rows), box("c", slow)])
        assert [line["Machine"] for line in lines(found.defying)] == ["c"]

    def test_nothing_defies_without_ceilings_and_that_is_said(self) -> None:
        bare = [Result(name, box(name, [row()]).frame, [{}]) for name in ("a", "b")]
        found = compared(bare)
        assert not found.defying
        assert found.expectations.startswith("Nothing could be expected of any layer")

    def test_layers_of_which_nothing_is_expected_are_counted(self) -> None:
        rows = [row(), row(layer="lstm", bound="")]
        assert compared([box("a", rows), box("b", rows)]).expectations == (
            "None of 1 layer, mode and framework defy what the ceilings let expect; of 1 more "
            "nothing could be expected. Of fewer than 6 it cannot be told what is usual, so none "
            "is said to defy."
        )

    def test_of_several_machines_what_is_usual_is_told_of_each(self) -> None:
        rows = [row(layer=layer) for layer in ("dense", *USUAL)]
        loose = [row(2e-3, layer=layer) for layer in ("dense", *USUAL)]
        found = compared([box("a", rows), box("b", rows), box("c", loose)])
        told = found.expectations.partition("expect. ")[2]
        assert told == (
            "The middle one on b misses it by 1.00×, so that more than 1.10× either way is called "
            "defying; the middle one on c misses it by 2.00×, so that more than 8.00× either way "
            "is called defying."
        )


class TestTables:
    def test_a_layer_has_its_ratio_its_shares_and_what_binds_it(self) -> None:
        slow = {"latency_s": 2e-3, "roofline_fraction": 0.1, "bound": "memory"}
        (line,) = lines(two({}, slow).layers)
        assert line == {
            "Layer": "dense",
            "Mode": "forward",
            "Time ratio (95 % interval)": "2.00× (1.75–2.29)",
            "Expected": "1.00×",
            "Share of roofline": "40.0 % → 10.0 %",
            "Bound by": "compute → memory",
            "Cases": "1",
            "Verdict": "slower",
        }

    def test_frameworks_are_apart_in_a_table_of_their_own(self) -> None:
        rows = [row(), row(framework="tensorflow", execution="compiled")]
        found = compared([box("a", rows), box("b", rows)])
        assert [line["Cases"] for line in lines(found.layers)] == ["2"]
        assert {line["Framework"] for line in lines(found.configurations)} == {
            "torch eager",
            "tensorflow compiled",
        }

    def test_what_differs_among_cases_is_counted_and_what_is_expected_of_some_says_so(self) -> None:
        base = box("a", [row(batch=1), row(batch=2, bound=""), row(batch=4)])
        (line,) = lines(compared([base, box("b", [row(batch=b) for b in (1, 2, 4)])]).layers)
        assert line["Bound by"] == "compute 2, unknown 1 → compute"
        assert line["Expected"] == "1.00× (2 of 3)"

    def test_what_is_not_known_is_a_dash(self) -> None:
        (line,) = lines(two({"bound": "", "roofline_fraction": NAN}).layers)
        assert (line["Expected"], line["Share of roofline"]) == ("–", "–")

    def test_every_case_names_its_machine_where_there_are_several(self) -> None:
        rows = [row()]
        several = compared([box("a", rows), box("b", rows), box("c", rows)])
        assert [line["Machine"] for line in lines(several.worst_cases)] == ["b", "c"]
        assert "Machine" not in two().worst_cases.header

    def test_what_cannot_be_compared_is_told_by_kind(self) -> None:
        base = [
            row(batch=1),
            *(row(batch=b) for b in (2, 4, 8, 16)),
            row(batch=32, status="timeout"),
            row(batch=64, layer="lstm"),
            row(batch=128, status="oom"),
        ]
        other = [
            row(batch=1),
            row(batch=32),
            row(batch=64, layer="lstm", status="oom", reason="killed at 8 GiB"),
            row(batch=128, status="oom"),
            row(batch=256),
        ]
        found = lines(compared([box("old", base), box("new", other)]).missing)
        assert [(line["What"], line["Cases"]) for line in found] == [
            ("only in old", "4"),
            ("timeout on old", "1"),
            ("oom on new: killed at 8 GiB", "1"),
            ("oom on old, oom on new", "1"),
            ("only in new", "1"),
        ]
        assert found[0]["Which"].endswith("b8-units=256 and 1 more")

    def test_of_three_what_one_lacks_is_in_no_mean_and_told(self) -> None:
        base = box("a", [row(batch=b) for b in (1, 2)])
        found = compared([base, box("b", [row(batch=b) for b in (1, 2)]), box("c", [row(batch=1)])])
        assert [(line["Machine"], line["What"]) for line in lines(found.missing)] == [
            ("b", "not measured on every machine, and so in no mean"),
            ("c", "only in a"),
        ]


class TestCircumstances:
    def test_software_comes_first_and_apart_from_the_machines(self) -> None:
        base = box("old", [row()])
        other = box("new", [row()], versions={"torch": "2.14.0"}, os="Linux 7", python="3.12.1")
        found = compared([base, other])
        ((heading, software),) = found.software.items()
        assert heading.startswith("old and new differ in software")
        assert software == [
            "Python: 3.11.9 → 3.12.1",
            "operating system: Linux 6.8.0 → Linux 7",
            "keras: 3.15.1 → not installed",
            "tensorflow: 2.21.0 → not installed",
            "torch: 2.13.0+cpu → 2.14.0",
        ]
        assert found.hardware == {}

    def test_drivers_are_software_and_cards_are_hardware(self) -> None:
        cards = [{"name": "H100", "driver": "580.1"}]
        found = compared([box("old", [row()]), box("new", [row()], gpus=cards)])
        assert list(found.software.values()) == [["GPU driver: none → 580.1"]]
        assert list(found.hardware.values()) == [["GPU: none → H100"]]

    def test_one_device_does_not_stand_for_its_model(self) -> None:
        assert any("does not stand for its model" in said for said in two().remarks)

    def test_what_a_watt_gives_is_not_told_and_that_is_said(self) -> None:
        told = "No power was measured, so nothing is told of items/s per watt"
        assert told in Page(document.render(two())).text
        assert told in markdown.comparison(two())

    def test_one_machine_at_two_times_is_a_comparison_in_time(self) -> None:
        base = box("here", [row()])
        later = Result("later", base.frame, [{**base.runs[0], "run_id": "later run"}])
        (said,) = compared([base, later]).remarks
        assert said.startswith("here and later are of one machine, measured at different times")

    def test_devices_that_one_side_lacks_are_told(self) -> None:
        cuda = box("gpu", [row(), row(device="cuda")])
        said = " ".join(compared([box("cpu", [row()]), cuda]).remarks)
        assert "--across-devices" in said
        assert "--across-devices" not in " ".join(two().remarks)

    def test_devices_that_were_set_side_by_side_are_no_remark(self) -> None:
        cpu, gpu = box("cpu box", [row()]), box("gpu box", [row(), row(device="cuda")])
        sides = compared(by_device([cpu, gpu]))
        of_a_report = section(pd.concat([cpu.frame, gpu.frame]), [*cpu.runs, *gpu.runs])
        for found in (sides, of_a_report):
            assert found is not None
            assert len(found.others) == 2
            assert "--across-devices" not in " ".join(found.remarks)


class TestTerminal:
    def test_differences_defiers_layers_cases_and_verdict_stand_in_this_order(self) -> None:
        text = shown(pair())
        parts = [
            "base: old, old run (quick, ",
            "other: new, new run (quick, ",
            "What defies the ceilings, against old",
            "another bound: compute → overhead",
            "By layer, against old",
            "By case",
            "as the geometric mean of 6 common cases",
            "1 of 6 layers, modes and frameworks defies",
            "does not stand for its model",
        ]
        places = [text.index(part) for part in parts]
        assert places == sorted(places)

    def test_of_very_many_cases_the_worst_are_listed_and_what_it_comes_to_is_last(self) -> None:
        batches = range(1, terminal.MOST_CASES + 4)
        base = box("old", [row(1e-3, batch=b) for b in batches])
        found = compared([base, box("new", [row(1e-3 * b, batch=b) for b in batches])])
        text = shown(found)
        listed = text.partition("By case, the worst 40 of 43")[2].partition("A ratio is")[0]
        assert listed.count("units=256") == terminal.MOST_CASES
        assert "/b43-" in listed
        assert "/b3-" not in listed
        assert shown(pair()).count("By case\n") == 1

    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_no_line_is_wider_than_the_terminal(self, width: int) -> None:
        assert max(map(len, shown(pair(), width).splitlines())) <= width


class TestPage:
    @pytest.fixture(scope="class")
    def text(self) -> str:
        rows = [
            row(layer=layer, mode=mode) for layer in ("a", "b") for mode in ("forward", "train")
        ]
        slow = [row(9e-3, layer=layer) for layer in ("a", "b")]
        return document.render(compared([box("x", rows), box("y", rows), box("z", slow)]))

    def test_is_well_formed_and_needs_nothing(self, text: str) -> None:
        page = Page(text)
        assert page.open == []
        assert "://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
        ids = Counter(page.attributes("id"))
        assert [name for name, number in ids.items() if number > 1] == []
        assert set(page.attributes("aria-labelledby")) <= ids.keys()
        assert page.text.count("y and z against x") > 1

    def test_is_the_same_bytes_when_made_twice(self) -> None:
        assert document.render(pair()) == document.render(pair())

    def test_draws_the_fastest_layer_first_with_every_machine(self) -> None:
        times = {"quick": 0.5e-3, "slow": 4e-3}
        base = box("old", [row(1e-3, layer=layer) for layer in times])
        other = box("new", [row(seconds, layer=layer) for layer, seconds in times.items()])
        (drawing,) = compared([base, other]).charts
        assert Page(drawing.svg).drawings() == [
            "Time ratios by layer, forward. quick, new: 0.500×; slow, new: 4.00×."
        ]
        places = [drawing.svg.index(f">{name}</text>") for name in ("quick", "slow")]
        assert places == sorted(places)

    def test_the_key_stands_only_beside_several(self) -> None:
        rows = [row()]
        assert two().key == []
        several = compared([box("a", rows), box("b", rows), box("c", rows)])
        assert [figure.title for figure in several.key] == ["b", "c"]

    def test_markdown_holds_the_same(self) -> None:
        text = markdown.comparison(pair())
        assert text.startswith("# new against old\n")
        assert "| lstm | forward | torch eager | 1.00× (0.874–1.14) | 0.100× |" in text
        assert "as the geometric mean of 6 common cases" in text
        assert "| lstm | forward |" in text.split("By layer.")[1]


class TestReport:
    def both(self, *frames: pd.DataFrame) -> pd.DataFrame:
        return pd.concat(frames, ignore_index=True)

    def test_several_machines_are_compared_with_the_first(self) -> None:
        left, right = box("left", [row(1e-3)]), box("right", [row(2e-3)])
        table = self.both(left.frame, right.frame)
        runs = [*left.runs, *right.runs]
        found = section(table, runs)
        assert found is not None
        assert (found.base.name, [other.name for other in found.others]) == ("left", ["right"])
        assert [line["Expected"] for line in lines(found.layers)] == ["1.00×"]
        page = Page(html.render(table, runs))
        assert "right takes 2.00× (1.75–2.29) the time of left" in page.text
        assert any(
            text.startswith("Time ratios by layer, forward. dense, right")
            for text in page.drawings()
        )
        assert "## Machines compared" in markdown.render(table, runs)

    def test_one_machine_has_no_such_section(self) -> None:
        one = box("one", [row()])
        assert section(one.frame, one.runs) is None
        assert section(pd.DataFrame(), []) is None
        assert "Machines compared" not in html.render(one.frame, one.runs)

    def test_several_devices_of_one_machine_are_compared(self) -> None:
        table = frame([row(4e-3), row(1e-3, device="cuda")])
        found = section(table, [run()])
        assert found is not None
        assert (found.base.name, found.others[0].name) == ("box, cpu", "box, cuda")
        assert "box, cuda takes 0.250× (" in " ".join(found.verdicts["box, cuda"])

    def test_devices_above_the_cap_are_matched_as_the_comparison_matches_them(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caps, "ROWS", 10)
        both = [2**index for index in range(12)]
        cpu = [row(4e-3, batch=batch) for batch in [*range(1001, 1031), *both]]
        gpu = [row(1e-3, batch=batch, device="cuda") for batch in [*both, *range(2001, 2031)]]
        found = section(frame([*cpu, *gpu]), [run()])
        assert found is not None
        assert len(found.compared) == 10
        assert found.compared["common"].all()
        (mean, *_) = found.verdicts["box, cuda"]
        assert mean.endswith("as the geometric mean of 10 common cases.")
        assert found.apart[0].startswith("Of all cases 10 are compared here, first those that most")

    def test_machines_whose_cases_are_all_above_the_cap_are_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caps, "ROWS", 4)
        rows = [row(batch=batch) for batch in range(1, 7)]
        alone = [row(layer="lstm", batch=batch) for batch in range(1, 7)]
        sides = [box("a", alone), box("b", rows), box("c", rows)]
        found = section(self.both(*(side.frame for side in sides)), [])
        assert found is not None
        assert (found.base.name, [other.name for other in found.others]) == ("b", ["c"])
        assert "a measured none of them, and so cannot be compared." in found.apart

    def test_a_machine_that_shares_too_little_is_left_out_and_named(self) -> None:
        rows = [row(batch=b) for b in (1, 2, 4)]
        sides = [box("a", rows), box("b", rows), box("c", rows[:1]), box("d", [row(layer="lstm")])]
        found = section(self.both(*(side.frame for side in sides)), [])
        assert found is not None
        assert [other.name for other in found.others] == ["b"]
        assert found.apart == (
            "c is left out: it measured 1 of the 3 cases that a and b measured.",
            "d is left out: it measured 0 of the 3 cases that a and b measured.",
        )

    def test_machines_with_nothing_in_common_are_named_and_no_more(self) -> None:
        table = self.both(box("a", [row()]).frame, box("b", [row(layer="lstm")]).frame)
        text = Page(html.render(table, [])).text
        assert "b is left out: it measured 0 of the 1 cases that a measured." in text
        assert "b is left out" in markdown.render(table, [])


class TestHostileText:
    EVIL = "<script>alert(1)</script>|`\"' onload=x $x^2$ \x1b[31m\u202e\n# a" + "x" * 5000

    def found(self) -> Section:
        told = {"layer": self.EVIL, "execution_path": self.EVIL, "framework_version": self.EVIL}
        other = {**told, "execution_path": "B" + self.EVIL, "framework_version": "B" + self.EVIL}
        rows = [row(**told, batch=1), row(**told, batch=2)]
        failed = row(**told, batch=2, status="oom", reason=self.EVIL)
        new = [row(9e-3, **other, batch=1), failed]
        gpus = [{"name": self.EVIL, "driver": self.EVIL}]
        return compared(
            [
                box(self.EVIL, rows),
                box(f"other {self.EVIL}", new, os=self.EVIL, gpus=gpus),
                box(f"third {self.EVIL}", rows),
            ]
        )

    def test_stays_text_in_the_page(self) -> None:
        page = Page(document.render(self.found()))
        assert page.open == []
        assert len(page.scripts) == 1
        assert not any(page.attributes("onload"))
        assert "<script>alert(1)</script>" in page.text
        assert "\x1b" not in page.text

    def test_stays_text_in_markdown_and_in_the_terminal(self) -> None:
        text = markdown.comparison(self.found())
        assert "<script>" not in text
        assert "\n# a" not in text
        assert "\x1b" not in text
        assert "\x1b" not in shown(self.found())

    def test_in_a_report_too(self) -> None:
        found = self.found()
        table = pd.concat([found.base.frame, found.others[0].frame], ignore_index=True)
        page = Page(html.render(table, found.runs))
        assert page.open == []
        assert len(page.scripts) == 1


def test_a_run_that_says_nothing_is_no_obstacle() -> None:
    bare = Result(
        "b", box("b", [row()]).frame, [{"machine": machine(machine_id=None), "workers": None}]
    )
    found = compared([box("a", [row()]), bare])
    assert document.render(found)
    assert shown(found)

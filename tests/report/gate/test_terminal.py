"""What a gate found, in a terminal."""

from __future__ import annotations

import io

import outcomes
import pytest
from rich.console import Console

from harness.gate.outcome import Outcome, Verdict
from harness.report.gate import terminal


def shown(outcome: Outcome, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(terminal.render(outcome))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_verdict_is_the_last_line_and_changes_come_worst_first() -> None:
    text = shown(outcomes.full())
    assert text.rstrip().splitlines()[-1].startswith("3 of 6 cases are worse: 1 regression")
    order = ["lstm", "multi_head", "dropout", "gru", "conv2d", "bilinear", "rms_norm"]
    places = [text.index(f"\n{name}") for name in order]
    assert places == sorted(places)
    assert "1.23× (1.20–1.27)" in text
    assert "2 figures shown to be the same" in text
    assert "dense/" not in text


def test_nothing_found_needs_no_table() -> None:
    same = outcomes.case("a/torch", outcomes.latency(verdict=Verdict.SAME))
    text = shown(outcomes.outcome(same))
    assert "Visible from" not in text
    assert text.rstrip().endswith("Nothing became worse in 1 case.")


@pytest.mark.parametrize("hostile", outcomes.HOSTILE, ids=range(len(outcomes.HOSTILE)))
def test_hostile_text_controls_nothing(hostile: str) -> None:
    text = shown(outcomes.hostile(hostile), 60)
    assert not set(text) & set("\x1b\x07\x00\r\u202e\u2066\ud800")


def test_time_and_memory_come_before_the_counts_that_may_explain_them() -> None:
    slower = outcomes.latency(1.2, Verdict.REGRESSION)
    more = outcomes.exact("operators", 5, 20_000, Verdict.REGRESSION)
    text = shown(outcomes.outcome(outcomes.case("a/torch", slower, more)))
    assert "Worst: a/torch, latency 1.20×" in text
    assert text.index(" latency ") < text.index(" operators ")
    assert "Worst: a/torch, operators" in shown(outcomes.outcome(outcomes.case("a/torch", more)))

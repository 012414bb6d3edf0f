"""What is seen of a run while it goes, on a terminal of known size and by a clock of our own."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from harness.cli.progress import Progress
from harness.runner import Event
from harness.types import Case, Measurement, Status

CASES = [Case("dense", "torch", "cpu", "forward", "eager", "float32", 1, b, None) for b in (1, 2)]


class Screen:
    """A progress on a console in memory, its clock moved by hand."""

    def __init__(self, *, terminal: bool = True, width: int = 100) -> None:
        self.now = 0.0
        self.console = Console(
            file=io.StringIO(), width=width, height=40, force_terminal=terminal, color_system=None
        )
        self.progress = Progress(self.console, lambda: self.now)

    def round(self, probe: str, index: int, *, passes: int | None, each_s: float) -> None:
        """A round from its start to its last case."""
        self.progress(Event(probe, index, passes, 0, len(CASES)))
        for done, case in enumerate(CASES, start=1):
            self.now += each_s
            self.progress(
                Event(probe, index, passes, done, len(CASES), measurement(case, probe, index))
            )

    def take(self) -> str:
        """What was written since the last time, without the codes that move the cursor."""
        file = self.console.file
        assert isinstance(file, io.StringIO)
        text = file.getvalue()
        file.seek(0)
        file.truncate()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)


def measurement(case: Case, probe: str = "latency", index: int = 0, **changes: Any) -> Measurement:
    if probe == "memory":
        small = "VmHWM, below 128 KiB"
        return Measurement(case, probe, index, Status.OK, "2026", memory_method=small)
    found = Measurement(case, probe, index, Status.OK, "2026", samples_s=(1e-3, 1.1e-3, 1.2e-3))
    return replace(found, **changes)


def test_a_round_is_on_the_screen_before_its_first_case_is_done() -> None:
    screen = Screen()
    with screen.progress:
        screen.progress(Event("latency", 0, 3, 0, 12))
        shown = screen.take()
    assert "pass 1 of 3" in shown
    assert "0/12  starting" in shown


def test_time_left_is_told_for_the_pass_and_for_the_whole_run() -> None:
    screen = Screen()
    with screen.progress:
        screen.progress(Event("latency", 0, 3, 0, 4))
        screen.now = 10.0
        screen.progress(Event("latency", 0, 3, 1, 4, measurement(CASES[0])))
        # 30 s of this pass, 20 s for memory, two passes of 40 s.
        assert "1/4  0:30 left in this pass, about 2:10 in all" in screen.take()


def test_later_rounds_are_foretold_by_the_passes_seen() -> None:
    screen = Screen()
    with screen.progress:
        screen.round("latency", 0, passes=3, each_s=30.0)
        screen.take()
        screen.progress(Event("memory", 0, 3, 0, 2))
        screen.now += 4.0
        screen.progress(Event("memory", 0, 3, 1, 2, measurement(CASES[0], "memory")))
        assert "0:04 left in this round, about 2:04 in all" in screen.take()
        screen.progress(Event("latency", 1, 3, 0, 2))
        screen.now += 50.0  # the first case waits for the worker to start, and foretells nothing
        screen.progress(Event("latency", 1, 3, 1, 2, measurement(CASES[0], index=1)))
        assert "0:30 left in this pass, about 1:30 in all" in screen.take()


def test_a_budget_leaves_the_whole_run_open() -> None:
    screen = Screen()
    with screen.progress:
        screen.round("latency", 0, passes=None, each_s=3.0)
        shown = screen.take()
    assert "0:03 left in this pass" in shown
    assert "in all" not in shown


def test_memory_too_small_to_read_shows_its_bound() -> None:
    screen = Screen()
    with screen.progress:
        screen.round("latency", 0, passes=1, each_s=1.0)
        assert "<128" not in screen.take()
        screen.round("memory", 0, passes=1, each_s=1.0)
        assert "<128 KiB" in screen.take()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_cursor_rests_on_an_empty_line_where_an_echoed_key_cannot_wrap(width: int) -> None:
    screen = Screen(width=width)
    with screen.progress:
        screen.round("latency", 0, passes=3, each_s=1.0)
        assert screen.take().split("\n")[-1].strip() == ""


def test_without_a_terminal_there_are_plain_lines() -> None:
    screen = Screen(terminal=False)
    with screen.progress:
        screen.progress(Event("latency", 0, 2, 0, 1))
        screen.progress(Event("latency", 0, 2, 1, 1, measurement(CASES[0])))
        screen.round("latency", 1, passes=2, each_s=1.0)
    assert screen.take().splitlines() == [
        "pass 1 of 2: 1 case",
        f"1/1  {CASES[0].id}  1.10 ms  ±9.09 %  –  ok",
        "pass 2 of 2: 2 cases",
    ]


def test_without_a_terminal_failures_of_later_passes_are_told_too() -> None:
    screen = Screen(terminal=False)
    failed = measurement(CASES[0], index=1, status=Status.OOM, samples_s=())
    with screen.progress:
        screen.progress(Event("latency", 1, 2, 1, 1, failed))
    assert screen.take().rstrip().endswith("oom")

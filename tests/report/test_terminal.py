"""Tables for a terminal, read off a console without colours."""

from __future__ import annotations

import io
import re
from typing import Any

import pandas as pd
import pytest
from frames import NAN, frame, machine, quick, row, run
from rich.console import Console, RenderableType

from harness.compare.machines import Result
from harness.report import legend, terminal
from harness.report.machines.section import compared


def shown(content: RenderableType, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def compared_text(
    base: pd.DataFrame,
    other: pd.DataFrame,
    run_of_other: dict[str, Any] | None = None,
    width: int = 160,
) -> str:
    sides = [Result("base", base, [run()]), Result("other", other, [run_of_other or run()])]
    return shown(terminal.comparison(compared(sides)), width)


def test_results_show_latency_interval_memory_and_status_side_by_side() -> None:
    members = [row(1.5e-3, peak_memory_bytes=2.0**21), row(framework="tensorflow", status="oom")]
    text = shown(terminal.results(frame(members)))
    (line,) = (line for line in text.splitlines() if "1.50ms" in line)
    assert line.split() == ["dense", "forward", "b32", "1.50ms", "±9.55%", "2.00MiB", "oom"]
    assert "†" not in text
    assert "dense/tensorflow/cpu/forward/eager/float32/b32-units=256" in text
    assert "Of 2 cases, 1 gave a latency and 1 failed (1 oom)" in text


def test_setting_is_named_only_where_it_varies_within_a_layer() -> None:
    same = shown(terminal.results(frame([row(), row(layer="lstm", params={"hidden": 8})])))
    assert "units=256" not in same
    varied = shown(terminal.results(frame([row(), row(params={"units": 8}), row(threads=2)])))
    assert "1 thread, units=256" in varied
    assert "2 threads, units=256" in varied


def test_comparison_names_differences_above_a_table_from_worst_to_best() -> None:
    batches = {1: 1e-3, 2: 3e-3, 4: 0.1e-3}
    base = frame([*(row(1e-3, batch=b) for b in batches), row(batch=8)])
    other = frame([*(row(s, batch=b) for b, s in batches.items()), row(batch=8, status="crashed")])
    new = run(run_id="run-2", machine=machine(versions={"torch": "2.14.0"}))
    text = compared_text(base, other, new)
    order = [
        "torch: 2.13.0+cpu → 2.14.0",
        "b8-units=256",
        "b2-units=256",
        "b1-units=256",
        "b4-units=256",
        "geometric mean of 3 common cases",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "crashed" in text
    assert "3.00× (2.62–3.43)" in text


def test_comparison_says_where_other_kernels_ran() -> None:
    base = frame([row(execution_path="oneDNN rnn (brgemm)"), row(batch=1)])
    other = frame([row(3e-3, execution_path="oneDNN rnn (ref)"), row(batch=1)])
    text = compared_text(base, other, width=240)
    (line,) = (line for line in text.splitlines() if "b32-units=256  " in line)
    assert "slower; the execution path changed: oneDNN rnn (brgemm) → oneDNN rnn (ref)" in line
    assert "The execution path changed in 1 case:" in text
    same = compared_text(base, base)
    assert "execution path" not in same


def test_results_mark_what_did_not_settle_and_bound_memory_too_small_to_read() -> None:
    small = {"peak_memory_bytes": NAN, "memory_method": "VmHWM, below 128 KiB"}
    members = [row(1e-3, batch=1, converged=False, **small), row(2e-3, batch=2, warmed=False)]
    text = shown(terminal.results(frame(members)))
    assert "1.00ms† ±9.55%  <128KiB" in text
    assert "2.00ms‡ ±9.55%  1.00MiB" in text
    assert "† not converged:" in text
    assert "‡ not warm:" in text


@pytest.mark.parametrize("width", [80, 120, 200])
def test_figures_are_never_broken_across_lines(width: int) -> None:
    text = shown(terminal.results(quick()), width)
    assert max(map(len, text.splitlines())) <= width
    drawn, _, _ = text.partition("median latency ±")
    figures = len(re.findall(r"[\d.]+[µm]?s[†‡]* ±[\d.]+%", drawn))
    assert figures == drawn.count("±") == quick()["latency_s"].notna().sum()


def test_a_comparison_keeps_its_ratios_whole_at_80_columns() -> None:
    members = [row(batch=b) for b in (1, 2)]
    lines = compared_text(frame(members), frame(members), width=80).splitlines()
    assert sum("1.00× (0.874–1.14)   1.00×" in line for line in lines) == 2


@pytest.mark.parametrize("width", [40, 60])
def test_a_very_narrow_terminal_loses_no_column(width: int) -> None:
    lines = compared_text(frame([row()]), frame([row()]), width=width).splitlines()
    assert max(map(len, lines)) <= width
    assert any(line.rstrip().endswith(" seen") for line in lines)


def test_text_in_brackets_is_not_taken_for_markup() -> None:
    evil = "[c, u, v] [bold]x[/bold] :warning: [link=x]"
    text = shown(terminal.results(frame([row(layer="a", status="error", reason=evil)])))
    assert evil in text


def test_a_comparison_says_what_its_intervals_are() -> None:
    text = compared_text(frame([row()]), frame([row()]), width=400)
    assert legend.RATIO in text


def test_hostile_text_neither_styles_nor_controls_the_terminal() -> None:
    evil = "[red]x[/red]\x1b[31m\x07"
    text = shown(terminal.results(frame([row(layer=evil, status="error", reason=evil)])))
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize("empty", [frame([]), pd.DataFrame()], ids=["columns", "nothing"])
def test_no_rows(empty: pd.DataFrame) -> None:
    assert "no case was measured" in shown(terminal.results(empty))


def test_machine_is_described() -> None:
    assert "AMD EPYC 7B13" in shown(terminal.machine(machine()))

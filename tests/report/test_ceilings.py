"""The table of ceilings: each run's best."""

from __future__ import annotations

from typing import Any

from frames import machine, run

from harness.report import ceilings
from harness.report.table import Table


def ceiling(
    flop_per_s: float, rate: float, overhead_s: float, framework: str = "torch", **bench: Any
) -> dict[str, Any]:
    """One record of a journal."""
    return {
        "framework": framework,
        "device": "cpu",
        "threads": 1,
        "dtype": "float32",
        "flop_per_s": flop_per_s,
        "bandwidth": [[2**20, rate]],
        "call_overhead_s": overhead_s,
        **bench,
    }


def lines(table: Table) -> list[dict[str, str]]:
    return [
        {name: cell.text for name, cell in zip(table.header, row, strict=True)}
        for row in table.rows
    ]


def test_each_working_set_has_a_column() -> None:
    tensorflow, torch = lines(ceilings.table([run()]))
    assert torch == {
        "Framework": "torch",
        "Device": "cpu",
        "Threads": "1",
        "dtype": "float32",
        "Compute": "91.0 GFLOP/s",
        "Memory, 32\u00a0KiB": "94.0 GB/s",
        "Memory, 1\u00a0MiB": "41.0 GB/s",
        "Memory, 256\u00a0MiB": "11.5 GB/s",
        "Overhead of a call": "1.90 µs",
    }
    assert tensorflow["Overhead of a call"] == "24.0 µs"


def test_the_best_of_the_passes_counts() -> None:
    passes = [ceiling(5e10, 9e9, 1e-6), ceiling(9e10, 4e9, 2e-6), ceiling(7e10, 5e9, 3e-6)]
    (line,) = lines(ceilings.table([run(ceilings=passes)]))
    assert line["Compute"] == "90.0 GFLOP/s"
    assert line["Memory, 1\u00a0MiB"] == "9.00 GB/s"
    assert line["Overhead of a call"] == "1.00 µs"


def test_what_ceilings_are_measured_for_is_kept_apart() -> None:
    others: list[dict[str, Any]] = [
        {},
        {"framework": "tensorflow"},
        {"device": "cuda"},
        {"threads": 2},
        {"dtype": "bfloat16"},
    ]
    measured = [ceiling(1e10, 1e9, 1e-6, **other) for other in others]
    assert len(lines(ceilings.table([run(ceilings=measured)]))) == len(others)


def test_every_run_shows_its_own() -> None:
    older = run(ceilings=[ceiling(5e10, 9e9, 1e-6)], run_id="old", started_at="2026-01-01")
    newer = run(ceilings=[ceiling(9e10, 9e9, 1e-6)], run_id="new")
    found = lines(ceilings.table([newer, older]))
    assert [(line["Run"], line["Compute"]) for line in found] == [
        ("old", "50.0 GFLOP/s"),
        ("new", "90.0 GFLOP/s"),
    ]
    assert "Machine" not in found[0]


def test_machines_are_named_where_there_are_several() -> None:
    elsewhere = run(machine=machine(machine_id="gpu box"))
    found = lines(ceilings.table([run(), elsewhere]))
    assert {line["Machine"] for line in found} == {"box", "gpu box"}


def test_what_was_not_measured_is_missing() -> None:
    (line,) = lines(ceilings.table([run(ceilings=[{"framework": "torch"}])]))
    assert line["Compute"] == line["Overhead of a call"] == "–"
    assert not ceilings.table([run(ceilings=[])])
    assert not ceilings.table([{}])

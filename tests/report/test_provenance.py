"""Machines, software and runs as tables, and how two results differ."""

from __future__ import annotations

from frames import machine, run

from harness.report import provenance
from harness.report.table import Table


def facts(table: Table) -> dict[str, list[str]]:
    return {line[0].text: [cell.text for cell in line[1:]] for line in table.rows}


def test_machine_table_has_a_column_a_machine_and_a_line_a_package() -> None:
    gpu = {
        "name": "H100",
        "driver": "580.1",
        "memory_bytes": 80 * 2**30,
        "sm_clock_mhz": 1200,
        "max_sm_clock_mhz": 1980,
        "power_limit_w": 700,
    }
    other = machine(machine_id="gpu box", gpus=[gpu], versions={"torch": "2.13.0+cu130"})
    table = provenance.machine_table([run(), run(machine=other)])
    assert table.header == ("Machine", "box", "gpu box")
    found = facts(table)
    assert found["GPU"] == [
        "none",
        "H100, driver 580.1, 80.0 GiB, 1200 of 1980 MHz, limited to 700 W",
    ]
    assert found["torch"] == ["2.13.0+cpu", "2.13.0+cu130"]
    assert found["tensorflow"] == ["2.21.0", "not installed"]


def test_versions_that_changed_between_runs_of_a_machine_are_all_named() -> None:
    later = run(machine=machine(versions={"torch": "2.14.0"}))
    assert facts(provenance.machine_table([run(), later]))["torch"] == ["2.13.0+cpu, 2.14.0"]


def test_unknown_facts_say_so() -> None:
    found = facts(provenance.machine_table([{}]))
    assert found["Clock"] == ["unknown"]
    assert found["Cores"] == ["unknown logical, unknown physical"]


def test_a_machine_that_changed_between_its_runs_says_each() -> None:
    later = run(
        started_at="2026-12-01T10:00:00+00:00", workers=[{"settings": {"tf32": False}}],
        machine=machine(container={"cpus": 1.0}),
    )  # fmt: skip
    found = facts(provenance.machine_table([later, run()]))
    assert found["Container limit"] == ["2 CPUs, 8.00 GiB; 1 CPU"]
    assert found["TF32"] == ["unknown; off"]
    assert found["Memory"] == ["16.0 GiB"]


def test_a_run_that_a_budget_ends_says_so() -> None:
    budgeted = provenance.run_table([run(passes=None, budget_s=90.0), run(passes=None)])
    passes = budgeted.header.index("Passes")
    assert [line[passes].text for line in budgeted.rows] == [
        "as many as fit into 90.0 s",
        "unknown",
    ]


def test_what_a_worker_might_take_is_told_where_it_was_said() -> None:
    table = provenance.run_table([run(max_memory_bytes=2**30), run()])
    limit = table.header.index("Memory limit")
    assert [line[limit].text for line in table.rows] == ["1.00 GiB", "none said"]


def test_differences_name_what_changed_and_nothing_else() -> None:
    other = machine(
        versions={"torch": "2.14.0", "tensorflow": "2.21.0", "keras": "3.15.1"}, git_commit="abc"
    )
    assert provenance.differences([run()], [run(machine=other)]) == [
        "commit: 6237f7b8fa03 with local changes → abc with local changes",
        "torch: 2.13.0+cpu → 2.14.0",
    ]
    assert provenance.differences([run()], [run(run_id="run-2", seed=9)]) == []

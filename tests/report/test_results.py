"""Cells of the tables of results: memory too small to read, and what did not settle."""

from __future__ import annotations

import pytest
from frames import NAN, frame, row

from harness.report import legend, results, rows
from harness.report.table import Cell, Table

SMALL = {"peak_memory_bytes": NAN, "memory_method": "VmHWM, below 128 KiB"}


def column(table: Table, name: str) -> list[Cell]:
    return [line[table.header.index(name)] for line in table.rows]


def every_row(*members: dict[str, object]) -> Table:
    return results.every_row(rows.read(frame(members)))


def test_memory_below_what_can_be_read_shows_its_bound_and_sorts_first() -> None:
    cells = column(every_row(row(**SMALL), row(batch=1)), "Peak memory")
    assert [cell.text for cell in cells] == ["<128 KiB", "1.00 MiB"]
    assert cells[0].figure is not None
    assert cells[1].figure is not None
    assert cells[0].figure < cells[1].figure


def test_memory_has_a_column_even_if_every_peak_is_too_small() -> None:
    assert "Peak memory" in every_row(row(**SMALL)).header
    assert "Peak memory" not in every_row(row(peak_memory_bytes=NAN)).header


def test_parts_of_memory_add_up_and_what_is_not_known_is_said() -> None:
    parts = {"output_bytes": 2.0**20, "saved_bytes": 0.0, "workspace_bytes": 2.0**21}
    known, some = rows.read(frame([row(**parts), row(output_bytes=2.0**20)]))
    assert results.allocated(known) == (
        "3.28 MiB = 256 KiB parameters + 32.0 KiB inputs + 1.00 MiB outputs + 2.00 MiB workspace"
    )
    assert results.allocated(some) == (
        "at least 1.28 MiB = 256 KiB parameters + 32.0 KiB inputs + 1.00 MiB outputs; "
        "the rest is not known"
    )


def test_memory_of_which_no_part_is_known_says_so_unless_the_case_failed() -> None:
    nothing = {"parameter_bytes": NAN, "input_bytes": NAN}
    measured, failed = rows.read(frame([row(**nothing), row(status="oom")]))
    assert results.allocated(measured) == "not known"
    assert results.allocated(failed) == ""


def test_what_a_sparse_layer_computes_and_how_far_it_is_off_have_columns_where_known() -> None:
    table = every_row(row(density=0.125, approximation_error=0.31))
    assert [cell.text for cell in column(table, "Density")] == ["12.5 %"]
    assert [cell.text for cell in column(table, "Approximation error")] == ["0.31"]
    assert not {"Density", "Approximation error"} & set(every_row(row()).header)


def test_a_row_shows_how_many_operators_its_call_ran() -> None:
    table = every_row(row(operators=19.0))
    assert [cell.text for cell in column(table, "Operators")] == ["19"]
    assert "Kernels" not in table.header


@pytest.mark.parametrize(
    ("flags", "marks", "words"),
    [
        ({}, "", "yes"),
        ({"converged": False}, "†", "not converged"),
        ({"warmed": False}, "‡", "not warm"),
        ({"converged": False, "warmed": False}, "†‡", "not converged, not warm"),
    ],
)
def test_what_did_not_settle_is_on_the_row_itself(
    flags: dict[str, bool], marks: str, words: str
) -> None:
    (read,) = rows.read(frame([row(1e-3, **flags)]))
    assert results.latency_cell(read).text == f"1.00 ms{marks} (0.909–1.10)"
    assert results.latency_and_memory_cell(read).text.startswith(f"1.00ms{marks} ±")
    (cell,) = column(results.every_row([read]), "Settled")
    assert cell.text == words
    assert [text[0] for text in legend.explained([read])] == list(marks)


def test_a_row_without_a_latency_has_nothing_to_settle() -> None:
    failed = row(status="oom", converged=False, warmed=False)
    assert [cell.text for cell in column(every_row(failed), "Settled")] == [""]
    assert legend.explained(rows.read(frame([failed]))) == []


def test_failed_checks_are_named_on_the_row_and_listed_apart() -> None:
    members = [row(audit=["trend", "passes"]), row(batch=1)]
    assert [cell.text for cell in column(every_row(*members), "Failed checks")] == [
        "trend, passes",
        "",
    ]
    assert "Failed checks" not in every_row(row()).header
    (listed,) = results.failed_checks(rows.read(frame(members))).rows
    assert [cell.text for cell in listed] == [members[0]["case_id"], "trend, passes"]


def test_what_binds_a_row_is_told_where_it_is_known() -> None:
    assert [cell.text for cell in column(every_row(row(bound="memory")), "Bound by")] == ["memory"]
    assert "Bound by" not in every_row(row(bound="")).header


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (Cell("460 µs", 0.00046), "4.6e-4"),
        (Cell("11.5 µs (10.6–12.5)", 1.150113e-05), "1.15e-5"),
        (Cell("22.6 GFLOP/s", 2.260647e10), "2.261e10"),
        (Cell("24.8 %", 0.2484228), "0.2484"),
        (Cell("1.20 s", 1.2), "1.2"),
        (Cell("<128 KiB", 0.0), "0"),
        (Cell("12", 12.0), ""),
        (Cell("0", 0.0), ""),
        (Cell("ok"), ""),
    ],
)
def test_what_a_cell_sorts_by_is_short_and_left_out_where_its_text_is_just_it(
    cell: Cell, key: str
) -> None:
    assert cell.key == key
    if key and cell.figure is not None:
        assert float(key) == pytest.approx(cell.figure, rel=1e-3)

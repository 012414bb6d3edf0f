"""What has to hold of files whatever they hold: for a short fuzz, and for `python -m tools.fuzz`.

Each target starts from small files that are sound, changes them as its strategy draws, and holds
what comes of it to its property.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import changes
import journals
import pandas as pd
from changes import Change, Files, applied
from fuzzed_checks import check_document, check_message, complaints_of, noticed
from fuzzed_files import (
    files_of_tables,
    folder_of,
    measured,
    names_below,
    outcome,
    sweep_files,
    sweeps_as_json,
)
from hypothesis import strategies as st
from outcomes import HOSTILE

from harness import runner, store, sweep
from harness.gate.outcome import Outcome
from harness.report import gate, html, markdown
from harness.store import parquet
from harness.store.lines import decoded
from harness.store.records import Journaled, sorted_out
from harness.types import Case, UsageError

_Drawn = TypeVar("_Drawn")


@dataclass(frozen=True)
class Target:
    """One thing to be fuzzed.

    Attributes:
        name: of what reads the files.
        inputs: draws what is done to the files.
        holds: the property; an input breaks it by an exception.
    """

    name: str
    inputs: st.SearchStrategy[Any]
    holds: Callable[[Any], None]


def journal_of_bytes(changed: list[Change]) -> None:
    """Each line that is as it was counts, each other one is counted and named, and no more."""
    files = applied(changed, measured())
    whole = set(measured()[journals.JOURNAL].splitlines())
    lines = files[journals.JOURNAL].split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    sound = list(dict.fromkeys(line for line in lines if line in whole))
    once = [json.loads(line) for line in lines if line in whole]
    again = sum(record["kind"] in TOLD_ONCE for record in once)
    records = [json.loads(line) for line in sound]
    first = sum(record["kind"] in TOLD_ONCE for record in records)
    taken = [record for record in records if record["kind"] == "measurement"]
    with folder_of(files) as folder, noticed() as told:
        frame = store.load(folder)
        lost = len(lines) - sum(line in whole for line in lines) + again - first
        assert sum(damage.lines for damage in told) == lost
        assert len(frame) == len(json.loads(files[journals.PLAN])["cases"])
        assert frame["passes"].sum() == sum(
            record["probe"] == "latency" and record["status"] == "ok" for record in taken
        )
        samples = store.load_samples(folder)
        assert len(samples) == sum(len(record["samples_s"]) for record in taken)
        assert names_below(folder) == set(files)


def run_of_json(changed: list[Change]) -> None:
    """Lines that say what cannot be are told, and what loads is the same from Parquet."""
    files = applied(changed, measured())
    sound: list[pd.DataFrame] = []
    with folder_of(files) as folder:
        with noticed():
            record = store.read_run(folder)
            found = sorted_out(record)
            lost = found.damage.lines if found.damage else 0
            told = lost + _sound(found)
            lines = files[journals.JOURNAL].splitlines()
            assert told <= len(lines) <= told + sum(map(_of_a_later_kind, lines))
            sound.append(store.load(folder))
        with noticed():
            store.load_runs(folder)
        assert names_below(folder) == set(files)
        if sound:
            _check_collected(folder, record, *sound)
        inside = {journals.PLAN, journals.JOURNAL, journals.CASES, journals.SAMPLES}
        assert names_below(folder.parents[1]) <= {
            "results", "results/run", *(f"results/run/{name}" for name in inside)
        }  # fmt: skip


def _check_collected(folder: Path, record: store.RunRecord, frame: pd.DataFrame) -> None:
    """What loads of a journal is the same from the Parquet that is made of it."""
    assert frame["case_id"].tolist() == [case.id for case in record.cases]
    with journals.noticed(lambda damage: None):
        samples = store.load_samples(folder)
        store.collect(folder)
        pd.testing.assert_frame_equal(store.load(folder / journals.CASES), frame)
        pd.testing.assert_frame_equal(store.load_samples(folder / journals.SAMPLES), samples)


def _of_a_later_kind(line: bytes) -> bool:
    """Whether this layerbench ignores a line, as it is of a kind that there was not yet."""
    with contextlib.suppress(ValueError):
        return decoded(line + b"\n", checked=True)["kind"] not in KINDS
    return False


TOLD_ONCE = ("measurement", "round")
"""Of which a second line is named."""
KINDS = ("measurement", "worker", "ceilings", "round")
"""Of the records of the run that is changed."""


def _sound(found: Journaled) -> int:
    """Lines that count; of some kinds only the last one of many does."""
    return (
        sum(map(len, found.latency.values()))
        + len(found.memory)
        + len(found.ceilings)
        + len(found.workers)
        + len(found.rounds)
    )


def tables_of_bytes(changed: list[Change]) -> None:
    """A Parquet file is read as it was, or told; a CSV file loses lines and is told."""
    files = applied(changed, files_of_tables())
    before = _whole_tables()
    with folder_of(files) as folder:
        for name, load in ((journals.CASES, store.load), (journals.SAMPLES, store.load_samples)):
            with noticed():
                pd.testing.assert_frame_equal(load(folder / name), before[name])
            with noticed():
                pd.testing.assert_frame_equal(load(folder), before[name])
        with noticed() as told:
            frame = store.load(folder / "results.csv")
            lost = sum(damage.lines for damage in told)
            _check_lines(files["results.csv"], len(frame), lost)
        assert names_below(folder) == set(files)


def _check_lines(content: bytes, loaded: int, lost: int) -> None:
    """Lines of a CSV file that are as they were load, unless a quote before them never ends."""
    header, *known = files_of_tables()["results.csv"].splitlines()
    first, *lines = content.split(b"\n")
    if first != header:
        return
    others = [line for line in lines if line and line not in known]
    assert loaded + lost <= len(lines)
    if all(line.count(b'"') % 2 == 0 and b"\r" not in line for line in others):
        assert loaded >= sum(line in known for line in lines)
        assert lost <= len(others)


@cache
def _whole_tables() -> Mapping[str, pd.DataFrame]:
    with folder_of(files_of_tables()) as folder:
        return {
            journals.CASES: store.load(folder / journals.CASES),
            journals.SAMPLES: store.load_samples(folder / journals.SAMPLES),
        }


@dataclass(frozen=True)
class Cell:
    """A value in a column of a table; of none in all of its rows."""

    column: str
    row: int | None
    value: Any


def table_of_cells(cells: Sequence[Cell]) -> None:
    """Rows that say what cannot be are left out and counted, from Parquet as from CSV."""
    frame = _whole_tables()[journals.CASES].astype("object")
    for cell in cells:
        where = range(len(frame)) if cell.row is None else [cell.row % len(frame)]
        place = frame.columns.get_loc(cell.column)
        column = frame[cell.column].tolist()
        for row in where:
            column[row] = cell.value
        frame = frame.drop(columns=cell.column)
        frame.insert(place, cell.column, pd.Series(column, dtype="object"))
    with contextlib.ExitStack() as stack:
        try:
            content = {"cases.parquet": parquet.to_parquet(frame)}
        except Exception:  # no such file can be
            content = {}
        with contextlib.suppress(UnicodeEncodeError):
            content["results.csv"] = store.to_csv(frame).encode()
        folder = stack.enter_context(folder_of(content))
        for name in content:
            with noticed() as told:
                found = store.load(folder / name)
                assert len(found) + sum(damage.lines for damage in told) == len(frame)
                check_document(".md", markdown.render(found, []))


def sweep_of_bytes(drawn: tuple[str, list[Change]]) -> None:
    name, changed = drawn
    _check_sweep(applied(changed, sweep_files())[name])


def sweep_of_json(drawn: tuple[str, list[Change]]) -> None:
    name, changed = drawn
    files = applied(changed, sweeps_as_json())
    text = "".join(
        f"{_key(key)} = {_toml(value)}\n" for key, value in json.loads(files[name]).items()
    )
    _check_sweep(text.encode())


def _check_sweep(content: bytes) -> None:
    """It is a plan of bounded size whose cases can be typed back, or a mistake told in a line."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        file = Path(folder, "sweep.toml")
        file.write_bytes(content)
        try:
            plan = runner.make_plan(runner.Request(sweep=str(file)))
        except UsageError as error:
            check_message(str(error))
        else:
            assert 0 < len(plan.cases) <= sweep.MOST_CASES
            for case in plan.cases[:50]:
                assert Case.parse(case.id) == case
        assert names_below(Path(folder)) == {"sweep.toml"}


def _key(key: str) -> str:
    return json.dumps(key)


def _toml(value: Any) -> str:
    """A value as TOML would have it; nothing is what TOML has no word for."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_key(key)} = {_toml(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf").replace("null", "[]")


EXPORTED = {
    "markdown": ".md",
    "csv": ".csv",
    "json": ".json",
    "bencher": ".json",
    "github-action-benchmark": ".json",
    "pytest-benchmark": ".json",
}
"""Formats with the suffix of their files."""


def texts_of_json(changed: list[Change]) -> None:
    """A comparison and every format are made, or it is told why not; what came stays text."""
    formats = [f"--format={name}=../../out/{name}{EXPORTED[name]}" for name in EXPORTED]
    _check_command(measured(), changed, "export", *formats, "other")
    _check_command(measured(), changed, "compare", "run.json", "other", "--out", "../../out")


def page_of_json(drawn: tuple[bool, list[Change]]) -> None:
    """A report is made, or it is told why not; what came stays text.

    Args:
        drawn: whether of few cases, and what is changed.
    """
    few, changed = drawn
    _check_command(measured(few), changed, "report", "other", "--out", "../../out")


def _check_command(files: Files, changed: list[Change], *typed: str) -> None:
    """Types a command beside a run of these files and, in ``other``, the same after the changes."""
    with folder_of(files) as folder, contextlib.chdir(folder):
        (folder / "other").mkdir()
        for name, content in applied(changed, files).items():
            (folder / "other" / name).write_bytes(content)
        top = folder.parents[1]
        there = names_below(top)
        for line in complaints_of(typed):
            assert line.startswith("layerbench: ")
            check_message(line)
        written = names_below(top) - there
        assert all(Path(name).parts[0] == "out" and name.count(os.sep) < 2 for name in written)
        for file in (top / "out").glob("*"):
            check_document(file.suffix, file.read_text(encoding="utf-8"))


def outcome_of_changes(changed: list[Change]) -> None:
    """It is refused in a line, or read, and then every format can tell it."""
    content = applied(changed, outcome())["outcome.json"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "outcome.json")
        file.write_bytes(content)
        try:
            found = Outcome.from_file(file)
        except UsageError as error:
            check_message(str(error))
            return
        assert Outcome.from_text(found.to_text()) == found
        for name, render in gate.FORMATS.items():
            suffix = {"markdown": ".md", "summary": ".md", "junit": ".xml"}.get(name, ".json")
            check_document(suffix, render(found))
        check_document(".html", html.render(store.empty(), [], outcomes=[found]))


def _lengths(files: Files, *names: str) -> dict[str, int]:
    return {name: len(files[name]) for name in names or files}


def _lists(change: st.SearchStrategy[_Drawn]) -> st.SearchStrategy[list[_Drawn]]:
    return st.lists(change, min_size=1, max_size=3)


def _table_bytes() -> st.SearchStrategy[Change]:
    names = (journals.CASES, journals.SAMPLES, "results.csv")
    return changes.of_bytes(_lengths(files_of_tables(), *names))


def _cells() -> st.SearchStrategy[Cell]:
    columns, rows = st.sampled_from(list(store.COLUMNS)), st.none() | st.integers(0, 20)
    return st.builds(Cell, columns, rows, changes.VALUES)


def _of_sweep(change: st.SearchStrategy[Change]) -> st.SearchStrategy[tuple[str, list[Change]]]:
    return st.tuples(st.sampled_from(list(sweep_files())), _lists(change))


def _of_reports(few: bool) -> st.SearchStrategy[list[Change]]:
    return _lists(changes.of_json(changes.documents(measured(few)), HOSTILE_VALUES))


def _of_outcome() -> st.SearchStrategy[Change]:
    said = changes.of_json(changes.documents(outcome()), HOSTILE_VALUES)
    return said | changes.of_bytes(_lengths(outcome()))


HOSTILE_VALUES = st.sampled_from([*HOSTILE, *changes.NUMBERS]) | changes.VALUES

# Deferred, as the files are made when the first input is drawn, and not by importing this.
TARGETS = (
    Target("journal, bytes", st.deferred(lambda: _lists(changes.of_bytes(
        _lengths(measured(), journals.JOURNAL)))), journal_of_bytes),
    Target("run, values", st.deferred(lambda: _lists(changes.of_json(
        changes.documents(measured())))), run_of_json),
    Target("tables, bytes", st.deferred(lambda: _lists(_table_bytes())), tables_of_bytes),
    Target("tables, values", st.deferred(lambda: _lists(_cells())), table_of_cells),
    Target("sweep, bytes", st.deferred(lambda: _of_sweep(changes.of_bytes(
        _lengths(sweep_files())))), sweep_of_bytes),
    Target("sweep, values", st.deferred(lambda: _of_sweep(changes.of_json(
        changes.documents(sweeps_as_json())))), sweep_of_json),
    Target("texts, values", st.deferred(lambda: _of_reports(False)), texts_of_json),
    Target("report, values", st.deferred(lambda: st.one_of(
        *(st.tuples(st.just(few), _of_reports(few)) for few in (True, True, True, False)))),
           page_of_json),
    Target("outcome", st.deferred(lambda: _lists(_of_outcome())), outcome_of_changes),
)  # fmt: skip

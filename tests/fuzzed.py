"""What has to hold of files whatever they hold: for a short fuzz, and for `python -m tools.fuzz`.

Each target starts from small files that are sound, changes them as its strategy draws, and holds
what comes of it to its property.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import changes
import example_rows
import exit_status
import journals
import pandas as pd
from changes import Change, Files, applied
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from outcomes import HOSTILE
from pages import Page

from harness import runner, store, sweep
from harness.damage import Damage
from harness.gate.outcome import Outcome
from harness.report import gate, html, markdown
from harness.store import parquet
from harness.store.lines import sealed
from harness.store.records import Journaled, sorted_out
from harness.types import Case, HarnessError, UsageError

LONGEST_MESSAGE = 5000
"""Letters of what is told of a file, however large or odd it is."""


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


# ---------------------------------------------------------------------------------------- seeds


@cache
def measured(few: bool = False) -> Files:
    """A run of the example, cut down: two frameworks, a series, memory, failures, ceilings.

    Args:
        few: whether to leave out what a page takes long to draw.
    """
    (folder,) = example_rows.RESULTS.glob("*/*-9616")
    plan = json.loads((folder / journals.PLAN).read_bytes())
    cases = [case for case in plan["cases"] if _kept(case)]
    if few:
        cases = [case for case in cases if case["layer"] == "dense"][1:]
    found = []
    for record in journals.records(folder):
        if "case" in record and record["case"] not in cases:
            continue
        for name in ("samples_s", "paired_samples_s", "doubled_samples_s"):
            if name in record:
                record[name] = record[name][:4]
        if record.get("disturbances"):
            record["disturbances"] = [[0, 1, "waiting", 0.1]]
        if record["kind"] != "measurement" or record["pass_index"] < 2:
            found.append(record)
    lines = [sealed(json.dumps(record).encode()[:-1]) for record in found]
    plan |= {"cases": cases, "passes": 2}
    return {journals.PLAN: json.dumps(plan).encode(), journals.JOURNAL: b"".join(lines)}


def _kept(case: Mapping[str, Any]) -> bool:
    kept = {
        ("dense", "torch"): (None,),
        ("dense", "tensorflow"): (None,),
        ("attention_plain", "torch"): (1024,),
        ("attention_plain", "tensorflow"): (8192,),
        ("sliding_window_attention", "torch"): (1024,),
    }
    return case["mode"] == "train" and case["seq"] in kept.get(
        (case["layer"], case["framework"]), ()
    )


@cache
def files_of_tables() -> Files:
    """The same run as `layerbench collect` and `export` write it."""
    with _folder(measured()) as folder:
        frame = store.load(folder)
        store.collect(folder)
        return {
            **measured(),
            **{name: (folder / name).read_bytes() for name in (journals.CASES, journals.SAMPLES)},
            "results.csv": store.to_csv(frame).encode(),
        }


# ------------------------------------------------------------------------------------ in common


@contextlib.contextmanager
def _folder(files: Files) -> Iterator[Path]:
    """A run's folder with these files, and nothing else anywhere near."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "results", "run")
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        yield folder


def names_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def check_message(text: str) -> None:
    """One line that a terminal shows as it is, and that somebody can read."""
    assert 0 < len(text) < LONGEST_MESSAGE, len(text)
    assert text.isprintable(), ascii(text)


@contextlib.contextmanager
def _noticed() -> Iterator[list[Damage]]:
    """Nothing but damage may be warned of, and an error of a line may be raised."""
    with warnings.catch_warnings(), journals.noticed(lambda damage: None) as told:
        warnings.simplefilter("error")
        warnings.simplefilter("always", store.DamagedResultsWarning)
        try:
            yield told
        except HarnessError as error:
            check_message(str(error))
        for damage in told:
            check_message(damage.what)


# ---------------------------------------------------------------------------------- load: journal


def journal_of_bytes(changed: list[Change]) -> None:
    """Each line that is as it was counts, each other one is counted and named, and no more."""
    files = applied(changed, measured())
    whole = set(measured()[journals.JOURNAL].splitlines())
    lines = files[journals.JOURNAL].split(b"\n")
    lines = lines[:-1] if lines[-1] == b"" else lines
    sound = list(dict.fromkeys(line for line in lines if line in whole))
    again = sum(b'"kind": "measurement"' in line for line in lines if line in whole)
    records = [json.loads(line) for line in sound]
    taken = [record for record in records if record["kind"] == "measurement"]
    with _folder(files) as folder, _noticed() as told:
        frame = store.load(folder)
        lost = len(lines) - sum(line in whole for line in lines) + again - len(taken)
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
    with _folder(files) as folder:
        with _noticed():
            record = store.read_run(folder)
            found = sorted_out(record)
            lost = found.damage.lines if found.damage else 0
            assert lost + _sound(found) == len(files[journals.JOURNAL].splitlines())
            sound.append(store.load(folder))
        with _noticed():
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


def _sound(found: Journaled) -> int:
    """Lines that count; of some kinds only the last one of many does."""
    return (
        sum(map(len, found.latency.values()))
        + len(found.memory)
        + len(found.ceilings)
        + len(found.workers)
        + len(found.rounds)
    )


# ----------------------------------------------------------------------------------- load: tables


def tables_of_bytes(changed: list[Change]) -> None:
    """A Parquet file is read as it was, or told; a CSV file loses lines and is told."""
    files = applied(changed, files_of_tables())
    before = _whole_tables()
    with _folder(files) as folder:
        for name, load in ((journals.CASES, store.load), (journals.SAMPLES, store.load_samples)):
            with _noticed():
                pd.testing.assert_frame_equal(load(folder / name), before[name])
            with _noticed():
                pd.testing.assert_frame_equal(load(folder), before[name])
        with _noticed() as told:
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
    with _folder(files_of_tables()) as folder:
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
        folder = stack.enter_context(_folder(content))
        for name in content:
            with _noticed() as told:
                found = store.load(folder / name)
                assert len(found) + sum(damage.lines for damage in told) == len(frame)
                check_document(".md", markdown.render(found, []))


# ------------------------------------------------------------------------------------------ sweep


@cache
def sweep_files() -> Files:
    folder = Path(sweep.__file__).parents[1] / "suites" / "sweeps"
    return {name: (folder / f"{name}.toml").read_bytes() for name in ("example", "attention")}


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


@cache
def sweeps_as_json() -> Files:
    import tomllib

    return {
        name: json.dumps(tomllib.loads(content.decode())).encode()
        for name, content in sweep_files().items()
    }


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


# ----------------------------------------------------------------------------------------- report


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
    with _folder(files) as folder, contextlib.chdir(folder):
        (folder / "other").mkdir()
        for name, content in applied(changed, files).items():
            (folder / "other" / name).write_bytes(content)
        top = folder.parents[1]
        there = names_below(top)
        for line in _typed(typed):
            assert line.startswith("layerbench: ")
            check_message(line)
        written = names_below(top) - there
        assert all(Path(name).parts[0] == "out" and name.count(os.sep) < 2 for name in written)
        for file in (top / "out").glob("*"):
            check_document(file.suffix, file.read_text(encoding="utf-8"))


def _typed(arguments: Sequence[str]) -> list[str]:
    """What a command complains of; it ends in an exit status that is documented."""
    complaints = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(complaints):
            status = exit_status.of(arguments)
    assert status in (0, 2, 3, 4), (status, complaints.getvalue())
    return complaints.getvalue().splitlines()


class Tags(HTMLParser):
    """Every tag and attribute of a text that may be no whole page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


def check_document(suffix: str, text: str) -> None:
    """Well-formed, and no text of the input has become a part of its notation."""
    if suffix == ".html":
        page = Page(text)
        assert page.open == []
        assert len(page.scripts) <= 1
        names = {tag for tag, _ in page.tags}
        names |= {name for _, attributes in page.tags for name in attributes}
    elif suffix == ".md":
        names = Tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(text)).names
    elif suffix == ".xml":
        names = {element.tag for element in ElementTree.fromstring(text.encode()).iter()}
    else:
        return
    assert "fuzz" not in names


# ---------------------------------------------------------------------------------------- outcome


@cache
def outcome() -> Files:
    content = json.loads((example_rows.RESULTS / "outcome.json").read_bytes())
    content["cases"] = content["cases"][:4]
    return {"outcome.json": json.dumps(content).encode()}


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


# ---------------------------------------------------------------------------------------- targets


def _lengths(files: Files, *names: str) -> dict[str, int]:
    return {name: len(files[name]) for name in names or files}


def _lists(change: st.SearchStrategy[Change]) -> st.SearchStrategy[list[Change]]:
    return st.lists(change, min_size=1, max_size=3)


def targets() -> list[Target]:
    """All of them, in the order of the module."""
    plan_and_journal = changes.documents(measured())
    hostile = st.sampled_from([*HOSTILE, *changes.NUMBERS]) | changes.VALUES
    of_sweeps = changes.of_json(changes.documents(sweeps_as_json()))
    names = st.sampled_from(list(sweep_files()))

    of_runs = {
        few: changes.of_json(changes.documents(measured(few)), hostile) for few in (True, False)
    }

    def of_report(few: bool) -> st.SearchStrategy[tuple[bool, list[Change]]]:
        return st.tuples(st.just(few), _lists(of_runs[few]))

    the_outcome = changes.of_json(changes.documents(outcome()), hostile)
    cell = st.builds(
        Cell, st.sampled_from(list(store.COLUMNS)), st.none() | st.integers(0, 20), changes.VALUES
    )
    tables = _lengths(files_of_tables(), journals.CASES, journals.SAMPLES, "results.csv")
    return [
        Target("journal, bytes", _lists(changes.of_bytes(_lengths(measured(), journals.JOURNAL))),
               journal_of_bytes),
        Target("run, values", _lists(changes.of_json(plan_and_journal)), run_of_json),
        Target("tables, bytes", _lists(changes.of_bytes(tables)), tables_of_bytes),
        Target("tables, values", st.lists(cell, min_size=1, max_size=3), table_of_cells),
        Target("sweep, bytes", st.tuples(names, _lists(changes.of_bytes(_lengths(sweep_files())))),
               sweep_of_bytes),
        Target("sweep, values", st.tuples(names, _lists(of_sweeps)), sweep_of_json),
        Target("texts, values", of_report(False).map(lambda drawn: drawn[1]), texts_of_json),
        Target("report, values", st.sampled_from([True, True, True, False]).flatmap(of_report),
               page_of_json),
        Target("outcome", _lists(the_outcome | changes.of_bytes(_lengths(outcome()))),
               outcome_of_changes),
    ]  # fmt: skip

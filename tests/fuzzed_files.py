"""The small sound files that a fuzz starts from, and folders to put them into."""

from __future__ import annotations

import contextlib
import json
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import example_rows
import journals
from changes import Files

from harness import store, sweep
from harness.store.lines import sealed


@cache
def measured(few: bool = False) -> Files:
    """A run of the example, cut down: two frameworks, a series, memory, failures, ceilings.

    Args:
        few: whether to leave out what a page takes long to draw.
    """
    each = example_rows.RESULTS.glob(f"*/*/{journals.JOURNAL}")
    folder = max(each, key=lambda journal: journal.stat().st_size).parent
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
    with folder_of(measured()) as folder:
        frame = store.load(folder)
        store.collect(folder)
        return {
            **measured(),
            **{name: (folder / name).read_bytes() for name in (journals.CASES, journals.SAMPLES)},
            "results.csv": store.to_csv(frame).encode(),
        }


@cache
def sweep_files() -> Files:
    folder = Path(sweep.__file__).parents[1] / "suites" / "sweeps"
    return {name: (folder / f"{name}.toml").read_bytes() for name in ("example", "attention")}


@cache
def sweeps_as_json() -> Files:
    return {
        name: json.dumps(tomllib.loads(content.decode())).encode()
        for name, content in sweep_files().items()
    }


@cache
def outcome() -> Files:
    content = json.loads((example_rows.RESULTS / "outcome.json").read_bytes())
    content["cases"] = content["cases"][:4]
    return {"outcome.json": json.dumps(content).encode()}


@contextlib.contextmanager
def folder_of(files: Files) -> Iterator[Path]:
    """A run's folder with these files, and nothing else anywhere near."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "results", "run")
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        yield folder


def names_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}

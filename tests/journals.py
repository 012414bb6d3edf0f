"""The files of a run that are not as they were written, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import store
from harness.damage import Damage, noticed
from harness.store.lines import encoded

JOURNAL, PLAN, CASES, SAMPLES = "journal.jsonl", "run.json", "cases.parquet", "samples.parquet"


def records(folder: Path) -> list[dict[str, Any]]:
    """The records of a run's journal, without what their lines carry for themselves."""
    text = (folder / JOURNAL).read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    for record in found:
        record.pop("crc32", None)
    return found


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Changes each record in place, and gives it the checksum that fits."""
    found = records(folder)
    for record in found:
        change(record)
    write(folder, found)


def write(folder: Path, found: list[dict[str, Any]]) -> None:
    """Makes these the records of a run's journal."""
    lines = [encoded(one["kind"], {k: v for k, v in one.items() if k != "kind"}) for one in found]
    (folder / JOURNAL).write_bytes(b"".join(lines))


def change_plan(folder: Path, **changes: Any) -> None:
    """Has a run's plan say something else."""
    path = folder / PLAN
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, **changes}), encoding="utf-8")


def loaded(
    path: Path | list[Path], load: Callable[..., Any] = store.load
) -> tuple[Any, list[Damage]]:
    """What loads, and the damage that is told of."""
    with noticed(lambda damage: None) as told:
        return load(path), told


def flip(path: Path, byte: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1 << bit
    path.write_bytes(content)


def line_of(folder: Path, us: int, pass_index: int = 0, probe: str = "latency") -> int:
    """The number of the line that holds this measurement, from 1."""
    for number, record in enumerate(records(folder), start=1):
        about = record.get("case", {}).get("params"), record.get("pass_index"), record.get("probe")
        if record["kind"] == "measurement" and about == ({"us": us}, pass_index, probe):
            return number
    raise AssertionError(f"no line of {us}, {pass_index}, {probe}")


def replace_line(folder: Path, number: int, line: bytes) -> bytes:
    """Puts another line in its place, and gives the one that was there."""
    path = folder / JOURNAL
    all_lines = path.read_bytes().splitlines(keepends=True)
    before, all_lines[number - 1] = all_lines[number - 1], line
    path.write_bytes(b"".join(all_lines))
    return before

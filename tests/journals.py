"""Journals that are not as they were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.store.lines import encoded


def records(folder: Path) -> list[dict[str, Any]]:
    """The records of a run's journal, without what their lines carry for themselves."""
    text = (folder / "journal.jsonl").read_text(encoding="utf-8")
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
    (folder / "journal.jsonl").write_bytes(b"".join(lines))


def change_plan(folder: Path, **changes: Any) -> None:
    """Has a run's plan say something else."""
    path = folder / "run.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plan, **changes}), encoding="utf-8")

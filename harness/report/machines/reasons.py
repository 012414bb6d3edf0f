"""What differs between the two sides of a layer that defies what the ceilings let expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.compare.frames import Row
from harness.compare.lines import Line

NONE_FOUND = "none found"


def reasons(line: Line) -> str:
    """What is known to differ, base → machine, and may be why; it was not put to the test."""
    return "; ".join(_found(line)) or NONE_FOUND


def _found(line: Line) -> Iterator[str]:
    paths = [_path_change(case) for case in line.cases if case["path_change"]]
    bounds = [(_bound(case["base_bound"]), _bound(case["other_bound"])) for case in line.cases]
    changed = [" → ".join(pair) for pair in bounds if pair[0] != pair[1]]
    for what, changes in (("execution path", paths), ("bound", changed)):
        if changes:
            yield f"another {what}{_in(line, len(changes))}: {_commonest(changes)}"
    columns = {
        "framework_version": line.value("framework"),
        "device": "another device:",
        "threads": "other threads:",
    }
    for column, what in columns.items():
        before, after = (line.value(f"{side}_{column}") for side in ("base", "other"))
        if before != after:
            yield f"{what} {before} → {after}"


def _path_change(case: Row) -> str:
    """What is on one path only, as the rest may be long."""
    before, after = (case[f"{side}_execution_path"].split(", ") for side in ("base", "other"))
    gone = ", ".join(part for part in before if part not in after)
    new = ", ".join(part for part in after if part not in before)
    return f"{gone or 'no more'} → {new or 'no more'}" if gone or new else case["path_change"]


def _bound(value: object) -> str:
    return value if isinstance(value, str) and value else "unknown"


def _commonest(texts: list[str]) -> str:
    ((text, _),) = Counter(texts).most_common(1)
    return text


def _in(line: Line, number: int) -> str:
    """Of how many cases that holds, if not of all."""
    return "" if number == len(line.cases) else f" in {number} of {len(line.cases)} cases"

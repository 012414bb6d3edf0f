"""What differs between the two sides of a layer that defies what the ceilings let expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness import units
from harness.compare.frames import Row
from harness.compare.lines import Line

NONE_FOUND = "none found"


def reasons(line: Line, base: str) -> str:
    """What is known to differ and may be why; it was not put to the test.

    Args:
        line: of one layer in one framework.
        base: the name of the base.
    """
    return "; ".join(_found(line, base, line.value("machine"))) or NONE_FOUND


def _found(line: Line, base: str, machine: str) -> Iterator[str]:
    if changes := [_path_change(case) for case in line.cases if case["path_change"]]:
        ((commonest, _),) = Counter(changes).most_common(1)
        yield f"another execution path{_in(line, len(changes))}: {commonest}"
    pairs = [(_bound(case["base_bound"]), _bound(case["other_bound"])) for case in line.cases]
    if differing := [(before, after) for before, after in pairs if before != after]:
        (((before, after), _),) = Counter(differing).most_common(1)
        how = f"bound by {before} on {base} and by {after} on {machine}"
        yield f"{how}{_in(line, len(differing))}"
    for column, what in (("framework_version", f"{line.value('framework')} "), ("device", "")):
        before, after = (line.value(f"{side}_{column}") for side in ("base", "other"))
        if before != after:
            yield f"{what}{before} on {base}, {after} on {machine}"
    threads = [int(line.cases[0][f"{side}_threads"]) for side in ("base", "other")]
    if threads[0] != threads[1]:
        yield f"{units.count(threads[0], 'thread')} on {base}, {threads[1]} on {machine}"


def _path_change(case: Row) -> str:
    """What is on one path only, as ``A → B``: the rest may be long."""
    before, after = (case[f"{side}_execution_path"].split(", ") for side in ("base", "other"))
    gone = ", ".join(part for part in before if part not in after)
    new = ", ".join(part for part in after if part not in before)
    return f"{gone or 'no more'} → {new or 'no more'}" if gone or new else case["path_change"]


def _bound(value: object) -> str:
    return value if isinstance(value, str) and value else "nothing known"


def _in(line: Line, number: int) -> str:
    """Of how many cases that holds, if not of all."""
    return "" if number == len(line.cases) else f" in {number} of {len(line.cases)} cases"

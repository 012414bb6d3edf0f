"""Results of several machines, or of one at several times, held against one of them.

A ratio alone does not tell a slow machine from a layer that runs badly on it. The measured ceilings
of both machines do: a case bound by compute should take as much longer as a product of matrices
does, one bound by memory as moving its bytes does, one bound by overhead as the smallest call does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import units
from harness.compare.frames import Row, cases_anywhere, latest, records
from harness.compare.pairs import RUN_COLUMNS, runs
from harness.store.roofline import Roof, expected_ratio, roof
from harness.types import Case

if TYPE_CHECKING:
    import pandas as pd

_OF_EACH = (
    *("roofline_fraction", "bound", "framework_version"),
    *("execution_path", "device", "threads"),
)
_OF_A_CASE = (
    *("layer", "framework", "device", "mode", "execution"),
    *("dtype", "threads", "batch", "seq"),
)
_NEEDED = dict.fromkeys(("case_id", "run_id", *_OF_A_CASE, *_OF_EACH, "flops", "bytes"))
"""Columns that are read besides those of `harness.compare.runs`, each once."""
CASE_COLUMNS = (
    *RUN_COLUMNS,
    *(f"{side}_{name}" for name in _OF_EACH for side in ("base", "other")),
    "expected",
    "machine",
    "common",
)


@dataclass(frozen=True, eq=False)
class Result:
    """One side of a comparison.

    Attributes:
        name: unique among the sides.
        frame: its rows, as `harness.store.load` gives them.
        runs: what the ``run.json`` of each of its runs holds, with its ceilings.
    """

    name: str
    frame: pd.DataFrame
    runs: Sequence[Mapping[str, Any]]


def names(frames: Sequence[pd.DataFrame], paths: Sequence[str]) -> list[str]:
    """A name for each result: its machine's; else its folder's; else its path.

    The first of these that tells all results apart is taken for all of them.

    Args:
        frames: the results.
        paths: where they were read from, as typed.
    """
    of_machines = [_only(frame, "machine_id") for frame in frames]
    of_folders = [_folder(Path(path)).name for path in paths]
    for found in (of_machines, of_folders, list(paths)):
        if all(found) and len(set(found)) == len(found):
            return found
    return [f"{path} ({number})" for number, path in enumerate(paths, start=1)]


def _only(frame: pd.DataFrame, column: str) -> str:
    """The value that all rows share; empty if there are several, or none."""
    values = [] if frame.empty else list(frame[column].unique())
    return str(values[0]) if len(values) == 1 else ""


def _folder(path: Path) -> Path:
    return (path.parent if path.is_file() else path).resolve()


def by_device(results: Sequence[Result]) -> list[Result]:
    """Each result once for each device and number of threads, with case ids that leave both out.

    What tells the parts apart is added to the name: ``gpu-box, cuda``.
    """
    places = {place for result in results for place in _places(result.frame)}
    several = len({device for device, _ in places}) > 1, len({count for _, count in places}) > 1
    return [_part(result, *place, several) for result in results for place in _places(result.frame)]


def _places(frame: pd.DataFrame) -> list[tuple[str, int]]:
    if frame.empty:
        return []
    pairs = zip(frame["device"], frame["threads"], strict=True)
    return sorted({(str(device), int(threads)) for device, threads in pairs})


def _part(result: Result, device: str, threads: int, several: tuple[bool, bool]) -> Result:
    frame = result.frame
    here = frame[(frame["device"] == device) & (frame["threads"] == threads)]
    words = (device, units.count(threads, "thread"))
    told = [word for word, tell in zip(words, several, strict=True) if tell]
    return replace(
        result,
        name=", ".join([result.name, *told]),
        frame=here.assign(case_id=cases_anywhere(here)),
    )


def against(base: Result, others: Sequence[Result]) -> pd.DataFrame:
    """What became of each case of ``base`` in each of the others.

    Returns:
        One row a case and other result with `CASE_COLUMNS`: those of `harness.compare.runs`; of
        either side the share of the roofline, the bound, the framework's version, the execution
        path, the device and the threads; the ratio that the ceilings let expect, NaN where none
        does; the name of the other result; and whether the case has a latency in the base and in
        all of the others.

    Raises:
        NothingToCompareError: one of the others has no case in common with the base.
        UsageError: a result holds several machines.
    """
    import pandas as pd

    before = _under_roofs(base)
    rows = [row for other in others for row in _against(base, before, other)]
    # A side that lacks a case has no threads; floats would tell 1 from 1.0 in what differs.
    counts = {f"{side}_threads": "Int64" for side in ("base", "other")}
    cases = pd.DataFrame(rows, columns=list(CASE_COLUMNS[:-1])).astype(counts)
    measured = cases[cases["ratio"].notna()]
    sides = measured.groupby("case_id")["machine"].nunique()
    return cases.assign(common=cases["case_id"].isin(sides.index[sides == len(others)]))


def _against(
    base: Result, before: Mapping[str, _UnderRoof], other: Result
) -> Iterator[dict[str, Any]]:
    after = _under_roofs(other)
    for case in records(runs(base.frame, other.frame, (base.name, other.name))):
        sides = before.get(case["case_id"]), after.get(case["case_id"])
        yield {**case, **_facts(*sides), "machine": other.name}


@dataclass(frozen=True)
class _UnderRoof:
    row: Row
    roof: Roof | None


def _under_roofs(result: Result) -> dict[str, _UnderRoof]:
    """Each case's latest row, under the ceilings of the run that it is from."""
    ceilings = {
        str(run.get("run_id")): [one for one in run.get("ceilings") or () if _is_whole(one)]
        for run in result.runs
    }
    return {
        str(row["case_id"]): _UnderRoof(row, _roof(row, ceilings.get(str(row["run_id"]), [])))
        for row in records(latest(result.frame).reindex(columns=list(_NEEDED)))
    }


def _roof(row: Row, ceilings: Sequence[Mapping[str, Any]]) -> Roof | None:
    case = Case(*(row[name] for name in _OF_A_CASE))
    return roof(case, _known(row, "flops"), _known(row, "bytes"), ceilings)


def _known(row: Row, name: str) -> float | None:
    value = row.get(name)
    return value if _is_figure(value) else None


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _is_whole(ceiling: Any) -> bool:
    """Whether a record of ceilings holds every figure; a run.json may come from anyone."""
    return (
        isinstance(ceiling, Mapping)
        and {"framework", "device", "threads", "dtype"} <= ceiling.keys()
        and all(_is_figure(ceiling.get(name)) for name in ("flop_per_s", "call_overhead_s"))
        and isinstance(curve := ceiling.get("bandwidth"), Sequence)
        and len(curve) > 0
        and all(map(_is_point, curve))
    )


def _is_point(point: Any) -> bool:
    return isinstance(point, Sequence) and len(point) == 2 and all(map(_is_figure, point))


def _facts(before: _UnderRoof | None, after: _UnderRoof | None) -> dict[str, Any]:
    facts = {
        f"{side}_{name}": found.row.get(name) if found else None
        for name in _OF_EACH
        for side, found in (("base", before), ("other", after))
    }
    expected = None
    if before and after and before.roof and after.roof:
        expected = expected_ratio(str(before.row.get("bound")), before.roof, after.roof)
    return {**facts, "expected": math.nan if expected is None else expected}

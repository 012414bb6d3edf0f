"""Plain sentences, computed from the data: what was measured, and what came of it.

A sentence is plain text; whoever lays it out escapes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from harness import compare, units
from harness.damage import Damage
from harness.report.provenance import Run, cpu_model, gpu_names, machine_id
from harness.report.rows import NOT_MEASURED, Row, mode_order
from harness.types import Status

if TYPE_CHECKING:
    import pandas as pd

_CPU = "cpu"
_DAMAGED = 5
"""Files that are told one by one."""


def title(rows: Sequence[Row], runs: Sequence[Run]) -> str:
    """``9 layers in torch and tensorflow on AMD EPYC 7B13 and NVIDIA H100``: what did the work."""
    if not rows:
        return "No results"
    layers = units.count(len({row.layer for row in rows}), "layer")
    devices: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        devices.setdefault((row.machine_id, row.run_id), set()).add(row.device)
    used = (
        _processors(run, devices.get((machine_id(run), str(run.get("run_id"))), {_CPU}))
        for run in runs
    )
    where = together(dict.fromkeys(name for names in used for name in names))
    text = f"{layers} in {together(_frameworks(rows))}"
    return f"{text} on {where}" if where else text


def _processors(run: Run, devices: Set[str]) -> list[str]:
    """What these devices of a run's machine are, as far as it is known."""
    found = [cpu_model(run)] if _CPU in devices else []
    return [*found, *(gpu_names(run) if devices - {_CPU} else ())]


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """The number of rows by status: ok, then what failed, the commonest first, then the rest."""
    found = Counter(row.status for row in rows)
    statuses = sorted(
        (status for status in Status if found[status]),
        key=lambda status: (status is not Status.OK, status in NOT_MEASURED, -found[status]),
    )
    return {str(status): found[status] for status in statuses}


def notes(frame: pd.DataFrame, newest: Sequence[Row], runs: Sequence[Run]) -> list[str]:
    """What a reader must know of the data before reading any figure of it.

    Args:
        frame: all rows.
        newest: of each case and machine the last.
        runs: what the ``run.json`` of each run holds.
    """
    found = []
    if len(frame) and not runs:
        found.append("No description of the machine or the software came with these results.")
    missing = sum(run.get("planned") or 0 for run in runs) - len(frame)
    if missing > 0:
        found.append(f"{units.count(missing, 'planned case')} left no row: a run is incomplete.")
    if older := len(frame) - len(newest):
        found.append(
            f"Charts and comparisons leave out {units.count(older, 'row')} of earlier runs: a "
            "later run on the same machine measured the case again."
        )
    machines_named = {row.machine_id for row in newest}
    if len(machines_named) > 1:
        found.append(
            f"The figures are from {len(machines_named)} machines. Lines and columns name theirs; "
            "frameworks are compared within a machine only."
        )
    if "device_time_s" in frame and frame["device_time_s"].notna().any():
        found.append(
            "Latency is wall time until the device has finished. Device time, in the table of "
            "all rows, is the time between two events on the device's stream around a block of "
            "calls, over the calls; where the host cannot keep up, it holds the device's waiting "
            "too."
        )
    return found


def damaged(damage: Sequence[Damage]) -> str:
    """``damaged 3 lines in 1 file``; empty if nothing is."""
    if not damage:
        return ""
    lines = units.count(sum(one.lines for one in damage), "line")
    return f"damaged {lines} in {units.count(len(damage), 'file')}"


def damage_notes(damage: Sequence[Damage]) -> list[str]:
    """Each damaged file, without the folders above its run."""
    told = [
        f"Damaged: {one.path.parent.name}/{one.path.name}: {one.what}." for one in damage[:_DAMAGED]
    ]
    rest = len(damage) - len(told)
    return [*told, f"{units.count(rest, 'more file')} damaged."] if rest > 0 else told


def ratio_sentence(mean: Mapping[str, Any]) -> str:
    """``Against torch eager, tensorflow eager takes 1.45× (1.38–1.53) the time …``."""
    text = _ratio(mean)
    cases = units.count(mean["cases"], "common case")
    return (
        f"Against {mean['base']}, {mean['other']} takes {text} the time, "
        f"as the geometric mean of {cases}"
    )


def _ratio(mean: Mapping[str, Any]) -> str:
    return units.ratio_interval(mean["ratio"], mean["ratio_low"], mean["ratio_high"])


def example(rows: Sequence[Row]) -> Row | None:
    """The row that explains how to read a row: the measured one with the most figures."""
    measured = [row for row in rows if row.latency is not None]
    return max(
        measured,
        key=lambda row: sum(
            figure is not None
            for figure in (
                row.p90_s,
                row.peak_memory_bytes,
                row.roofline_fraction,
                row.parity_error,
            )
        ),
        default=None,
    )


def together(names: Iterable[str]) -> str:
    """``a, b and c``."""
    *rest, last = list(names) or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def measured(rows: Sequence[Row], runs: Sequence[Run]) -> str:
    """What was measured: software, machine, modes and sizes."""
    software = together(
        _software([row for row in rows if row.framework == framework])
        for framework in _frameworks(rows)
    )
    places = [f"{cpu_model(run)} with {together(gpu_names(run)) or 'no GPU'}" for run in runs]
    where = together(dict.fromkeys(places)) or together(
        dict.fromkeys(row.machine_id for row in rows)
    )
    sizes = [f"batch size {_values(row.batch for row in rows)}"]
    if lengths := _values(row.seq for row in rows if row.seq is not None):
        sizes.append(f"sequence length {lengths}")
    devices = together(dict.fromkeys(row.device for row in rows))
    modes = together(sorted({row.mode for row in rows}, key=mode_order))
    dtypes = together(dict.fromkeys(row.dtype for row in rows))
    threads = _values(row.threads for row in rows)
    return (
        f"Measured with {software}, on {where} ({devices}, {dtypes}, threads: {threads}): "
        f"{modes}, at {' and '.join(sizes)}."
    )


def _frameworks(rows: Iterable[Row]) -> list[str]:
    names = {row.framework for row in rows}
    return sorted(names, key=lambda name: compare.configuration_order(name, ""))


def _software(rows: Sequence[Row]) -> str:
    """``tensorflow 2.21.0 (eager, compiled)``, from the rows of one framework."""
    versions = together(dict.fromkeys(filter(None, (row.framework_version for row in rows))))
    executions = ", ".join(dict.fromkeys(row.execution for row in rows))
    return f"{rows[0].framework} {versions or 'of unknown version'} ({executions})"


def tally(rows: Sequence[Row]) -> str:
    """How many cases gave a latency, how many failed and how, and how many could not be tried."""
    measured = sum(row.latency is not None for row in rows)
    failed = counts(row for row in rows if row.failed)
    left_out = counts(row for row in rows if row.status in NOT_MEASURED)
    parts = [f"{measured} gave a latency"]
    if failed:
        kinds = ", ".join(f"{number} {status}" for status, number in failed.items())
        parts.append(f"{sum(failed.values())} failed ({kinds})")
    else:
        parts.append("none failed")
    parts += [
        f"{number} {'is' if number == 1 else 'are'} {status.replace('_', ' ')}"
        for status, number in left_out.items()
    ]
    return f"Of {units.count(len(rows), 'case')}, {together(parts)}."


def compared(rows: Sequence[Row], pairs: pd.DataFrame) -> list[str]:
    """How frameworks do against the usual base, a sentence each."""
    frameworks = {row.framework for row in rows}
    if len(frameworks) < 2:
        return [f"Only one framework was run ({together(frameworks)}): nothing to compare it with."]
    place = ("machine_id", "device")
    sides = (*place, "base", "other")
    means = compare.records(compare.summary(pairs, sides))
    if not means:
        return ["No case was measured in two frameworks, so frameworks cannot be compared."]
    layers = compare.records(compare.summary(pairs, (*sides, "layer", "mode")))
    # With n configurations there are n² pairs; the usual base's stand for them here.
    bases: dict[tuple[str, ...], str] = {}
    for mean in means:
        bases.setdefault(tuple(mean[name] for name in place), mean["base"])
    sentences = []
    for mean in means:
        where = tuple(mean[name] for name in place)
        if mean["base"] != bases[where]:
            continue
        text = ratio_sentence(mean)
        own = [layer for layer in layers if all(layer[side] == mean[side] for side in sides)]
        least, most = (pick(own, key=lambda layer: float(layer["ratio"])) for pick in (min, max))
        if least is not most:
            text += (
                f"; from {_ratio(least)} for {least['layer']} {least['mode']}"
                f" to {_ratio(most)} for {most['layer']} {most['mode']}"
            )
        named = f" ({mean['device']} of {mean['machine_id']})" if len(bases) > 1 else ""
        sentences.append(f"{text}{named}.")
    return sentences


def disturbed(rows: Iterable[Row]) -> list[str]:
    """``disturbed 3 of 12``, of those rows that were watched; nothing if none was."""
    watched = [row for row in rows if row.disturbed is not None]
    found = sum(bool(row.disturbed) for row in watched)
    return [f"disturbed {found or 'none'} of {len(watched)}"] if watched else []


def failed_checks(rows: Iterable[Row]) -> str:
    """``3 rows failed a check of themselves (passes 2, trend 1)``; empty if none did."""
    flagged = [row for row in rows if row.audit]
    if not flagged:
        return ""
    found = Counter(check for row in flagged for check in row.audit)
    each = ", ".join(f"{check} {number}" for check, number in found.most_common())
    whose = "itself" if len(flagged) == 1 else "themselves"
    return f"{units.count(len(flagged), 'row')} failed a check of {whose} ({each})"


def _values(values: Iterable[int]) -> str:
    return together(str(value) for value in sorted(set(values)))

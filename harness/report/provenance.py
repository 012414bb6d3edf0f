"""Tables of the machines, software and runs that figures come from, and how two of them differ.

A run is the dict that its ``run.json`` holds. Anything in it may be missing or of another type, as
the file may come from anyone: it is then unknown.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from harness import units
from harness.report.table import Cell, Table
from harness.report.text import no_device

Run: TypeAlias = Mapping[str, Any]

UNKNOWN = "unknown"
_ABSENT = "not installed"
_LONGEST_NAME = 100
_LONGEST_COMMAND, _LONGEST_CALL = 2**18, 2**16
_LARGEST = 1e18
"""No figure of a machine is larger; a file from a stranger may hold an integer of any length."""


def in_order(runs: Iterable[Run]) -> list[Run]:
    """The runs as they were started."""
    return sorted(runs, key=lambda run: str(run.get("started_at")))


def machines(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each machine by the machine's id."""
    found: dict[str, list[Run]] = {}
    for run in in_order(runs):
        found.setdefault(machine_id(run), []).append(run)
    return found


def machine_id(run: Run) -> str:
    return str(get(run, "machine", "machine_id") or UNKNOWN)


def get(data: Any, *path: str) -> Any:
    """The value at a path of keys, or None."""
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def number(data: Any, *path: str) -> float | None:
    """The number at a path of keys, or None if there is none that can be shown."""
    value = get(data, *path)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return value if known and abs(value) < _LARGEST else None


def gpus(run: Run) -> list[Any]:
    """What is known of each GPU."""
    found = get(run, "machine", "gpus")
    return found if isinstance(found, list) else []


def cpu_model(run: Run) -> str:
    return str(get(run, "machine", "cpu", "model") or "unknown processor")


def gpu_names(run: Run) -> list[str]:
    return [str(get(gpu, "name") or "unknown GPU") for gpu in gpus(run)]


def versions(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Every version of each package that was in use; more than one where runs differ."""
    found: dict[str, list[str]] = {}
    for run in runs:
        installed = get(run, "machine", "versions")
        for name, version in installed.items() if isinstance(installed, Mapping) else ():
            known = found.setdefault(str(name), [])
            if str(version) not in known:
                known.append(str(version))
    return found


def file_name(runs: Sequence[Run]) -> str:
    """``20261122-191213-quick-1251-and-2-more``: what a report of these runs is called.

    A run's id may come from anyone, and leads to no other folder here, nor to a device.
    """
    first = str(runs[0].get("run_id") or "") if runs else ""
    name = no_device(re.sub(r"[^\w.-]+", "_", first)[:_LONGEST_NAME].lstrip(".-") or "results")
    return name if len(runs) < 2 else f"{name}-and-{len(runs) - 1}-more"


def machine_table(runs: Sequence[Run]) -> Table:
    """Hardware and software, one column a machine; where its runs differ, what each found."""
    columns = machines(runs)
    facts: dict[str, Callable[[Run], str]] = {
        "Processor": cpu_model,
        "Cores": _cores,
        "Clock": _clock,
        "Memory": lambda run: units.size(number(run, "machine", "memory_bytes")),
        "Container limit": _container,
        "GPU": lambda run: "; ".join(map(_gpu, gpus(run))) or "none",
        "Operating system": _system,
        "Python": _python,
        "TF32": _tf32,
    }
    rows: list[list[Cell | str]] = [
        [name, *(_each(fact, members, "; ") for members in columns.values())]
        for name, fact in facts.items()
    ]
    for package in sorted(versions(runs)):
        installed = (versions(members).get(package, [_ABSENT]) for members in columns.values())
        rows.append([package, *map(", ".join, installed)])
    return Table.of(("Machine", *columns), rows if columns else [])


def _python(run: Run) -> str:
    return str(get(run, "machine", "python") or UNKNOWN)


def _system(run: Run) -> str:
    return str(get(run, "machine", "os") or UNKNOWN)


def _drivers(run: Run) -> str:
    return ", ".join(_known(get(gpu, "driver")) for gpu in gpus(run)) or "none"


def _tf32(run: Run) -> str:
    """Whether float32 products were rounded to TF32, as the workers settled it."""
    settled = [get(worker, "settings", "tf32") for worker in run.get("workers") or []]
    told = {"on" if each else "off" for each in settled if isinstance(each, bool)}
    return ", ".join(sorted(told)) or UNKNOWN


def run_table(runs: Sequence[Run]) -> Table:
    """How each run was started: what is needed to do it again."""
    return Table.of(
        ("Run", "Started", "Machine", "Sweep", "Passes", "Memory limit", "Seed", "Commit"),
        (
            [
                _known(run.get("run_id")),
                _known(run.get("started_at")),
                machine_id(run),
                _known(run.get("sweep")),
                _passes(run),
                _memory_limit(run),
                _known(run.get("seed")),
                commit(run),
            ]
            for run in runs
        ),
    )


def commands(runs: Iterable[Run]) -> list[str]:
    """The command of each run, each once."""
    return list(dict.fromkeys(filter(None, (own_command(str(run.get("command"))) for run in runs))))


def own_command(command: str) -> str:
    """The command, written anew; empty if it is none of layerbench's.

    It may come from a stranger, and a reader may paste it: quoted word by word it starts one
    program, and that is ours, and of a call in Python it is the call of `harness.run` alone.
    """
    if len(command) > _LONGEST_COMMAND:  # to read it would take long
        return ""
    try:
        words = shlex.split(command)
        if words[:1] == ["layerbench"]:
            return shlex.join(words)
        if len(command) > _LONGEST_CALL:
            return ""
        call = ast.parse(command, mode="eval").body
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "harness.run":
            return ""
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            ast.literal_eval(argument)
        return ast.unparse(call)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ""


def commit(run: Run) -> str:
    """The git commit, and whether the tree held changes of its own."""
    found = get(run, "machine", "git_commit")
    if not found:
        return UNKNOWN
    short = str(found)[:12]
    return f"{short} with local changes" if get(run, "machine", "git_dirty") else short


def differences(base: Sequence[Run], other: Sequence[Run]) -> list[str]:
    """What differs between the circumstances of two results, a sentence each.

    Each of these may explain a difference in latency as well as the code can.
    """
    names = _differing({"machine": machine_id}, base, other)
    return [*names, *hardware(base, other), *software(base, other)]


def hardware(base: Sequence[Run], other: Sequence[Run]) -> list[str]:
    """Of `differences`, those of what a machine is and allows, and how often it was measured."""
    return _differing(
        {
            "processor": cpu_model,
            "clock": _clock,
            "container limit": _container,
            "GPU": lambda run: ", ".join(gpu_names(run)) or "none",
            "passes": _passes,
        },
        base,
        other,
    )


def software(base: Sequence[Run], other: Sequence[Run]) -> list[str]:
    """Of `differences`, those of the code, the system and what is installed."""
    before, after = versions(base), versions(other)
    packages = {
        name: tuple(", ".join(found.get(name, [_ABSENT])) for found in (before, after))
        for name in sorted(before.keys() | after.keys())
    }
    facts: dict[str, Callable[[Run], str]] = {
        "commit": commit,
        "Python": _python,
        "operating system": _system,
        "GPU driver": _drivers,
    }
    return [
        *_differing(facts, base, other),
        *(f"{name}: {old} → {new}" for name, (old, new) in packages.items() if old != new),
    ]


def _differing(
    facts: Mapping[str, Callable[[Run], str]], base: Sequence[Run], other: Sequence[Run]
) -> list[str]:
    told = [(name, _each(fact, base), _each(fact, other)) for name, fact in facts.items()]
    return [f"{name}: {old} → {new}" for name, old, new in told if old != new]


def _each(fact: Callable[[Run], str], runs: Sequence[Run], separator: str = ", ") -> str:
    return separator.join(dict.fromkeys(map(fact, runs)))


def _known(value: Any) -> str:
    return UNKNOWN if value is None or value == "" else str(value)


def _passes(run: Run) -> str:
    budget = run.get("budget_s")
    if run.get("passes") is None and budget:
        return f"as many as fit into {units.seconds(budget)}"
    return _known(run.get("passes"))


def _memory_limit(run: Run) -> str:
    """What a worker for the CPU might take, where that was said."""
    limit_bytes = number(run, "max_memory_bytes")
    return units.size(limit_bytes) if limit_bytes else "none said"


def _cores(run: Run) -> str:
    physical = _known(get(run, "machine", "cpu", "physical_cores"))
    return f"{_known(get(run, 'machine', 'cpu', 'logical_cores'))} logical, {physical} physical"


def _clock(run: Run) -> str:
    cpu = get(run, "machine", "cpu")
    parts = []
    if mhz := number(cpu, "max_mhz"):
        parts.append(f"up to {units.quantity(mhz * 1e6, 'Hz')}")
    if governor := get(cpu, "governor"):
        parts.append(f"governor {governor}")
    if (turbo := get(cpu, "turbo")) is not None:
        parts.append("turbo on" if turbo else "turbo off")
    return ", ".join(parts) or UNKNOWN


def _container(run: Run) -> str:
    cpus = number(run, "machine", "container", "cpus")
    memory = number(run, "machine", "container", "memory_bytes")
    parts = [f"{cpus:g} {'CPU' if cpus == 1 else 'CPUs'}"] if cpus else []
    parts += [units.size(memory)] if memory else []
    return ", ".join(parts) or "none"


def _gpu(gpu: Any) -> str:
    parts = [_known(get(gpu, "name")), f"driver {_known(get(gpu, 'driver'))}"]
    parts.append(units.size(number(gpu, "memory_bytes")))
    clock, fastest = number(gpu, "sm_clock_mhz"), number(gpu, "max_sm_clock_mhz")
    if clock and fastest:
        parts.append(f"{clock:g} of {fastest:g} MHz")
    if power := number(gpu, "power_limit_w"):
        parts.append(f"limited to {power:g} W")
    return ", ".join(parts)

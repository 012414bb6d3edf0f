"""From what someone asks for to a run that can be executed."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from harness import catalogue, devices, frameworks, sweep
from harness.checks import (
    AXES,
    CLOSED,
    COUNTS,
    check_axis,
    check_known,
    check_layer_params,
    check_names,
    check_params,
    check_setting,
    choose,
)
from harness.devices import cpu, machine
from harness.layer import Layer
from harness.runner import arguments, estimate, here
from harness.runner.execute import ruled_out
from harness.runner.workers import check_memory
from harness.search.axis import AXES as SEARCHED
from harness.shapes import Use
from harness.store import RunRecord, read_run, resuming, tidy
from harness.store.writing import make_folder, sync_names, writing
from harness.sweep import Sweep
from harness.types import Case, UsageError, Value


@dataclass(frozen=True)
class Request:
    """A sweep, and what is to be different from it. Empty or None: as the sweep says.

    Attributes:
        sweep: name or TOML file.
        layers: names or patterns.
        axes: values by axis; they win over the sweep's, for every layer and framework.
        params: values by parameter name.
        presets: ``first`` or ``all`` of each layer's, or the name of one.
        cases: case ids; then nothing else is measured.
        suites: files or modules with layers beside the catalogue.
        passes: how many at most; if None and there is a budget, as many as fit.
        budget_s: seconds for all passes together; the first is made in any case.
        rel_ci, sample_s, timeout_s: see `harness.sweep.Sweep`.
        seed: of the order in which cases are measured.
        max_memory_bytes: what a worker for the CPU may take; None for most of what is free.
        insist: on trying cases of which smaller ones ran out of memory.
    """

    sweep: str = sweep.DEFAULT
    layers: Sequence[str] | None = None
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    params: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    presets: str | None = None
    cases: Sequence[str] = ()
    suites: Sequence[str] = ()
    passes: int | None = None
    budget_s: float | None = None
    rel_ci: float | None = None
    sample_s: float | None = None
    timeout_s: float | None = None
    seed: int = 0
    max_memory_bytes: int | None = None
    insist: bool = False

    @classmethod
    def of(cls, **given: Any) -> Self:
        """From looser forms, such as a lone value for a list; None for what is not given.

        Raises:
            UsageError: one of them could mean nothing.
        """
        return cls(**arguments.in_form(given))


@dataclass(frozen=True)
class Plan:
    """What would be measured."""

    request: Request
    sweep: Sweep
    layers: Mapping[str, Layer]
    cases: tuple[Case, ...]
    missing: tuple[str, ...]
    """Frameworks that the sweep would take but that are not installed."""
    uses: Mapping[Case, Use] = field(default_factory=dict)
    """What each case is to the model of the sweep; nothing if not all of its layers are taken."""

    @property
    def passes(self) -> int | None:
        """None if a budget decides."""
        if self.request.passes is None and self.request.budget_s is not None:
            return None
        return self.sweep.passes

    @property
    def suites(self) -> tuple[str, ...]:
        """The user's suites, in a form that holds in any working directory."""
        return _anywhere(self.request.suites)

    @property
    def measurable(self) -> list[Case]:
        """The cases that are not ruled out from the start."""
        return [case for case in self.cases if not ruled_out(case, self.layers[case.layer])]

    @property
    def estimate_s(self) -> float:
        """About how long the run takes, in seconds; slow layers take longer."""
        budget_s = self.request.budget_s
        if self.passes is None:
            return budget_s or 0.0
        full_s = estimate.run_s(self.measurable, self.passes, self.sweep.sample_s)
        return full_s if budget_s is None else min(full_s, budget_s)


def make_plan(request: Request) -> Plan:
    """Settles what is to be measured, on this machine and with what is installed here.

    Raises:
        UsageError: something asked for does not exist, or a layer refuses its parameters.
    """
    chosen = _settled(request)
    layers = catalogue.load(check_names("suites", request.suites) if request.suites else ())
    missing: tuple[str, ...] = ()
    if request.cases:
        names = check_names("cases", request.cases)
        cases = list(dict.fromkeys(_typed(Case.parse(name), layers) for name in names))
    else:
        installed, missing = _frameworks(chosen, layers)
        cases = sweep.plan(chosen, layers, installed, devices.available())
    for threads in {case.threads for case in cases}:
        cpu.cores(threads)
    _check_layer_params(cases, layers)
    _let_layers_refuse(cases, layers)
    used = {case.layer: layers[case.layer] for case in cases}
    whole = {shape.layer for shape in chosen.shapes} <= used.keys() and not request.cases
    uses = sweep.uses(chosen, layers, cases) if whole else {}
    return Plan(request, chosen, used, tuple(cases), missing, uses)


def check_search(axis: str, request: Request) -> None:
    """Refuses a search whose request leaves no axis to go along, or no other one in its place.

    Raises:
        UsageError: the axis is none, has values, or the batch would change along it.
    """
    check_known("axis", [axis], SEARCHED)
    if axis in request.axes:
        raise UsageError(f"{axis} is what is searched along; leave out --{axis}")
    for batch in request.axes.get("batch", ()):
        if isinstance(batch, str):
            raise UsageError(f"batch {batch!r} is not a number; a search along {axis} needs one")


def check_has_axis(axis: str, layers: Mapping[str, Layer]) -> None:
    """Refuses to search along an axis that a layer lacks.

    Raises:
        UsageError: one does.
    """
    for layer in layers.values():
        if axis == "seq" and not layer.has_seq:
            raise UsageError(f"{layer.name} has no sequence axis; search along --axis batch")


def _settled(request: Request) -> Sweep:
    """The sweep with everything that is to be different from it."""
    (name,) = check_names("sweep", [request.sweep])
    chosen = sweep.read(name)
    check_known("axis", request.axes, AXES)
    axes = {axis: check_axis(axis, values) for axis, values in request.axes.items()}
    params = check_params(request.params)
    settings = {
        name: check_setting(name, value)
        for name in ("passes", "rel_ci", "sample_s", "timeout_s", "presets")
        if (value := getattr(request, name)) is not None
    }
    if request.budget_s is not None:
        check_setting("budget_s", request.budget_s)
    if request.max_memory_bytes is not None:
        check_memory("max_memory_bytes", request.max_memory_bytes)
    layers = chosen.layers if request.layers is None else check_names("layers", request.layers)
    if chosen.shapes and not request.cases:
        asked = (("seq", "seq" in axes), ("param", params), ("presets", request.presets))
        for option, given in asked:
            if given:
                raise UsageError(
                    f"each shape of sweep {name} says its own; leave out --{option}, "
                    "or write a sweep file with other shapes"
                )

    def without(special: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        return {
            name: {axis: values for axis, values in table.items() if axis not in axes}
            for name, table in special.items()
        }

    return replace(
        chosen,
        layers=layers,
        axes={**chosen.axes, **axes},
        by_device=without(chosen.by_device),
        by_framework=without(chosen.by_framework),
        by_layer=without(chosen.by_layer),
        params={**chosen.params, **params},
        **settings,
    )


def _frameworks(
    chosen: Sweep, layers: Mapping[str, Layer]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The frameworks that the sweep takes: those installed, and those not.

    Raises:
        UsageError: one that it names is not known or not installed, or a device of it is not here.
    """
    picked = choose("layer", chosen.layers, layers)
    asked = _each(chosen.values("framework", layer) for layer in picked)
    # Those for tests are found by their own name only.
    known = [*frameworks.names(), *filter(here.is_for_tests, asked)]
    check_known("framework", chosen.by_framework, known)
    wanted = choose("framework", asked, known)
    installed = tuple(filter(frameworks.installed, wanted))
    missing = tuple(name for name in wanted if name not in installed)
    here.check_frameworks(name for name in missing if name in asked or not installed)
    named = _each(
        chosen.values("device", layer, framework) for layer in picked for framework in wanted
    )
    check_known("device", chosen.by_device, here.DEVICES)
    choose("device", named, here.DEVICES)
    here.check_devices(name for name in named if name in here.DEVICES)
    return installed, missing


def _each(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(value for values in lists for value in values))


def _typed(case: Case, layers: Mapping[str, Layer]) -> Case:
    """The case, if this machine could run it and its layer has those parameters."""
    check_known("layer", [case.layer], layers)
    here.check_frameworks([case.framework])
    here.check_devices([case.device])
    layer = layers[case.layer]
    if layer.has_seq != (case.seq is not None):
        word = "needs a" if layer.has_seq else "has no"
        raise UsageError(f"case {case.id}: {case.layer} {word} sequence length, such as s128")
    for axis, known in CLOSED.items():
        check_known(axis, [getattr(case, axis)], known)
    for axis in COUNTS:
        if (value := getattr(case, axis)) is not None:
            check_axis(axis, [value], f"case {case.id}: {axis}")
    declared = next(iter(layer.presets.values()))
    given = dict(case.params)
    if declared.keys() != given.keys() or len(case.params) > len(given):
        wanted = ", ".join(declared) or "none"
        raise UsageError(f"case {case.id}: {case.layer} takes the parameters {wanted}")
    # In the order in which a sweep would have them, or it would be another case.
    return replace(case, params=tuple((name, given[name]) for name in declared))


def _check_layer_params(cases: Iterable[Case], layers: Mapping[str, Layer]) -> None:
    """Holds the parameters of each case to what its layer takes.

    Raises:
        UsageError: it does not take one.
    """
    for name, params in dict.fromkeys((case.layer, case.params) for case in cases):
        layer = layers[name]
        check_layer_params(name, dict(params), layer.presets.values(), layer.allowed)


def _let_layers_refuse(cases: Collection[Case], layers: Mapping[str, Layer]) -> None:
    """Asks each layer about its parameters before anything is measured.

    Raises:
        UsageError: it cannot take them.
    """
    for case in {(case.layer, case.params): case for case in cases}.values():
        ruled_out(case, layers[case.layer])


def begin(plan: Plan, results: Path, command: str) -> RunRecord:
    """Gives the run a folder and writes down the plan.

    Raises:
        UsageError: nothing can be written there.
    """
    this = machine.describe()
    home = results / this["machine_id"]
    now = datetime.now(UTC)
    name = f"{_after_all(home, now):{_STAMP}}-{plan.sweep.name}-{secrets.token_hex(2)}"
    run = RunRecord(
        run_id=name,
        started_at=now.isoformat(timespec="seconds"),
        sweep=plan.sweep.name,
        command=command,
        seed=plan.request.seed,
        passes=plan.passes,
        budget_s=plan.request.budget_s,
        rel_ci=plan.sweep.rel_ci,
        sample_s=plan.sweep.sample_s,
        timeout_s=plan.sweep.timeout_s,
        suites=plan.suites,
        families={name: layer.family for name, layer in plan.layers.items()},
        machine=this,
        cases=plan.cases,
        model=plan.sweep.model if plan.uses else "",
        uses={case.id: use for case, use in plan.uses.items()},
        max_memory_bytes=plan.request.max_memory_bytes,
        insist=plan.request.insist,
        folder=home / name,
    )
    with writing(results, "name another folder for the results"):
        make_folder(home)
        run.folder.mkdir()  # nobody else's
        try:
            sync_names(home)
            run.save()
        except BaseException:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
    return run


_STAMP = "%Y%m%d-%H%M%S"


def _after_all(home: Path, now: datetime) -> datetime:
    """Now, or a second after the last run there, so that names sort in the order of beginning.

    A clock may have been set back since, and two runs may begin within a second.
    """
    times = [now]
    for folder in home.glob("*"):
        with contextlib.suppress(ValueError, OverflowError):  # something else lies there
            begun = datetime.strptime(folder.name[:15], _STAMP).replace(tzinfo=UTC)
            times.append(begun + timedelta(seconds=1))
    return max(times)


def _anywhere(suites: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(Path(suite).resolve()) if suite.endswith(".py") else suite for suite in suites)


def continued(folder: Path, suites: Sequence[str] = ()) -> tuple[RunRecord, dict[str, Layer]]:
    """A run that was begun before, and its layers.

    Its files may come from anyone: they name no suite that is imported, lead to no place that is
    written to, allow no more memory than there is, and no reference's answer among them is used.

    Args:
        folder: of the run.
        suites: those that it was begun with, named again.

    Raises:
        HarnessError: the folder holds no run, it was begun on another machine or with other
            suites or more memory, a layer or a framework of it is gone, or there is a link in it.
    """
    run = read_run(folder)
    this, begun_on = machine.describe()["machine_id"], run.machine["machine_id"]
    if this != begun_on:
        raise UsageError(
            f"{folder} was begun on {begun_on} and this is {this}; go on with it there, "
            "or begin a run of this machine's own"
        )
    if set(_anywhere(suites)) != set(run.suites):
        raise UsageError(
            f"{folder} was begun with {', '.join(run.suites) or 'no suite'}, and that is what has "
            f"to be named: `{resuming(folder, run.suites)}`"
        )
    if run.max_memory_bytes is not None:
        check_memory(f"max_memory_bytes of {folder}", run.max_memory_bytes)
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise UsageError(f"{path} is a link, and may lead anywhere; put a file in its place")
    tidy(folder)
    layers = catalogue.load(run.suites)
    check_known("layer", _each([case.layer] for case in run.cases), layers)
    here.check_frameworks(_each([case.framework] for case in run.cases))
    here.check_devices(_each([case.device] for case in run.cases))
    for axis, known in CLOSED.items():
        check_known(axis, _each([getattr(case, axis)] for case in run.cases), known)
    return run, layers

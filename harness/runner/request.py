"""From what someone asks for to a run that can be executed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import catalogue, devices, frameworks, sweep
from harness.devices import cpu, machine
from harness.layer import Layer
from harness.runner.execute import ruled_out
from harness.store import RunRecord, read_run
from harness.sweep import Sweep
from harness.types import Case, UsageError, Value

WORKER_START_S = {"torch": 2.5, "tensorflow": 8.0}
"""Import and ceilings, as seen on two cores; for the estimate only."""
CASE_START_S = 0.1
"""Build, first call and parity of a case, likewise."""


@dataclass(frozen=True)
class Request:
    """A sweep, and what is to be different from it. Empty or None: as the sweep says.

    Attributes:
        sweep: name or TOML file.
        layers: names or patterns.
        axes: values by axis; they win over the sweep's, for every layer and framework.
        params: values by parameter name.
        cases: case ids; then nothing else is measured.
        suites: files or modules with layers beside the catalogue.
        passes: how many; if None and there is a budget, as many as fit.
        budget_s: seconds for all passes together.
    """

    sweep: str = "quick"
    layers: Sequence[str] = ()
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    params: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    presets: str = ""
    cases: Sequence[str] = ()
    suites: Sequence[str] = ()
    passes: int | None = None
    budget_s: float | None = None
    rel_ci: float | None = None
    sample_s: float | None = None
    timeout_s: float | None = None
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """What would be measured."""

    request: Request
    sweep: Sweep
    layers: Mapping[str, Layer]
    cases: tuple[Case, ...]
    missing: tuple[str, ...]
    """Frameworks that the sweep would take but that are not installed."""

    @property
    def passes(self) -> int | None:
        """None if a budget decides."""
        if self.request.passes is None and self.request.budget_s is not None:
            return None
        return self.request.passes or self.sweep.passes

    @property
    def suites(self) -> tuple[str, ...]:
        """The user's suites, in a form that holds in any working directory."""
        return tuple(
            str(Path(suite).resolve()) if suite.endswith(".py") else suite
            for suite in self.request.suites
        )

    @property
    def measurable(self) -> list[Case]:
        """The cases that are not ruled out from the start."""
        return [case for case in self.cases if not ruled_out(case, self.layers[case.layer])]

    @property
    def estimate_s(self) -> float:
        """About how long the run takes, in seconds; slow layers take longer."""
        if self.passes is None:
            return self.request.budget_s or 0.0
        cases = self.measurable
        benches = {(c.framework, c.device, c.threads) for c in cases}
        starts = sum(WORKER_START_S.get(name, 5.0) for name, _, _ in benches)
        each = CASE_START_S + 2 * self.sweep.sample_s
        memory = starts + CASE_START_S * len(cases)
        return memory + self.passes * (starts + each * len(cases))


def make_plan(request: Request) -> Plan:
    """Settles what is to be measured, on this machine and with what is installed here.

    Raises:
        UsageError: something asked for does not exist.
    """
    chosen = _settled(request)
    layers = catalogue.load(request.suites)
    known = frameworks.names()
    sweep.choose("framework", chosen.by_framework, known)
    installed = [name for name in known if frameworks.installed(name)]
    asked = chosen.axes["framework"]
    # Those for tests are found by their own name only.
    extra = [name for name in asked if name not in known and name == "fake"]
    wanted = sweep.choose("framework", asked, [*known, *extra])
    missing = tuple(name for name in wanted if name not in [*installed, *extra])
    if named := [name for name in missing if name in asked]:
        raise UsageError(
            f"framework {named[0]} is not installed; `pip install 'layerbench[{named[0]}]'`, "
            f"or measure with: {', '.join(installed) or 'none is installed'}"
        )
    here = devices.available()
    if gone := [name for name in asked_devices(chosen) if name not in here]:
        raise UsageError(f"device {gone[0]} is not on this machine; there is: {', '.join(here)}")
    if request.cases:
        cases = [
            _existing(Case.parse(text), layers, [*installed, *extra]) for text in request.cases
        ]
    else:
        cases = sweep.plan(chosen, layers, [*installed, *extra], here)
    for threads in {case.threads for case in cases}:
        cpu.cores(threads)
    used = {case.layer: layers[case.layer] for case in cases}
    return Plan(request, chosen, used, tuple(cases), missing)


def asked_devices(chosen: Sweep) -> list[str]:
    """The devices a sweep names, unknown ones refused."""
    named = [name for name in chosen.axes["device"] if "*" not in name]
    return sweep.choose("device", named, ("cpu", "cuda"))


def _settled(request: Request) -> Sweep:
    chosen = sweep.read(request.sweep)
    axes = {axis: sweep.check_axis(axis, values) for axis, values in request.axes.items()}
    changes: dict[str, Any] = {
        name: getattr(request, name)
        for name in ("passes", "rel_ci", "sample_s", "timeout_s", "presets")
        if getattr(request, name)
    }
    if request.layers:
        changes["layers"] = tuple(request.layers)

    def without(special: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        return {
            name: {axis: values for axis, values in table.items() if axis not in axes}
            for name, table in special.items()
        }

    return replace(
        chosen,
        axes={**chosen.axes, **axes},
        by_framework=without(chosen.by_framework),
        by_layer=without(chosen.by_layer),
        params={**chosen.params, **{key: tuple(v) for key, v in request.params.items()}},
        **changes,
    )


def _existing(case: Case, layers: Mapping[str, Layer], installed: Sequence[str]) -> Case:
    """The case, if this machine could run it and its layer has those parameters."""
    sweep.choose("layer", [case.layer], layers)
    sweep.choose("framework", [case.framework], installed)
    sweep.choose("device", [case.device], devices.available())
    for axis in ("mode", "execution", "dtype"):
        sweep.check_axis(axis, [getattr(case, axis)])
    layer = layers[case.layer]
    declared = set(next(iter(layer.presets.values())))
    given = {name for name, _ in case.params}
    if declared != given:
        wanted = ", ".join(sorted(declared)) or "none"
        raise UsageError(f"case {case.id}: {case.layer} takes the parameters {wanted}")
    if layer.has_seq != (case.seq is not None):
        word = "needs" if layer.has_seq else "has no"
        raise UsageError(f"case {case.id}: {case.layer} {word} a sequence length, such as s128")
    return case


def begin(plan: Plan, results: Path, command: str) -> RunRecord:
    """Gives the run a folder and writes down the plan."""
    here = machine.describe()
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}-{plan.sweep.name}-{secrets.token_hex(2)}"
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
        machine=here,
        cases=plan.cases,
        folder=results / here["machine_id"] / name,
    )
    run.save()
    return run


def continued(folder: Path) -> tuple[RunRecord, dict[str, Layer]]:
    """A run that was begun before, and its layers.

    Raises:
        HarnessError: the folder holds no run, or a layer of it is gone.
    """
    run = read_run(folder)
    layers = catalogue.load(run.suites)
    sweep.choose("layer", {case.layer for case in run.cases}, layers)
    return run, layers

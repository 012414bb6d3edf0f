"""From a sweep file and flags to the list of cases: the plan of a run."""

from __future__ import annotations

import difflib
import fnmatch
import itertools
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from harness.layer import Layer
from harness.types import DTYPES, EXECUTIONS, MODES, Case, UsageError, Value

AXES = ("framework", "device", "mode", "execution", "dtype", "threads", "batch", "seq")
"""The axes every layer has (``seq`` where it has a sequence), in the order they are swept."""

_CLOSED = {"mode": MODES, "execution": EXECUTIONS, "dtype": DTYPES}
_COUNTS = ("threads", "batch", "seq")
_SETTINGS = {
    "passes": int,
    "rel_ci": float,
    "sample_s": float,
    "timeout_s": float,
    "presets": str,
    "description": str,
}


@dataclass(frozen=True)
class Sweep:
    """What to measure and how long to look at it.

    Attributes:
        layers: names, or patterns such as ``*attention*``.
        presets: ``first`` or ``all`` of each layer's presets.
        axes: values by axis.
        by_framework: axes that differ for one framework.
        by_layer: axes that differ for one layer; they win over ``by_framework``.
        params: values that replace those of the presets, by parameter name.
        passes: worker processes, one after the other, that each measure every case.
        rel_ci: half-width of the median's 95 % interval, relative, at which sampling stops.
        sample_s: seconds of samples a case and pass at most.
        timeout_s: seconds after which a case that does not answer is given up.
    """

    name: str
    description: str
    layers: tuple[str, ...]
    axes: Mapping[str, tuple[Any, ...]]
    presets: str = "first"
    by_framework: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    by_layer: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    params: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    passes: int = 3
    rel_ci: float = 0.01
    sample_s: float = 0.3
    timeout_s: float = 60.0

    def values(self, axis: str, framework: str, layer: str) -> tuple[Any, ...]:
        """The axis's values for one framework and layer."""
        for special in (self.by_layer.get(layer, {}), self.by_framework.get(framework, {})):
            if axis in special:
                return special[axis]
        return self.axes[axis]


def names() -> list[str]:
    """The sweeps that come with the project."""
    folder = resources.files("suites") / "sweeps"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read(name: str) -> Sweep:
    """The sweep of that name, or in that TOML file.

    Raises:
        UsageError: there is none, or it holds something that is not understood.
    """
    if name.endswith(".toml"):
        source = Path(name)
        if not source.is_file():
            raise UsageError(f"sweep file {name} does not exist")
        text = source.read_text(encoding="utf-8")
    else:
        known = choose("sweep", [name], names())
        text = (resources.files("suites") / "sweeps" / f"{known[0]}.toml").read_text("utf-8")
    try:
        return _from_toml(Path(name).stem, tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UsageError) as error:
        raise UsageError(f"sweep {name}: {error}") from error


def _from_toml(name: str, data: dict[str, Any]) -> Sweep:
    tables = {key: data.pop(key, {}) for key in ("framework_axes", "layer_axes", "params")}
    choose("key", data, ("layers", *AXES, *_SETTINGS))
    settings = {}
    for key in _SETTINGS.keys() & data.keys():
        kind = _SETTINGS[key]
        if not isinstance(data[key], (int, float) if kind is float else kind):
            raise UsageError(f"{key} = {data[key]!r} is not of type {kind.__name__}")
        settings[key] = kind(data[key])
    if settings.get("presets", "first") not in ("first", "all"):
        raise UsageError(f"presets = {settings['presets']!r}; it is 'first' or 'all'")
    missing = [axis for axis in AXES if axis not in data]
    if missing:
        raise UsageError(f"no values for {', '.join(missing)}")
    return Sweep(
        name=name,
        layers=tuple(data.get("layers", ["*"])),
        axes=_axes({axis: data[axis] for axis in AXES}),
        by_framework={key: _axes(value) for key, value in tables["framework_axes"].items()},
        by_layer={key: _axes(value) for key, value in tables["layer_axes"].items()},
        params={key: tuple(value) for key, value in tables["params"].items()},
        **{"description": "", **settings},
    )


def _axes(table: Mapping[str, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    choose("axis", table, AXES)
    return {axis: check_axis(axis, values) for axis, values in table.items()}


def check_axis(axis: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """The values, if each is one that the axis can take.

    Raises:
        UsageError: one is not, or there are none.
    """
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise UsageError(f"{axis} = {values!r} is not a list of values")
    for value in values:
        if axis in _CLOSED:
            choose(axis, [str(value)], _CLOSED[axis])
        elif axis in _COUNTS and (isinstance(value, bool) or not isinstance(value, int)):
            raise UsageError(f"{axis} {value!r} is not a whole number")
        elif axis in _COUNTS and value < 1:
            raise UsageError(f"{axis} {value} is not 1 or more")
    return tuple(dict.fromkeys(values))


def choose(kind: str, wanted: Iterable[str], known: Collection[str]) -> list[str]:
    """The known names that are wanted; ``*`` and ``?`` match as in a shell.

    Raises:
        UsageError: a name matches nothing; the message gives the nearest.
    """
    chosen: dict[str, None] = {}
    for name in wanted:
        matches = fnmatch.filter(known, name)
        if not matches:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"nearest: {', '.join(near)}" if near else f"there are: {', '.join(known)}"
            raise UsageError(f"unknown {kind} {name!r}; {hint}")
        chosen.update(dict.fromkeys(matches))
    return list(chosen)


def plan(
    sweep: Sweep,
    layers: Mapping[str, Layer],
    frameworks: Sequence[str],
    devices: Sequence[str],
) -> list[Case]:
    """Every case of the sweep, each once, in a fixed order.

    Args:
        sweep: its values ``*`` of framework and device stand for all in the two arguments below.
        layers: the catalogue.
        frameworks: those that can be measured here.
        devices: those that can be measured here.

    Raises:
        UsageError: the sweep names something unknown, or comes to no case at all.
    """
    chosen = choose("layer", sweep.layers, layers)
    choose("layer", sweep.by_layer, layers)
    _check_params(sweep, [layers[name] for name in chosen])
    cases: dict[Case, None] = {}
    for name in chosen:
        layer = layers[name]
        wanted = sweep.values("framework", "", name)
        for framework in choose("framework", wanted, frameworks):

            def values(axis: str, framework: str = framework, name: str = name) -> tuple[Any, ...]:
                return sweep.values(axis, framework, name)

            combinations = itertools.product(
                choose("device", values("device"), devices),
                *(values(axis) for axis in ("mode", "execution", "dtype", "threads", "batch")),
                values("seq") if layer.has_seq else (None,),
                _parameter_sets(layer, sweep),
            )
            for device, mode, execution, dtype, threads, batch, seq, params in combinations:
                case = Case(
                    name, framework, device, mode, execution, dtype, threads, batch, seq, params
                )
                cases[case] = None
    if not cases:
        raise UsageError(f"sweep {sweep.name} comes to no case")
    return list(cases)


def _check_params(sweep: Sweep, layers: Sequence[Layer]) -> None:
    known = {key for layer in layers for preset in layer.presets.values() for key in preset}
    choose("parameter", sweep.params, sorted(known))


def _parameter_sets(layer: Layer, sweep: Sweep) -> Iterator[tuple[tuple[str, Value], ...]]:
    presets = list(layer.presets.values())
    for preset in presets[:1] if sweep.presets == "first" else presets:
        options = [sweep.params.get(key, (value,)) for key, value in preset.items()]
        for values in itertools.product(*options):
            yield tuple(zip(preset, values, strict=True))

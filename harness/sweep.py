"""From a sweep file and flags to the list of cases: the plan of a run.

A batch is a number, or such as ``"tokens=16384"``: then as many sequences as come to so many tokens
at each length, which has to divide them. Of longer sequences it is one, so that a sweep may go on
beyond what it keeps constant. Layers without a sequence have no such batch.

A sweep of a model lists shapes (see `harness.shapes`) in place of layers, presets, parameters and
lengths; then its batch is the model's.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from harness import faults, files, shapes
from harness.checks import (
    AXES,
    TOKENS,
    check_axis,
    check_count,
    check_known,
    check_names,
    check_params,
    check_setting,
    choose,
)
from harness.layer import Layer
from harness.shapes import Shape, Use
from harness.types import Case, UsageError, Value

_SETTINGS = ("passes", "rel_ci", "sample_s", "timeout_s", "presets", "description")
_TABLES = ("framework_axes", "device_axes", "layer_axes", "params")


MOST_CASES = 250_000
"""Of a plan: eight times those of `full`. Of a few lines of TOML, a product of lists may be any
number, and no machine can hold or measure them."""
_MOST_BYTES = 2**20
"""Of a sweep file."""
DEFAULT = "quick"
"""The sweep of a run that names none; a run of single cases has its settings."""


@dataclass(frozen=True)
class Sweep:
    """What to measure and how long to look at it.

    Attributes:
        layers: names, or patterns such as ``*attention*``.
        presets: ``first`` or ``all`` of each layer's presets, or the name of one; a layer that
            has none of that name is taken with its first.
        axes: values by axis.
        by_device: axes that differ for one device.
        by_framework: axes that differ for one framework; they win over ``by_device``.
        by_layer: axes that differ for one layer; they win over both.
        params: values that replace those of the presets, by parameter name.
        model: whose shapes these are, if it is a sweep of a model.
        shapes: of the model; then `layers` are those of the shapes that are taken, and presets,
            `params` and the axis ``seq`` have no say.
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
    by_device: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    by_framework: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    by_layer: Mapping[str, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    params: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    model: str = ""
    shapes: tuple[Shape, ...] = ()
    passes: int = 3
    rel_ci: float = 0.01
    sample_s: float = 0.3
    timeout_s: float = 60.0

    def values(
        self, axis: str, layer: str, framework: str = "", device: str = ""
    ) -> tuple[Any, ...]:
        """The axis's values for one layer, framework and device, as far as they are settled."""
        for special, name in (
            (self.by_layer, layer),
            (self.by_framework, framework),
            (self.by_device, device),
        ):
            if axis in special.get(name, {}):
                return special[name][axis]
        return self.axes[axis]

    def smallest(self, axis: str) -> int:
        """The smallest number on an axis of counts; 1 if all of them follow from the length."""
        return min((value for value in self.axes[axis] if isinstance(value, int)), default=1)


def names() -> list[str]:
    """The sweeps that come with the project."""
    folder = resources.files("suites") / "sweeps"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read(name: str) -> Sweep:
    """The sweep of that name, or in that TOML file.

    Raises:
        UsageError: there is none, or it holds something that is not understood.
    """
    text = _text(name)
    try:
        return _sweep(Path(name).stem, tomllib.loads(text))
    except (ValueError, UsageError) as error:
        raise UsageError(f"sweep {name}: {faults.words(error)}") from error
    except RecursionError as error:
        raise UsageError(f"sweep {name} is nested too deep to be read") from error


def _text(name: str) -> str:
    if not name.endswith(".toml"):
        if name not in names() and Path(f"{name}.toml").is_file():
            raise UsageError(f"unknown sweep {name!r}; for the file write {name}.toml")
        check_known("sweep", [name], names())
        return (resources.files("suites") / "sweeps" / f"{name}.toml").read_text("utf-8")
    try:
        content = files.read(Path(name), _MOST_BYTES)
        return content.decode("utf-8-sig")  # some editors put a mark at the start
    except FileNotFoundError:
        raise UsageError(f"sweep file {name} does not exist") from None
    except OSError as error:
        raise UsageError(f"sweep file {name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"sweep {name}: line {_line(error)} is not UTF-8; save it so") from error


def _line(error: UnicodeDecodeError) -> int:
    return error.object[: error.start].count(b"\n") + 1


def _sweep(name: str, data: Mapping[str, Any]) -> Sweep:
    check_known("key", data, ("layers", *AXES, *_SETTINGS, *_TABLES, "model", "shape"))
    if "shape" in data or "model" in data:
        data = {**shapes.of_model(data), "seq": [1]}  # which is never taken
    if missing := [axis for axis in AXES if axis not in data]:
        raise UsageError(f"no values for {', '.join(missing)}")
    of_frameworks, of_devices, of_layers, params = (
        _table(key, data.get(key, {})) for key in _TABLES
    )
    settings = {key: check_setting(key, data[key]) for key in _SETTINGS if key in data}
    return Sweep(
        name=name,
        layers=check_names("layers", data.get("layers", ["*"])),
        axes={axis: check_axis(axis, data[axis]) for axis in AXES},
        # Which devices and frameworks are taken cannot depend on which is taken.
        by_device=_special("device_axes", of_devices, AXES[2:]),
        by_framework=_special("framework_axes", of_frameworks, AXES[1:]),
        by_layer=_special("layer_axes", of_layers, AXES),
        params=check_params(params),
        model=data.get("model", ""),
        shapes=data.get("shape", ()),
        **{"description": "", **settings},
    )


def _table(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{key} = {value!r} is not a table")
    return value


def _special(
    key: str, tables: Mapping[str, Any], known: Sequence[str]
) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Axes that differ for one framework, device or layer, by its name."""
    special = {}
    for name, table in tables.items():
        where = f"{key}.{name}"
        check_known(f"axis of {where}", _table(where, table), known)
        special[name] = {
            axis: check_axis(axis, values, f"{where}.{axis}") for axis, values in table.items()
        }
    return special


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
    check_known("layer", sweep.by_layer, layers)
    _check_params(sweep, [layers[name] for name in chosen])
    _check_presets(sweep, [layers[name] for name in chosen])
    parts = [
        (layers[name], framework, device)
        for name in chosen
        for framework in choose("framework", sweep.values("framework", name), frameworks)
        for device in choose("device", sweep.values("device", name, framework), devices)
    ]
    _check_number(sum(_number(sweep, *part) for part in parts))
    cases = dict.fromkeys(case for part in parts for case in _cases(sweep, *part))
    if not cases:  # as any other axis has a value for every layer
        raise UsageError(
            f"batch {TOKENS}… needs a sequence axis, and there is none in {', '.join(chosen)}; "
            "give a number"
        )
    return list(cases)


def _check_number(number: int) -> None:
    if number > MOST_CASES:
        raise UsageError(
            f"the sweep comes to {number} cases, and {MOST_CASES} is the most there can be; "
            "take fewer values, layers or frameworks"
        )


def _number(sweep: Sweep, layer: Layer, framework: str, device: str) -> int:
    """How many cases `_cases` gives."""
    axes = math.prod(map(len, _axes(sweep, layer, framework, device)))
    if sweep.shapes:
        return axes * sum(shape.layer == layer.name for shape in sweep.shapes)
    return axes * sum(math.prod(map(len, one.values())) for one in _parameters(layer, sweep))


def _cases(sweep: Sweep, layer: Layer, framework: str, device: str) -> Iterator[Case]:
    if sweep.shapes:
        yield from _cases_of_model(sweep, layer, framework, device)
        return
    presets = _parameters(layer, sweep)
    axes = itertools.product(*_axes(sweep, layer, framework, device))
    for mode, execution, dtype, threads, wanted, seq in axes:
        batch = _batch(wanted, seq)
        for preset in presets:
            for values in itertools.product(*preset.values()):
                params = tuple(zip(preset, values, strict=True))
                yield Case(
                    layer.name, framework, device, mode, execution, dtype, threads, batch, seq,
                    params,
                )  # fmt: skip


def _cases_of_model(sweep: Sweep, layer: Layer, framework: str, device: str) -> Iterator[Case]:
    *axes, _seqs = _axes(sweep, layer, framework, device)
    sizes = [shape.size(layer) for shape in sweep.shapes if shape.layer == layer.name]
    for mode, execution, dtype, threads, batch in itertools.product(*axes):
        where = (layer.name, framework, device, mode, execution, dtype, threads)
        for rows, seq, params in sizes:
            all_rows = check_count(f"batch {batch} of {rows} rows each:", batch * rows)
            yield Case(*where, all_rows, seq, params)


def uses(sweep: Sweep, layers: Mapping[str, Layer], cases: Iterable[Case]) -> dict[Case, Use]:
    """What each case of a sweep of a model is to it; nothing of another sweep.

    Raises:
        UsageError: a case is what shapes come to at different batches of the model.
    """

    def batches(case: Case) -> tuple[Any, ...]:
        return sweep.values("batch", case.layer, case.framework, case.device)

    return shapes.uses(sweep.shapes, layers, cases, batches)


def _axes(sweep: Sweep, layer: Layer, framework: str, device: str) -> list[list[Any]]:
    """The values of mode, execution, dtype, threads, batch and seq, each once."""

    def values(axis: str) -> list[Any]:
        return list(dict.fromkeys(sweep.values(axis, layer.name, framework, device)))

    batches, seqs = values("batch"), values("seq")
    tokens = [batch for batch in batches if isinstance(batch, str)]
    if sweep.shapes and tokens:
        raise UsageError(f"batch {tokens[0]}: that of a model is a number")
    if not layer.has_seq:
        batches, seqs = [one for one in batches if isinstance(one, int)], [None]
    return [*map(values, ("mode", "execution", "dtype", "threads")), batches, seqs]


def _batch(wanted: int | str, seq: int | None) -> int:
    """The batch size at a length.

    Raises:
        UsageError: the tokens are no whole number of sequences.
    """
    if isinstance(wanted, int):
        return wanted
    assert seq is not None
    batch, rest = divmod(int(wanted.removeprefix(TOKENS)), seq)
    if batch and rest:
        raise UsageError(f"batch {wanted} is no whole number of sequences of seq {seq}")
    return max(1, batch)


def _check_presets(sweep: Sweep, layers: Sequence[Layer]) -> None:
    known = dict.fromkeys(
        ["first", "all", *(preset for layer in layers for preset in layer.presets)]
    )
    if sweep.presets not in known and "," in sweep.presets:
        raise UsageError(f"presets {sweep.presets!r}: one name a run, or all; not several")
    check_known("preset", [sweep.presets], known)


def _check_params(sweep: Sweep, layers: Sequence[Layer]) -> None:
    known = {key for layer in layers for preset in layer.presets.values() for key in preset}
    check_known("parameter", sweep.params, sorted(known))


def _parameters(layer: Layer, sweep: Sweep) -> list[dict[str, list[Value]]]:
    """Of each preset that is taken, the values of every parameter, each once."""
    first = next(iter(layer.presets))
    named = sweep.presets if sweep.presets in layer.presets else first
    presets = layer.presets.values() if sweep.presets == "all" else [layer.presets[named]]
    return [
        {key: list(dict.fromkeys(sweep.params.get(key, (value,)))) for key, value in preset.items()}
        for preset in presets
    ]

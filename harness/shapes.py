"""The layer shapes of a model, as a sweep file lists them: each with how often it occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.checks import check_count, check_known, check_names, check_params
from harness.layer import Layer
from harness.types import Case, UsageError, Value

_KEYS = ("layer", "count", "rows", "seq", "params")
_BY_SHAPE = ("layers", "presets", "params", "seq")
"""What each shape says for itself, so that the sweep does not."""


class Use(NamedTuple):
    """What a case is to the model of its sweep.

    Attributes:
        batch: of the model.
        occurrences: how often one call of the model calls the layer in this shape.
    """

    batch: int
    occurrences: int


@dataclass(frozen=True)
class Shape:
    """One layer of a model in one size.

    Attributes:
        layer: its name in the catalogue.
        count: how often it occurs in the model.
        rows: the layer's batch for each item of the model's: of a dense layer over a sequence, its
            length.
        seq: sequence length, of layers that have one.
        params: the layer's parameters; those that are not named are as in its first preset.
    """

    layer: str
    count: int
    rows: int = 1
    seq: int | None = None
    params: Mapping[str, Value] = field(default_factory=dict)

    def size(self, layer: Layer) -> tuple[int, int | None, tuple[tuple[str, Value], ...]]:
        """(rows, seq, all parameters in the order in which the layer declares them).

        Raises:
            UsageError: the layer has no such parameter, or another idea of a sequence.
        """
        first = next(iter(layer.presets.values()))
        check_known(f"parameter of layer {layer.name}", self.params, first)
        if layer.has_seq != (self.seq is not None):
            word = "needs a" if layer.has_seq else "has no"
            raise UsageError(f"shape of layer {layer.name}: it {word} sequence length")
        return self.rows, self.seq, tuple({**first, **self.params}.items())


def of_model(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a sweep file of a model says, with its shapes read and their layers named.

    Raises:
        UsageError: there is no model or no shape, something in one that is not understood, or
            beside them what each shape says for itself.
    """
    model, found = data.get("model"), _read(data.get("shape", []))
    if not isinstance(model, str) or not model.strip() or not found:
        raise UsageError('a sweep of a model has its name, model = "…", and a [[shape]] or more')
    if said := [key for key in _BY_SHAPE if key in data]:
        raise UsageError(f"{said[0]} beside [[shape]]: each shape says its own")
    return {**data, "shape": found, "layers": list(dict.fromkeys(one.layer for one in found))}


def _read(entries: Any) -> tuple[Shape, ...]:
    if not isinstance(entries, Sequence) or not all(isinstance(one, Mapping) for one in entries):
        raise UsageError("shape is not a list of tables: write [[shape]] above each")
    return tuple(_shape(number, entry) for number, entry in enumerate(entries, 1))


def _shape(number: int, entry: Mapping[str, Any]) -> Shape:
    where = f"shape {number}"
    check_known(f"key of {where}", entry, _KEYS)
    if missing := [key for key in ("layer", "count") if key not in entry]:
        raise UsageError(f"{where} says nothing of its {missing[0]}")
    (name,) = check_names(f"{where}: layer", [entry["layer"]])
    counts = {
        key: check_count(f"{where}: {key}", entry[key])
        for key in ("count", "rows", "seq")
        if key in entry
    }
    params = entry.get("params", {})
    if not isinstance(params, Mapping):
        raise UsageError(f"{where}: params = {params!r} is not a table")
    check_params({key: [value] for key, value in params.items()})
    return Shape(name, params=dict(params), **counts)


def uses(
    found: Iterable[Shape],
    layers: Mapping[str, Layer],
    cases: Iterable[Case],
    batches: Callable[[Case], Collection[int]],
) -> dict[Case, Use]:
    """What each case is to the model of these shapes, as far as it is one of them.

    Args:
        found: the model's shapes.
        layers: the catalogue.
        cases: of a plan.
        batches: those of the model that were asked for where the case is.

    Raises:
        UsageError: a case is what shapes come to at different batches of the model.
    """
    by_size: dict[tuple[Any, ...], list[Shape]] = {}
    for shape in found:
        _, seq, params = shape.size(layers[shape.layer])
        by_size.setdefault((shape.layer, seq, params), []).append(shape)
    used: dict[Case, Use] = {}
    for case in cases:
        counts = Counter[int]()
        for shape in by_size.get((case.layer, case.seq, case.params), ()):
            batch, rest = divmod(case.batch, shape.rows)
            if not rest and batch in batches(case):
                counts[batch] += shape.count
        if len(counts) > 1:
            several = " and ".join(map(str, counts))
            raise UsageError(f"{case.id} is in the model at batch {several}; take one of them")
        for batch, occurrences in counts.items():
            used[case] = Use(batch, occurrences)
    return used

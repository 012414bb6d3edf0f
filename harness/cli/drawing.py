"""The command that draws which keys each query attends to."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from harness import catalogue, faults
from harness.checks import check_known, check_layer_params
from harness.cli import GOOD
from harness.cli.parser import by_name
from harness.layer import Array, Config, Layer
from harness.report import pattern as drawing
from harness.store.writing import write_atomically, writing
from harness.types import UsageError, Value

LONGEST = 2048
"""Queries; there are as many squares as the square of this."""
OF_EVERY_LAYER = ("heads", "head_dim")
"""Parameters that leave the pattern as it is."""


def draw_command(options: Namespace) -> int:
    """Writes one PNG or SVG file."""
    layer = _with_pattern(options.layer, catalogue.load(options.suite or ()))
    params = _params(layer, options)
    if options.seq > LONGEST:
        raise UsageError(f"--seq {options.seq} is more than can be drawn, {LONGEST}")
    file = Path(options.out or f"{layer.name}-{options.seq}.png")
    suffix = file.suffix.lower().removeprefix(".")
    if suffix not in drawing.FORMATS:
        raise UsageError(f"{file} ends in neither .png nor .svg")
    shown = ", ".join(f"{k} {v}" for k, v in params.items() if k not in OF_EVERY_LAYER)
    image = drawing.draw(
        _pattern(layer, Config(1, options.seq, False, params)),
        layer.name,
        shown,
        layer.complexity,
        layer.source,
        suffix,
    )
    with writing(file, "name another file with --out"):
        write_atomically(file, image)
    print(file)
    return GOOD


def _with_pattern(name: str, layers: Mapping[str, Layer]) -> Layer:
    """The layer of that name, or the only one with a pattern whose name begins so.

    Raises:
        UsageError: there is none, there are several, or it has no pattern.
    """
    meant = [name] if name in layers else [known for known in layers if known.startswith(name)]
    if not meant:
        check_known("layer", [name], layers)
    drawable = [known for known in meant if layers[known].pattern]
    if len(drawable) > 1:
        raise UsageError(f"{name!r} may be each of {', '.join(drawable)}; say which one")
    if not drawable:
        without = "; ".join(_without_pattern(layers[known]) for known in meant)
        others = ", ".join(known for known, layer in layers.items() if layer.pattern)
        raise UsageError(f"{without}; these have: {others}")
    return layers[drawable[0]]


def _without_pattern(layer: Layer) -> str:
    """That it has none, and if the layer chooses its keys, why."""
    why = ": which keys a query attends to depends on the data" if layer.decided else ""
    return f"{layer.name} has no pattern to draw{why}"


def _params(layer: Layer, options: Namespace) -> dict[str, Value]:
    """The preset's parameters, with what was given in their place.

    Raises:
        UsageError: one is not the layer's, or not one value of its kind.
    """
    preset = options.preset or next(iter(layer.presets))
    check_known("preset", [preset], layer.presets)
    params = dict(layer.presets[preset])
    for name, values in by_name(options.param).items():
        check_known("parameter", [name], params)
        if len(values) > 1:
            raise UsageError(f"--param {name} has {len(values)} values; a drawing shows one")
        params[name] = values[0]
    check_layer_params(layer.name, params, layer.presets.values(), layer.allowed)
    return params


def _pattern(layer: Layer, config: Config) -> Array:
    """Booleans of (queries, keys).

    Raises:
        UsageError: the layer refuses these parameters, or cannot tell.
    """
    assert layer.pattern is not None
    try:
        layer.inputs(config)
        return layer.pattern(config)
    except UsageError as error:
        raise UsageError(f"layer {layer.name}: {error}") from error
    except Exception as error:  # of a user's own layer, told as any other mistake
        raise UsageError(f"layer {layer.name}: {faults.told(error)}") from error

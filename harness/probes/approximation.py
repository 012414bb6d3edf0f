"""How far is a layer's result from that of the layer it stands in for?

Linear attention stands in for softmax attention, say. Of the full one only a sample of rows is
computed, so that a long sequence can be held against it where it was measured.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

from harness.layer import Places
from harness.probes.parity import Outcome
from harness.problem import Problem

ROWS = 64
"""Of the output that are compared: queries of attention."""


def error(problem: Problem, outcome: Outcome) -> float | None:
    """The difference over what is approximated, both as root mean squares; None if nothing is.

    Args:
        problem: what was asked.
        outcome: what came of the case itself, in its dtype, whose rounding is in the figure.

    Raises:
        ValueError: the layer's ``approximated`` gives another shape than (rows, last axis).
    """
    if problem.layer.approximated is None:
        return None
    output = problem.rearranged(outcome.output)
    rows = places(problem.layer.name, output.shape[:-1])
    own = output[rows]
    full = problem.layer.approximated(problem.inputs, problem.weights, problem.config, rows)
    if full.shape != own.shape:
        raise ValueError(f"approximated gives the shape {full.shape} for rows of {own.shape}")
    scale = math.sqrt(np.mean(full**2)) or 1.0
    return math.sqrt(np.mean((own - full) ** 2)) / scale


def places(name: str, shape: tuple[int, ...]) -> Places:
    """Up to `ROWS` places, the same in every framework and process; the last one is among them.

    One is drawn from each of as many equal parts, so that they spread over all axes.

    Args:
        name: of the layer; seeds the draw.
        shape: of the output without its last axis.
    """
    size = math.prod(shape)
    count = min(ROWS, size)
    bounds = np.arange(count + 1) * size // count
    random = np.random.default_rng(zlib.crc32(f"{name}/places".encode()))
    chosen = random.integers(bounds[:-1], bounds[1:])
    chosen[-1] = size - 1
    return tuple(np.unravel_index(chosen, shape))

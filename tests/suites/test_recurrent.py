"""The references of the recurrent layers, against the formulas written out number by number."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, tanh
from typing import TypeAlias

import numpy as np
import pytest

from harness.layer import Array, Arrays, Config, Layer, canonical
from suites.recurrent import GRU, LSTM, SIMPLE_RNN

CONFIG = Config(batch=2, length=4, training=False, params={"input_size": 3, "hidden_size": 2})
UNITS = range(2)
Vector: TypeAlias = list[float]


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def product(x: Vector, kernel: Array, gate: int, unit: int) -> float:
    """One unit of one gate; gates lie side by side along the last axis."""
    column = gate * len(UNITS) + unit
    return float(sum(x[row] * kernel[row, column] for row in range(len(x))))


def total(x: Vector, h: Vector, w: Arrays, gate: int, unit: int) -> float:
    from_x = product(x, w["kernel"], gate, unit)
    from_h = product(h, w["recurrent_kernel"], gate, unit)
    return from_x + from_h + float(w["bias"][gate * len(UNITS) + unit])


def simple_rnn(sequence: list[Vector], w: Arrays) -> list[Vector]:
    h, outputs = [0.0, 0.0], []
    for x in sequence:
        h = [tanh(total(x, h, w, 0, unit)) for unit in UNITS]
        outputs.append(h)
    return outputs


def lstm(sequence: list[Vector], w: Arrays) -> list[Vector]:
    h, memory, outputs = [0.0, 0.0], [0.0, 0.0], []
    for x in sequence:
        i, f, g, o = ([total(x, h, w, gate, unit) for unit in UNITS] for gate in range(4))
        memory = [sigmoid(f[u]) * memory[u] + sigmoid(i[u]) * tanh(g[u]) for u in UNITS]
        h = [sigmoid(o[u]) * tanh(memory[u]) for u in UNITS]
        outputs.append(h)
    return outputs


def gru(sequence: list[Vector], w: Arrays) -> list[Vector]:
    h, outputs = [0.0, 0.0], []
    for x in sequence:
        following = []
        for u in UNITS:
            r, z, n = (
                product(x, w["kernel"], gate, u) + float(w["bias"][2 * gate + u])
                for gate in range(3)
            )
            from_h = [
                product(h, w["recurrent_kernel"], gate, u)
                + float(w["recurrent_bias"][2 * gate + u])
                for gate in range(3)
            ]
            reset, update = sigmoid(r + from_h[0]), sigmoid(z + from_h[1])
            following.append((1 - update) * tanh(n + reset * from_h[2]) + update * h[u])
        h = following
        outputs.append(h)
    return outputs


@pytest.mark.parametrize(("layer", "by_hand"), [(SIMPLE_RNN, simple_rnn), (LSTM, lstm), (GRU, gru)])
def test_it_is_the_formula_step_by_step(
    layer: Layer, by_hand: Callable[[list[Vector], Arrays], list[Vector]]
) -> None:
    drawn = {**layer.inputs(CONFIG), **layer.weights(CONFIG)}
    values = {k: v.astype(np.float64) for k, v in canonical(layer.name, drawn).items()}
    expected = [by_hand(sequence.tolist(), values) for sequence in values["x"]]
    assert layer.reference is not None
    np.testing.assert_allclose(layer.reference(values, values, CONFIG), expected, atol=1e-14)

"""Noise as machines make it, for simulations of the gate: a pair's log ratio, block by block.

Each side's process has an offset of its own for as long as it lives; on top of it every block has
noise, and what the machine does to both sides (slow drift, or a load that comes and goes) goes on
through the turns in the order in which they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.random import Generator

ROUNDS = 10
"""Of base, head, head, base."""
BLOCKS = 4 * ROUNDS

Noise: TypeAlias = Callable[[Generator, tuple[int, ...]], np.ndarray]


def _normal(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def _lognormal(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Skewed as times are; of mean 0 and standard deviation 1."""
    return (rng.lognormal(0, 1, shape) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)


def _heavy(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_t(3, shape) / np.sqrt(3)


def _two_speeds(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape) + 0.1 * rng.standard_normal(shape)


def _autoregressive(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """AR(1) along the last axis with 0.9 from one to the next, of standard deviation 1."""
    steps = rng.standard_normal(shape)
    out = np.empty(shape)
    out[..., 0] = steps[..., 0]
    for index in range(1, shape[-1]):
        out[..., index] = 0.9 * out[..., index - 1] + np.sqrt(1 - 0.9**2) * steps[..., index]
    return out


def _drifting(rng: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A slope of its own for each pair, by which the machine gets slower or faster throughout."""
    slope = 5 * rng.standard_normal((*shape[:-1], 1))
    return slope * np.linspace(0, 1, shape[-1]) + rng.standard_normal(shape)


KINDS: Mapping[str, tuple[Noise, Noise]] = {
    "normal": (_normal, _normal),
    "lognormal": (_lognormal, _lognormal),
    "t with 3 degrees": (_heavy, _heavy),
    "two speeds": (_two_speeds, _two_speeds),
    "autoregressive": (_normal, _autoregressive),
    "drifting": (_normal, _drifting),
}
"""(between processes, along the blocks of a pair) by name."""


def log_ratios(
    rng: Generator, kind: str, pairs: int, process_sd: float, block_sd: float
) -> np.ndarray:
    """Log ratio of the medians of so many pairs between which nothing differs."""
    between, along = KINDS[kind]
    offsets = process_sd * between(rng, (2, pairs))
    blocks = block_sd * along(rng, (pairs, BLOCKS))
    base = blocks.reshape(pairs, ROUNDS, 4)[:, :, [0, 3]].reshape(pairs, -1)
    head = blocks.reshape(pairs, ROUNDS, 4)[:, :, [1, 2]].reshape(pairs, -1)
    return (np.median(head, 1) + offsets[1]) - (np.median(base, 1) + offsets[0])

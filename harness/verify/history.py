"""How often does a history that is flat show a change, and how often is a step found?

Simulated: `harness.gate.changes.find`, the real one, on series whose noise between runs is known.
Noise scales out of the test, and enters by way of the threshold only; so false changes are counted
at any size first, and then those of the threshold or more. The test is for runs that are
independent of each other. What runs that are not (AR(1), a slow drift) make of it is told, without
a bound to hold it to.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harness.gate import changes
from harness.gate.changes import ERROR_RATE, THRESHOLD
from harness.stats import Interval, share_interval
from harness.verify.row import Row, judged, noted, share

SERIES, HISTORIES, STEPS = 1000, 300, 200
"""Simulated: single series a noise and length, histories of `CASES` likewise, steps a size."""
LENGTHS = (10, 20, 50, 100)
LENGTHS_OF_HISTORIES = (20, 50)
CASES = 12
NOISE_SD = 0.03
"""Of the logarithm, between runs, where false changes are counted: the most that is usual."""
ANY_SIZE = 1e-9
_WITHIN_RUN = 1.03
"""Half-width of a run's own interval, as a factor."""
_NEAR = 2
"""A step is found if a change lies so many runs from it at most."""

Series: TypeAlias = NDArray[np.float64]
Noise: TypeAlias = Callable[[np.random.Generator, int], Series]
"""(generator, how many) -> logarithms of latency with a standard deviation of about 1."""


def _normal(rng: np.random.Generator, runs: int) -> Series:
    return rng.standard_normal(runs)


def _lognormal(rng: np.random.Generator, runs: int) -> Series:
    """Skewed even as a logarithm: seldom, and then much, slower."""
    return np.exp(0.75 * rng.standard_normal(runs))


def _student(rng: np.random.Generator, runs: int) -> Series:
    return rng.standard_t(3, runs) / math.sqrt(3)


def _bimodal(rng: np.random.Generator, runs: int) -> Series:
    """Two kinds of runs, as of two clocks."""
    return 2 * (rng.random(runs) < 0.3) + 0.4 * rng.standard_normal(runs)


def _autoregressive(correlation: float) -> Noise:
    def noise(rng: np.random.Generator, runs: int) -> Series:
        burn_in = 50
        steps = rng.standard_normal(runs + burn_in) * math.sqrt(1 - correlation**2)
        path: Series = lfilter([1.0], [1.0, -correlation], steps)[burn_in:]
        return path

    return noise


def _drifting(rng: np.random.Generator, runs: int) -> Series:
    """By one standard deviation, 3 %, over all runs: less than the threshold."""
    return rng.standard_normal(runs) + np.linspace(0, 1, runs)


INDEPENDENT: Mapping[str, Noise] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "t, 3 degrees of freedom": _student,
    "bimodal": _bimodal,
}
DEPENDENT: Mapping[str, Noise] = {
    "AR(1), 0.3": _autoregressive(0.3),
    "AR(1), 0.6": _autoregressive(0.6),
    "drift of 3 %": _drifting,
}


def rows() -> Iterator[Row]:
    """False changes of a series, then of a history of cases, then power."""
    for name, noise in {**INDEPENDENT, **DEPENDENT}.items():
        for runs in LENGTHS:
            check = f"flat, {name}, {runs} runs, 1 case"
            yield _judged(check, false_changes(noise, runs, 1, SERIES), SERIES, name)
    for name, noise in {**INDEPENDENT, **DEPENDENT}.items():
        for runs in LENGTHS_OF_HISTORIES:
            check = f"flat, {name}, {runs} runs, {CASES} cases"
            yield _judged(check, false_changes(noise, runs, CASES, HISTORIES), HISTORIES, name)
    for runs in LENGTHS_OF_HISTORIES:
        for sd in (0.01, 0.02, 0.03):
            for step in (0.02, 0.05, 0.1, 0.2):
                found, covered = power(step, sd, runs, STEPS)
                holds = f"; its interval holds it in {covered} of these" if found else ""
                check = f"step of {step:.0%}, noise {sd:.0%}, {runs} runs, {CASES} cases"
                yield noted(check, f"{share(found, STEPS)}{holds}")


def _judged(check: str, found: tuple[int, int], tries: int, noise: str) -> Row:
    """Independent noise is held to the error rate, as far as so many tries can tell."""
    of_any_size, large = found
    text = f"{share(of_any_size, tries)}; of {THRESHOLD:.0%} or more: {large}"
    if noise in DEPENDENT:
        return noted(check, text)
    good = share_interval(of_any_size, tries)[0] <= ERROR_RATE
    return judged(check, f"at most {ERROR_RATE:.0%}", text, good)


def false_changes(noise: Noise, runs: int, cases: int, tries: int) -> tuple[int, int]:
    """How many of so many flat histories show a change of any size, and of the threshold."""
    rng = np.random.default_rng([21, runs, cases])
    of_any_size = large = 0
    for _ in range(tries):
        history = [_series(NOISE_SD * noise(rng, runs)) for _ in range(cases)]
        if any(changes.find(history, ANY_SIZE)):
            of_any_size += 1
            large += any(changes.find(history, THRESHOLD))
    return of_any_size, large


def power(step: float, sd: float, runs: int, tries: int) -> tuple[int, int]:
    """How often a step half-way is found, as one of `CASES` cases, and its ratio told right.

    Args:
        step: 0.05 for 5 % slower.
        sd: of the logarithm of latency, between runs.
        runs: length of the history.
        tries: how many are simulated.
    """
    rng = np.random.default_rng([22, runs])
    at = runs // 2
    found = covered = 0
    for _ in range(tries):
        logs = sd * rng.standard_normal(runs) + math.log1p(step) * (np.arange(runs) >= at)
        told = changes.find([_series(logs)], error_rate=ERROR_RATE / CASES)[0]
        near = [one for one in told if one.slower and abs(one.at - at) <= _NEAR]
        found += bool(near)
        covered += bool(near) and not near[0].ratio.excludes(1 + step)
    return found, covered


def _series(logs: Series) -> list[Interval]:
    times = 1e-3 * np.exp(logs)
    return [Interval(s, s / _WITHIN_RUN, s * _WITHIN_RUN) for s in times.tolist()]

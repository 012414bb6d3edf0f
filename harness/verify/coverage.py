"""Do the intervals contain the truth as often as they say?

Simulated: `harness.runner.measure.latency`, the real one with its calibration, warm-up and stopping
rule, measures workers whose noise is known. Two intervals are held to their 95 %:

* of one pass (`harness.stats.series_interval`), which decides when to stop. The truth is the
  median of the distribution that the blocks are drawn from. Where the process drifts, it is the
  level in the middle of what was sampled: no interval can know where a process drifts later.
* of a row (`harness.stats.pass_interval`), over three passes that each have an effect of their own
  and stop by themselves. The truth is what the effects are spread around. Their spread differs
  from layer to layer as the prior says, or is fixed at one value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from harness import stats
from harness.runner import measure
from harness.runner.sampling import Effort
from harness.stats import PROCESS_SD, PROCESS_SD_WEIGHT
from harness.types import Case
from harness.verify.row import Row, judged

RUNS = 8000
"""Simulated passes a noise; their coverage has a standard error of a quarter of a hundredth."""
ROWS = 1000
PASSES = 3
LOW, HIGH = 0.93, 0.97
CALL_S = 2e-3
"""Far more than a block has to last, so that a block is one call."""
EFFORT = Effort(rel_ci=0.01, sample_s=300 * CALL_S, timeout_s=60.0)
"""At most so many blocks as the sweep ``standard`` takes, whose blocks last 1 ms."""
_CASE = Case.parse("simulated/fake/cpu/forward/eager/float32/b1")
_PREPARED = {"first_call_s": 1.0, "flops": 1, "bytes": 1, "parameter_bytes": 1}

Series: TypeAlias = NDArray[np.float64]
Noise: TypeAlias = Callable[[np.random.Generator, int], Series]
"""(generator, how many) -> factors on the time of a block, in the order taken."""


def _normal(rng: np.random.Generator, count: int) -> Series:
    return 1 + 0.05 * rng.standard_normal(count)


def _lognormal(rng: np.random.Generator, count: int) -> Series:
    return np.exp(0.1 * rng.standard_normal(count))


def _bimodal(rng: np.random.Generator, count: int) -> Series:
    """Two speeds, as of a clock that changes."""
    fast = 1 + 0.02 * rng.standard_normal(count)
    slow = 1.3 + 0.03 * rng.standard_normal(count)
    return np.where(rng.random(count) < 0.7, fast, slow)


def _autoregressive(correlation: float) -> Noise:
    def noise(rng: np.random.Generator, count: int) -> Series:
        burn_in = 100
        steps = rng.standard_normal(count + burn_in) * math.sqrt(1 - correlation**2)
        path: Series = lfilter([1.0], [1.0, -correlation], steps)[burn_in:]
        return np.exp(0.05 * path)

    return noise


def _spiky(rng: np.random.Generator, count: int) -> Series:
    """One block in twenty is interrupted."""
    spikes = (rng.random(count) < 0.05) * rng.exponential(3.0, count)
    return (1 + 0.03 * np.abs(rng.standard_normal(count))) * (1 + spikes)


NOISES: dict[str, Noise] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "bimodal": _bimodal,
    "AR(1), 0.5": _autoregressive(0.5),
    "AR(1), 0.8": _autoregressive(0.8),
    "spiky": _spiky,
}
DRIFT_SD = 0.03
"""Of what a process drifts by over its sampling time, up or down."""


class Simulated:
    """A worker whose blocks take what they are told to take.

    Attributes:
        taken: blocks so far, warm-up included.
    """

    def __init__(self, series: Series) -> None:
        self._series = series
        self.taken = 0

    def ask(self, timeout_s: float, **request: Any) -> dict[str, Any]:
        """See `harness.answers.Worker`."""
        if request["do"] == "prepare":
            return {**_PREPARED, "warnings": []}
        if request["do"] in ("check_smaller", "check"):
            return {}
        if request["do"] == "pairs":
            return {"wall_s": [CALL_S] * request["pairs"], "doubled_s": [CALL_S] * request["pairs"]}
        first, self.taken = self.taken, self.taken + request["blocks"]
        assert request["calls"] == 1
        return {"wall_s": self._series[first : self.taken].tolist(), "device_s": []}


def one_pass(series: Series) -> tuple[tuple[float, ...], int]:
    """(samples, how many blocks had gone before) of a worker with these times of blocks."""
    worker = Simulated(series)
    samples = measure.latency(worker.ask, _CASE, 0, EFFORT, 1e-7).samples_s
    return samples, worker.taken - len(samples)


def _blocks() -> int:
    """More than the longest warm-up and sampling can take."""
    return int(4 * (1 + measure.WARM_UP_CAP) * EFFORT.sample_s / CALL_S)


def rows() -> Iterator[Row]:
    """Within a pass for each noise, then of a row."""
    for name, noise in NOISES.items():
        yield _judged(f"one pass, {name}", within(noise, RUNS))
    yield _judged("one pass, drifting", drifting(RUNS))
    for name, noise in NOISES.items():
        yield _judged(f"row of {PASSES} passes, {name}", across(noise, ROWS, None))
    for sd in (0.01, PROCESS_SD, 0.05):
        check = f"row of {PASSES} passes, normal, processes {sd:.0%} apart"
        yield _judged(check, across(_normal, ROWS, sd), cautious=True)


def _judged(check: str, coverage: float, cautious: bool = False) -> Row:
    """A cautious interval may be wider than need be, which is said."""
    wide = ": wider than it need be" if coverage > HIGH else ""
    expected = f"at least {LOW:.0%}" if cautious else f"{LOW:.0%} to {HIGH:.0%}"
    good = coverage >= LOW and (cautious or coverage <= HIGH)
    return judged(check, expected, f"{coverage:.1%}{wide}", good)


def median(noise: Noise) -> float:
    """Of the distribution, to about a part in 5000."""
    rng = np.random.default_rng(2**20)
    return float(np.median(np.concatenate([noise(rng, 500) for _ in range(2000)])))


def within(noise: Noise, runs: int) -> float:
    """How often the interval of one pass contains the median of the noise."""
    truth = CALL_S * median(noise)
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(runs):
        samples, _before = one_pass(CALL_S * noise(rng, _blocks()))
        hits += not stats.series_interval(samples).excludes(truth)
    return hits / runs


def drifting(runs: int) -> float:
    """Likewise, of the level in the middle of what was sampled."""
    rng = np.random.default_rng(12)
    hits = 0
    for _ in range(runs):
        slope = rng.normal(0, DRIFT_SD) / (EFFORT.sample_s / CALL_S)
        blocks = np.arange(_blocks())
        series = CALL_S * np.exp(slope * blocks + 0.03 * rng.standard_normal(len(blocks)))
        samples, before = one_pass(series)
        truth = CALL_S * math.exp(slope * (before + (len(samples) - 1) / 2))
        hits += not stats.series_interval(samples).excludes(truth)
    return hits / runs


def across(noise: Noise, runs: int, process_sd: float | None) -> float:
    """How often the interval of a row contains what its processes are spread around.

    Args:
        noise: within each process.
        runs: rows.
        process_sd: of the logarithms of the processes' effects; None to draw it for each row from
            the prior, as a scaled inverse chi-squared.
    """
    truth = CALL_S * median(noise)
    rng = np.random.default_rng(13)
    hits = 0
    for _ in range(runs):
        sd = process_sd or PROCESS_SD * math.sqrt(
            PROCESS_SD_WEIGHT / rng.chisquare(PROCESS_SD_WEIGHT)
        )
        passes = []
        for effect in np.exp(rng.normal(0, sd, PASSES)):
            samples, _before = one_pass(CALL_S * noise(rng, _blocks()))
            passes.append(stats.series_interval([effect * sample for sample in samples]))
        hits += not stats.pass_interval(passes).excludes(truth)
    return hits / runs

"""Pure arithmetic on samples: medians, intervals, ratios. Nothing here knows a file or a case.

The process is the unit of replication: samples within one process agree with each other far
better than two processes do (memory layout, thread placement, library initialization), so an
interval from one process alone is too narrow. `pass_interval` therefore works on one median a
process.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

PROCESS_SD = 0.03
"""Prior for the standard deviation of log latency between processes (observed: 0.007 to 0.05)."""
PROCESS_SD_WEIGHT = 3.0
"""How many further passes the prior counts for."""
NORMAL_97_5 = 1.959964
"""The 97.5 % quantile of the normal distribution."""
MEDIAN_LOSS = (1.0, 1.0, 1.160, 1.092, 1.198, 1.135, 1.214, 1.160, 1.223, 1.176)
"""How much wider the standard error of a median of 1, 2, ... 10 is than that of their mean, for
normal data. Source: Hojo (1931), Biometrika 23, 315-360."""
MEDIAN_LOSS_OF_MANY = math.sqrt(math.pi / 2)
TREND_GROUPS = 30
"""Enough to tell a step half-way from chance; more would tell the memory of noise for a trend."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    @property
    def relative_half_width(self) -> float:
        return (self.high - self.low) / 2 / self.value

    def excludes(self, value: float) -> bool:
        return not self.low <= value <= self.high


@lru_cache(maxsize=4096)
def _median_rank(count: int) -> int:
    """Largest k with P(Binomial(count, 1/2) < k) <= 2.5 %: the k-th smallest is the lower limit."""
    from scipy.special import bdtr

    ranks = np.arange(count // 2 + 1)
    return int(np.searchsorted(bdtr(ranks - 1.0, count, 0.5), 0.025, side="right")) - 1


def median_interval(samples: Sequence[float]) -> Interval:
    """The median with its order-statistic interval, which assumes no distribution.

    With fewer than 6 samples no such interval reaches 95 %; the range is returned instead.
    Source: Conover, Practical Nonparametric Statistics, section 3.2.

    Raises:
        ValueError: no samples.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    rank = max(_median_rank(len(ordered)), 1)
    return Interval(
        float(np.median(ordered)), float(ordered[rank - 1]), float(ordered[len(ordered) - rank])
    )


ENOUGH_SAMPLES = 30
"""From here on the median's order-statistic interval holds its 95 % well enough to stop by."""


def series_interval(samples: Sequence[float]) -> Interval:
    """The median with an interval for samples in the order in which they were taken.

    Blocks that follow each other in one process are alike, so n of them tell less than n
    independent ones: as much as n / τ, where τ is the autocorrelation time of being above the
    median or not, which is what the variance of a median depends on. The ranks of
    `median_interval` are moved apart accordingly; never closer.
    Source: Sen (1968), doi:10.1214/aoms/1177698155, for medians of dependent samples.

    Raises:
        ValueError: no samples.
    """
    independent = median_interval(samples)
    count, time = len(samples), _autocorrelation_time(samples)
    if time <= 1:
        return independent
    rank = math.floor((count + 1 - NORMAL_97_5 * math.sqrt(count * time)) / 2)
    rank = max(1, min(rank, _median_rank(count)))
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    return Interval(independent.value, float(ordered[rank - 1]), float(ordered[count - rank]))


def _autocorrelation_time(samples: Sequence[float]) -> float:
    """Of the signs about the median, in samples; 1 for independent ones.

    Pairs of autocorrelations are summed as long as they are positive (Geyer 1992,
    doi:10.1214/ss/1177011137). Each is too small by τ / n, as the mean was taken off; over the
    τ - 1 lags to both sides that matter, that is a share of 2 (τ - 1) / n, which is given back.
    """
    above = np.asarray(samples) > np.median(samples)
    signs = above - above.mean()
    count = len(signs)
    if not signs.any():
        return 1.0
    spectrum = np.fft.rfft(signs, 2 * count)
    products = np.fft.irfft(np.abs(spectrum) ** 2)[: count - count % 2]
    pairs = products.reshape(-1, 2).sum(axis=1) / products[0]
    ends = np.flatnonzero(pairs <= 0)
    time = 2 * float(pairs[: ends[0] if len(ends) else None].sum()) - 1
    return time * (1 + 2 * (time - 1) / count)


def pass_interval(passes: Sequence[Interval]) -> Interval:
    """The median over passes, with an interval for what a further process would be spread around.

    A t interval on the logarithms of the passes' medians, its variance moderated by a prior (a
    scaled inverse chi-squared): a few passes cannot tell their own spread, and without a prior two
    passes that happen to agree would claim certainty. The prior expects `PROCESS_SD` between
    processes, and on top of it what the passes' own intervals say about their medians, so that
    noise within a process shows from the first pass on.
    Source: Smyth (2004), doi:10.2202/1544-6115.1027, section 4, with fixed hyperparameters.

    Args:
        passes: the median of each, with its interval; see `median_interval`.

    Raises:
        ValueError: no passes, or a limit that is not positive.
    """
    if not passes or min(one.low for one in passes) <= 0:
        raise ValueError("pass medians must be positive, and at least one")
    from scipy.special import stdtrit

    logs = np.log([one.value for one in passes])
    count = len(passes)
    freedom = PROCESS_SD_WEIGHT + count - 1
    expected = _expected_variance(passes)
    spread = float(np.sum((logs - logs.mean()) ** 2))
    sd = math.sqrt((PROCESS_SD_WEIGHT * expected + spread) / freedom)
    loss = MEDIAN_LOSS[count - 1] if count <= len(MEDIAN_LOSS) else MEDIAN_LOSS_OF_MANY
    half = float(stdtrit(freedom, 0.975)) * sd * loss / math.sqrt(count)
    centre = float(np.median(logs))
    return Interval(math.exp(centre), math.exp(centre - half), math.exp(centre + half))


def ratio_interval(numerator: Interval, denominator: Interval) -> Interval:
    """The ratio of two independent figures; their log half-widths add in quadrature."""
    centre = math.log(numerator.value / denominator.value)
    low = math.hypot(
        math.log(numerator.value / numerator.low), math.log(denominator.high / denominator.value)
    )
    high = math.hypot(
        math.log(numerator.high / numerator.value), math.log(denominator.value / denominator.low)
    )
    return Interval(math.exp(centre), math.exp(centre - low), math.exp(centre + high))


def difference_interval(minuend: Interval, subtrahend: Interval) -> Interval:
    """The difference of two independent figures; their half-widths add in quadrature.

    Source: Zou and Donner (2008), doi:10.1002/sim.3095, of limits found by whatever means.
    """
    centre = minuend.value - subtrahend.value
    low = math.hypot(minuend.value - minuend.low, subtrahend.high - subtrahend.value)
    high = math.hypot(minuend.high - minuend.value, subtrahend.value - subtrahend.low)
    return Interval(centre, centre - low, centre + high)


def share_interval(found: int, tries: int) -> tuple[float, float]:
    """The 95 % interval of a share, from how many of some tries came out so.

    Source: Clopper and Pearson (1934), doi:10.2307/2331986.
    """
    from scipy.special import betaincinv

    low = float(betaincinv(found, tries - found + 1, 0.025)) if found else 0.0
    high = float(betaincinv(found + 1, tries - found, 0.975)) if found < tries else 1.0
    return low, high


def geometric_mean(values: Iterable[float]) -> float:
    """The geometric mean; NaN of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def mean_ratio(ratios: Iterable[Interval]) -> Interval:
    """The geometric mean of the ratios of some cases.

    Its limits are the geometric means of the single limits. The errors of the cases are not
    independent, as they share worker processes; the standard error of a mean never exceeds the mean
    of the standard errors, so this interval is wide enough whatever they share. It holds for these
    cases on these machines and says nothing about others.
    """
    found = list(ratios)
    return Interval(
        geometric_mean(ratio.value for ratio in found),
        geometric_mean(ratio.low for ratio in found),
        geometric_mean(ratio.high for ratio in found),
    )


def pass_agreement(passes: Sequence[Interval]) -> float:
    """How likely passes differ by at least this much, by what `pass_interval` expects of them.

    Under its prior the variance of K medians' logarithms over the expected one follows an F
    distribution of K − 1 and `PROCESS_SD_WEIGHT` degrees of freedom; 1 for a single pass.
    Source: Smyth (2004), doi:10.2202/1544-6115.1027, section 3.
    """
    if len(passes) < 2:
        return 1.0
    from scipy.special import fdtrc

    variance = float(np.var(np.log([one.value for one in passes]), ddof=1))
    ratio = variance / _expected_variance(passes)
    return float(fdtrc(len(passes) - 1, PROCESS_SD_WEIGHT, ratio))


def _expected_variance(passes: Sequence[Interval]) -> float:
    """Of the logarithms of passes' medians: between processes, and within them as they say."""
    errors = np.log([one.high / one.low for one in passes]) / (2 * NORMAL_97_5)
    return PROCESS_SD**2 + float(np.mean(errors**2))


def trend_score(samples: Sequence[float]) -> float:
    """The Mann–Kendall test for a trend in samples in order, in standard deviations from none.

    Above 0 they rise. It asks only which of two samples is larger, so a few wild ones do not
    matter. More than `TREND_GROUPS` samples are taken together by medians of neighbours, which
    takes out what lasts for a few samples only: the test is for independent ones. Ties count for
    neither side.
    Source: Mann (1945), doi:10.2307/1907187; Kendall, Rank Correlation Methods (1975).
    """
    values = np.asarray(samples, dtype=np.float64)
    if len(values) > TREND_GROUPS:
        groups = np.array_split(values, TREND_GROUPS)
        values = np.asarray([np.median(group) for group in groups])
    count = len(values)
    if count < 3:
        return 0.0
    score = float(np.sum(np.triu(np.sign(values[None, :] - values[:, None]), 1)))
    sd = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return math.copysign(max(abs(score) - 1, 0.0), score) / sd

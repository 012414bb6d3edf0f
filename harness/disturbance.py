"""What disturbs a worker while it is timed: the kinds, from how much on, and what then counts.

A sample is marked by what the kernel says of its request, never by its own value. So leaving
marked samples out takes away what was disturbed, and not what was slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from harness.stats import ENOUGH_SAMPLES
from harness.types import Disturbance, Measurement


class Unit(StrEnum):
    """What an amount of a kind is, and so how amounts of several requests are put together."""

    SHARE = "share"
    """Of the time; their mean, by samples."""
    BELOW = "below"
    """The share by which something is less than it should be; their mean, by samples."""
    SECONDS = "seconds"
    """Their sum."""
    TIMES = "times"
    """Their sum."""
    STATE = "state"
    """There or not; how much of it is not told."""


class Kind(NamedTuple):
    """A kind of disturbance.

    Attributes:
        limit: a request with more than this is disturbed.
        unit: of the amount.
        cause: what goes on, after "while".
        breaks: the process did not run at all for a while, so that a sample spanning it is no
            figure of anything.
    """

    limit: float
    unit: Unit
    cause: str
    breaks: bool = False


SHARE = 0.05
"""Of a request's time. Taken from a few of its blocks, as most often it is, it moves their median
by less than what lies between the 50th and the 53rd percentile."""

KINDS: Mapping[str, Kind] = {
    "suspended": Kind(0.1, Unit.SECONDS, "the machine was suspended", breaks=True),
    "stopped": Kind(0, Unit.TIMES, "the worker was stopped", breaks=True),
    "waiting": Kind(SHARE, Unit.SHARE, "other processes held its cores"),
    "stolen": Kind(SHARE, Unit.SHARE, "the host gave its cores to another guest"),
    "throttled": Kind(SHARE, Unit.SHARE, "the container's CPU limit held it back"),
    "overheated": Kind(0, Unit.TIMES, "the processor throttled itself for heat"),
    "slowed": Kind(0.1, Unit.BELOW, "the processor's clock was below its nominal one"),
    "faults": Kind(0, Unit.TIMES, "its pages had to be read from a disk"),
    "swapped": Kind(256, Unit.TIMES, "the machine swapped pages"),
    "gpu_shared": Kind(0, Unit.STATE, "another process was on the GPU"),
    "gpu_slowed": Kind(0, Unit.STATE, "the GPU's clock was held down by heat or power"),
}
"""By the names that `harness.devices.watch` gives them."""


def marks(told: Mapping[str, float], first: int, stop: int) -> list[Disturbance]:
    """Those kinds of which there was too much while samples `first` to `stop` - 1 were taken."""
    return [
        Disturbance(first, stop, kind, amount)
        for kind, amount in told.items()
        if amount > KINDS[kind].limit
    ]


def marked(disturbances: Iterable[Disturbance], number: int) -> list[bool]:
    """Which of so many samples were taken under any of these."""
    found = [False] * number
    for one in disturbances:
        found[one.first : one.stop] = [True] * len(found[one.first : one.stop])
    return found


def counted(measurement: Measurement) -> list[bool]:
    """Which of its samples its figures rest on: those undisturbed if they are enough, else all.

    Enough are as many as a median's interval needs, or half of what was taken. Samples that span a
    break of the process count only if there are no others.
    """
    number, disturbances = len(measurement.samples_s), measurement.disturbances or ()
    broken = marked((one for one in disturbances if KINDS[one.kind].breaks), number)
    whole = [not there for there in broken] if not all(broken) else [True] * number
    clean = [not there for there in marked(disturbances, number)]
    enough = sum(clean) >= min(ENOUGH_SAMPLES, max(1, sum(whole) / 2))
    return clean if enough else whole


def only_counted(measurement: Measurement) -> Measurement:
    """The same with those samples only on which its figures rest."""
    if not measurement.disturbances:
        return measurement
    keep = counted(measurement)
    return replace(
        measurement,
        samples_s=_kept(measurement.samples_s, keep),
        device_samples_s=_kept(measurement.device_samples_s, keep),
    )


def _kept(samples: Sequence[float], keep: Sequence[bool]) -> tuple[float, ...]:
    return tuple(sample for sample, kept in zip(samples, keep, strict=False) if kept)

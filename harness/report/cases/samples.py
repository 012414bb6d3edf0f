"""The samples of each row, as charts and sentences need them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

Key: TypeAlias = tuple[str, str]
"""Run and case."""


@dataclass(frozen=True)
class Pass:
    """What one fresh process measured of one case.

    Attributes:
        index: of the pass in its run, from 0.
        samples_s: time of a call, in the order taken.
    """

    index: int
    samples_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        return statistics.median(self.samples_s)


Passes: TypeAlias = Mapping[Key, tuple[Pass, ...]]


def by_row(samples: pd.DataFrame | None) -> dict[Key, tuple[Pass, ...]]:
    """The passes of each row that has samples.

    Args:
        samples: what `harness.store.load_samples` returns.
    """
    if samples is None or samples.empty:
        return {}
    samples = samples[samples["counted"]] if "counted" in samples else samples
    found: dict[Key, list[Pass]] = {}
    keys = ["run_id", "case_id", "pass_index"]
    for (run, case, index), times in samples.groupby(keys)["wall_s"]:
        taken = tuple(float(time) for time in times if math.isfinite(time) and time > 0)
        if taken:
            found.setdefault((str(run), str(case)), []).append(Pass(int(str(index)), taken))
    return {key: tuple(passes) for key, passes in found.items()}

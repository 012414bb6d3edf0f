"""Passes that agree contain each other's medians; passes that wander do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.stats import Interval
from harness.types import UsageError
from harness.verify import repeats
from harness.verify.row import Verdict


@pytest.mark.parametrize(("sd", "least", "most"), [(0.02, 0.97, 1.0), (0.5, 0.0, 0.9)])
def test_the_share_tells_passes_that_agree_from_those_that_wander(
    sd: float, least: float, most: float
) -> None:
    """Two speeds a factor apart by chance are more than three passes can know of."""
    rng = np.random.default_rng(0)
    hits = trials = 0
    for _ in range(20):
        medians = 1e-3 * np.exp(sd * (rng.random(9) < 0.4))
        some, of = repeats._contained([Interval(m, m, m) for m in medians])
        hits, trials = hits + some, trials + of
    assert trials == 20 * 84
    assert least <= hits / trials <= most


def test_it_reads_the_passes_of_any_results(
    measured: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    measured(layers=("noisy", "scale"), passes=6)
    found = repeats.agreeing(tmp_path)
    assert [trials for _, trials in found] == [20, 20]
    assert repeats._row("A/A", found).verdict is Verdict.OK


def test_too_few_passes_are_told(measured: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    measured(passes=3)
    with pytest.raises(UsageError, match="no case with 6 passes"):
        repeats.agreeing(tmp_path)

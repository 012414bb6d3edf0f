"""layerbench: benchmarks neural-network layers across frameworks and machines.

import harness

frame = harness.run("quick", layers=["lstm"], batch=[1, 32])
frame = harness.load("results")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from harness.types import Value

__version__ = "0.1.0"
__all__ = ["load", "load_samples", "run"]


def load(paths: str | Path | Sequence[str | Path] = "results") -> pd.DataFrame:
    """All results at or below the paths, one row a case; see `harness.store.load`."""
    from harness import store

    return store.load(paths)


def load_samples(paths: str | Path | Sequence[str | Path] = "results") -> pd.DataFrame:
    """Every sample at or below the paths; see `harness.store.load_samples`."""
    from harness import store

    return store.load_samples(paths)


def run(
    sweep: str = "quick",
    *,
    layers: Sequence[str] = (),
    params: Mapping[str, Sequence[Value]] | None = None,
    suites: Sequence[str] = (),
    passes: int | None = None,
    budget_s: float | None = None,
    results: str | Path = "results",
    **axes: Sequence[Any],
) -> pd.DataFrame:
    """Measures a sweep and returns its rows, as `load` does.

    Args:
        sweep: ``quick``, ``standard``, ``full``, or a TOML file.
        layers: names or patterns; all of the sweep's if empty.
        params: values by parameter name, in place of the presets'.
        suites: files or modules with layers beside the catalogue.
        passes: worker processes that each measure every case, one after the other.
        budget_s: seconds in which as many passes are made as fit.
        results: the folder under which the run is kept.
        axes: values by axis, such as ``batch=[1, 32]`` or ``framework=["torch"]``.

    Raises:
        UsageError: something asked for does not exist.
    """
    from harness import runner, store

    request = runner.Request(
        sweep,
        layers=tuple(layers),
        axes=axes,
        params=params or {},
        suites=tuple(suites),
        passes=passes,
        budget_s=budget_s,
    )
    plan = runner.make_plan(request)
    record = runner.begin(plan, Path(results), f"harness.run({sweep!r})")
    runner.execute(record, plan.layers, lambda event: None)
    store.collect(record.folder)
    return store.load(record.folder)

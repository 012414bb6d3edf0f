"""layerbench: benchmarks neural-network layers across frameworks and machines.

import harness

frame = harness.run("quick", layers="lstm", batch=[1, 32])
frame = harness.load("results")
harness.plot.latency(frame, "lstm")
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from harness.runner import Request
    from harness.types import Value

__version__ = "0.1.0"
__all__ = ["load", "load_runs", "load_samples", "plot", "run", "tables"]


def load(paths: str | Path | Sequence[str | Path] = "results") -> pd.DataFrame:
    """All results at or below the paths, one row a case; see `harness.store.load`."""
    from harness import store

    return store.load(paths)


def load_runs(paths: str | Path | Sequence[str | Path] = "results") -> list[dict[str, Any]]:
    """What each run at or below the paths was, and where; see `harness.store.load_runs`."""
    from harness import store

    return store.load_runs(paths)


def load_samples(paths: str | Path | Sequence[str | Path] = "results") -> pd.DataFrame:
    """Every sample at or below the paths; see `harness.store.load_samples`."""
    from harness import store

    return store.load_samples(paths)


def run(
    sweep: str | Path = "quick",
    *,
    layers: str | Iterable[str] | None = None,
    params: Mapping[str, Value | Iterable[Value]] | None = None,
    suites: str | Path | Iterable[str | Path] = (),
    passes: int | None = None,
    budget_s: float | str | None = None,
    presets: str | None = None,
    rel_ci: float | str | None = None,
    sample_s: float | str | None = None,
    timeout_s: float | str | None = None,
    seed: int = 0,
    max_memory_bytes: int | str | None = None,
    insist: bool = False,
    results: str | Path = "results",
    **axes: Any,
) -> pd.DataFrame:
    """Measures a sweep and returns its rows, as `load` does.

    A lone value stands for a list of one.

    Args:
        sweep: ``quick``, ``standard``, ``full``, or a TOML file.
        layers: names or patterns; all of the sweep's if None.
        params: values by parameter name, in place of the presets'.
        suites: files or modules with layers beside the catalogue.
        passes: worker processes that each measure every case, one after the other.
        budget_s: seconds, or text such as ``10m``, in which as many passes are made as fit.
        presets: ``first`` or ``all`` of each layer's, or the name of one.
        rel_ci: half-width of the median's 95 % interval, relative, at which sampling stops.
        sample_s: seconds of samples of a case and pass, at most.
        timeout_s: seconds after which a case that does not answer is given up.
        seed: of the order in which cases are measured.
        max_memory_bytes: what a worker for the CPU may take, or text such as ``8GiB``; 85 % of what
            is free if None.
        insist: try a case even if it ran out of memory in a smaller size.
        results: the folder under which the run is kept.
        axes: values by axis, such as ``batch=[1, "tokens=16384"]`` or ``framework="torch"``.

    Raises:
        UsageError: something asked for does not exist or does not make sense.
    """
    from harness import checks, runner, store
    from harness.runner import arguments

    checks.check_known("argument", axes, (*checks.AXES, *_ARGUMENTS))
    request = runner.Request.of(
        sweep=sweep,
        layers=layers,
        axes=axes,
        params=params,
        suites=suites,
        passes=passes,
        budget_s=budget_s,
        presets=presets,
        rel_ci=rel_ci,
        sample_s=sample_s,
        timeout_s=timeout_s,
        seed=seed,
        max_memory_bytes=max_memory_bytes,
        insist=insist,
    )
    folder = arguments.folder(results)
    plan = runner.make_plan(request)
    record = runner.begin(plan, folder, _call(request, folder))
    runner.execute(record, plan.layers, lambda event: None)
    store.collect(record.folder)
    return store.load(record.folder)


_ARGUMENTS = (
    *("layers", "params", "suites", "passes", "budget_s"),
    *("presets", "rel_ci", "sample_s", "timeout_s", "seed", "max_memory_bytes", "insist"),
    "results",
)


def _call(request: Request, results: Path) -> str:
    """The call of `run` that makes such a run again."""
    settings = {name: getattr(request, name, None) for name in _ARGUMENTS}
    settings["results"] = str(results) if results != Path("results") else None
    given = {name: _literal(value) for name, value in {**settings, **request.axes}.items() if value}
    return f"harness.run({', '.join([repr(request.sweep), *map('='.join, given.items())])})"


def _literal(value: Any) -> str:
    """As one would type it, with lists for tuples."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {_literal(part)}' for key, part in value.items())}}}"
    return repr(list(value) if isinstance(value, tuple) else value)


if not TYPE_CHECKING:  # or any name at all would pass for one of this package

    def __getattr__(name: str) -> Any:
        """`harness.plot` and `harness.tables`, imported when they are first asked for."""
        if name in ("plot", "tables"):
            return importlib.import_module(f"harness.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

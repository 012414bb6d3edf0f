"""The command that writes results in the notation of other programs."""

from __future__ import annotations

from argparse import Namespace
from functools import partial

from harness import store
from harness.checks import check_known
from harness.cli import GOOD
from harness.cli.files import write
from harness.report.exchange import FORMATS
from harness.report.exchange.results import Results
from harness.types import UsageError


def export_command(options: Namespace) -> int:
    """Each format into its file."""
    check_known("format", [name for name, _ in options.format], FORMATS)
    paths = options.runs or [store.latest_run(options.results)]
    frame = store.load(paths)
    if frame.empty:
        raise UsageError(f"{', '.join(map(str, paths))} holds no case, so nothing can be exported")
    results = Results(frame, partial(store.load_runs, paths), partial(store.load_samples, paths))
    write((file, FORMATS[name](results)) for name, file in options.format)
    return GOOD

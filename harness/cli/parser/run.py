"""`layerbench run`."""

from __future__ import annotations

import argparse

from harness import units
from harness.cli.parser.kinds import checked, names, path
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.shared import AXIS_HELP, add_axes, add_effort, results, suite

LATEST = object()
"""Stands for the latest run, where none is named."""


def add(commands: Commands) -> Line:
    """The command, for `check`."""
    run = commands.add_parser("run", parents=[suite(), results()], help="measure a sweep")
    # None stands for what was not said; what holds then is for the request to say.
    run.add_argument(
        "sweep",
        nargs="?",
        help="quick (default), standard, full, attention, attention_quick, or a file",
    )
    what = run.add_argument_group("what to measure (comma-separated; in place of the sweep's)")
    what.add_argument(
        *("-l", "--layer"),
        type=checked(names),
        action="extend",
        metavar="NAMES",
        help="or patterns",
    )
    add_axes(what)
    what.add_argument("--presets", metavar="NAME", help="of each layer: first, all or a name")
    what.add_argument("--case", action="append", metavar="ID", help="instead (repeatable)")
    how = run.add_argument_group("how long to look")
    add_effort(how)
    how.add_argument(
        "--budget",
        type=checked(units.parse_duration),
        metavar="10m",
        help="make as many passes as fit",
    )
    how.add_argument(
        "--rel-ci",
        type=checked(units.parse_fraction),
        metavar="1%",
        help="stop when the median's 95%% interval is within ± this",
    )
    run.add_argument(
        "--strict", action="store_true", help="exit with 3 if a row fails a check of itself, too"
    )
    run.add_argument("--dry-run", action="store_true", help="print the cases and the time")
    run.add_argument(
        "--resume",
        type=checked(path),
        nargs="?",
        const=LATEST,
        metavar="RUN",
        help="go on with a run that was cut short (default: the latest)",
    )
    return run


def check(run: Line, options: argparse.Namespace) -> None:
    """Refuses options that another one leaves without effect."""
    said = {name for name, value in vars(options).items() if value != run.get_default(name)}
    if options.resume is not None:
        idle = said - {"command", "resume", "results", "strict"}
        why = "--resume goes on with a run as it was planned"
    elif options.case:
        idle = said & {"layer", *AXIS_HELP, "param", "presets"}
        why = "a case id says all of what is measured"
    else:
        return
    typed = (options.sweep if name == "sweep" else f"--{name.replace('_', '-')}" for name in idle)
    if idle:
        run.error(f"{why}; leave out {', '.join(sorted(typed))}")

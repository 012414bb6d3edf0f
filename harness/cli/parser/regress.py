"""`layerbench regress`."""

from __future__ import annotations

import argparse

from harness import units
from harness.cli.parser.formats import add_format, check_formats
from harness.cli.parser.kinds import checked, path
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.shared import (
    WHICH_CASES,
    add_timeout,
    add_which_cases,
    refuse,
    results,
    said,
    suite,
)

THRESHOLD = 0.05


def add(commands: Commands) -> Line:
    """The command, for `check`."""
    regress = commands.add_parser(
        "regress",
        parents=[suite(), results()],
        help="what became slower or hungrier between two versions of the code",
        epilog="Exit status: 0 nothing is worse, 1 something is, 2 usage, 3 the infrastructure "
        "failed, 4 nothing was compared, 5 inconclusive (with --strict).",
    )
    regress.set_defaults(module="regress")
    regress.add_argument("sweep", nargs="?", help="quick (default), or another, or a file")
    sides = regress.add_argument_group("what to compare (a git ref or a folder each)")
    sides.add_argument("--base", type=checked(path), metavar="REF", help="the version that is 1.00")
    sides.add_argument(
        "--head", type=checked(path), metavar="REF", help="default: the working tree"
    )
    for side in ("base", "head"):
        sides.add_argument(
            f"--{side}-python",
            type=checked(path),
            metavar="PYTHON",
            help=f"interpreter of {side}, with its frameworks (default: this one)",
        )
    what = regress.add_argument_group(
        "which cases (comma-separated; default: the suites' own layers, or all of the sweep)"
    )
    add_which_cases(what)
    how = regress.add_argument_group("how to judge")
    how.add_argument(
        "--threshold",
        type=checked(_threshold),
        default=THRESHOLD,
        metavar="5%",
        help="the smallest change that counts (default 5%%)",
    )
    how.add_argument(
        "--budget",
        type=checked(units.parse_duration),
        metavar="10m",
        help="what is then undecided stays so (default: as long as the decision takes)",
    )
    how.add_argument("--strict", action="store_true", help="exit with 5 if a case is inconclusive")
    add_timeout(how)
    how.add_argument("--seed", type=int, metavar="N", help="of the order of cases (default 0)")
    out = regress.add_argument_group("what to write")
    add_format(
        out,
        "markdown, summary, junit, json, github-action-benchmark, bencher or "
        "pytest-benchmark; without a file in place of the table (repeatable)",
    )
    out.add_argument(
        "--from",
        dest="stored",
        type=checked(path),
        metavar="FILE",
        help="measure nothing: render the outcome in this JSON file",
    )
    out.add_argument(
        "--history",
        type=checked(path),
        nargs="+",
        metavar="RUNS",
        help="measure nothing: since when is what slower, in these stored runs of a machine "
        "(with --threshold and --format markdown)",
    )
    return regress


def check(regress: Line, options: argparse.Namespace) -> None:
    """Refuses options that another one leaves without effect, and a comparison with nothing."""
    typed = said(regress, options)
    if options.history is not None:
        idle = typed - {"command", "history", "format", "threshold"}
        refuse(regress, options, idle, "--history measures nothing")
    elif options.stored is not None:
        idle = typed - {"command", "stored", "format", "strict"}
        refuse(regress, options, idle, "--from measures nothing")
    elif options.case:
        refuse(regress, options, typed & WHICH_CASES, "a case id says all of what is measured")
    measures_nothing = options.stored is not None or options.history is not None
    if not measures_nothing and not typed & {"base", "base_python", "head_python"}:
        regress.error("--base is missing: the branch, commit or folder to compare with")
    check_formats(regress, options)


def _threshold(text: str) -> float:
    if text.strip() in ("0", "0%"):
        return 0.0
    return units.parse_fraction(text)

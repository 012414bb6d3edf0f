"""`layerbench report`, `compare` and `collect`, which read runs."""

from __future__ import annotations

from harness import units
from harness.cli.parser.kinds import checked, path
from harness.cli.parser.line import Commands
from harness.cli.parser.shared import results


def add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report", parents=[results()], help="write a report of one or more runs"
    )
    report.add_argument(
        "runs", type=checked(path), nargs="*", metavar="RUN", help="default: the latest run"
    )
    report.add_argument(
        "--out", type=checked(path), default="reports", metavar="DIR", help="default reports"
    )
    report.add_argument(
        "--outcome",
        type=checked(path),
        action="append",
        metavar="FILE",
        help="what a gate found, shown too: outcome.json of `layerbench regress`, or what its "
        "--format json wrote; without a run nothing else is shown (repeatable)",
    )


def add_compare(commands: Commands) -> None:
    compare = commands.add_parser("compare", help="compare two runs, machines or versions")
    compare.add_argument(
        "base", type=checked(path), metavar="A", help="the run, or folder of runs, that is 1.00"
    )
    compare.add_argument("other", type=checked(path), metavar="B")
    compare.add_argument(
        "--max-slowdown",
        type=checked(units.parse_fraction),
        metavar="5%",
        help="exit with 3 if a case is slower by more than this, its whole interval counted",
    )


def add_collect(commands: Commands) -> None:
    collect = commands.add_parser("collect", help="write Parquet files from the journals of runs")
    collect.add_argument("runs", type=checked(path), nargs="+", metavar="RUN")

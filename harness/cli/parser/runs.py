"""`layerbench report`, `compare`, `export` and `collect`, which read runs."""

from __future__ import annotations

from harness import units
from harness.cli.parser.formats import add_format
from harness.cli.parser.kinds import checked, path
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.shared import results


def add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report", parents=[results()], help="write a report of one or more runs"
    )
    _add_runs(report)
    report.add_argument(
        "--out", type=checked(path), default="reports", metavar="DIR", help="default reports"
    )
    report.add_argument(
        "--figures",
        type=checked(path),
        metavar="DIR",
        help="write the figures as PNG, SVG and PDF as well, as wide as a column of a paper",
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
    compare = commands.add_parser(
        "compare", help="set two results or more side by side: machines, versions, times"
    )
    compare.set_defaults(module="compare")
    compare.add_argument(
        "results",
        type=checked(path),
        nargs="+",
        metavar="RUN",
        help="a run, or a folder of runs of one machine; the first is the base, which is 1.00",
    )
    compare.add_argument(
        "--base", type=checked(path), metavar="NAME", help="another base: a name shown, or a path"
    )
    compare.add_argument(
        "--across-devices",
        action="store_true",
        help="one device, or number of threads, against another: each result is split by both",
    )
    compare.add_argument(
        "--max-slowdown",
        type=checked(units.parse_fraction),
        metavar="5%",
        help="exit with 3 if a case is slower by more than this, its whole interval counted",
    )
    compare.add_argument(
        "--out", type=checked(path), metavar="DIR", help="write a page and Markdown there, too"
    )
    compare.add_argument(
        "--figures",
        type=checked(path),
        metavar="DIR",
        help="write its drawings as PNG, SVG and PDF as well, as wide as a column of a paper",
    )


def add_export(commands: Commands) -> Line:
    """The command, for `check_formats`."""
    export = commands.add_parser(
        "export", parents=[results()], help="write results in the notation of other programs"
    )
    export.set_defaults(module="export")
    _add_runs(export)
    add_format(
        export,
        "csv, parquet, json, markdown, github-action-benchmark, bencher or pytest-benchmark; "
        "without a file to standard output (repeatable)",
        required=True,
    )
    return export


def add_collect(commands: Commands) -> None:
    collect = commands.add_parser("collect", help="write Parquet files from the journals of runs")
    collect.add_argument("runs", type=checked(path), nargs="+", metavar="RUN")


def _add_runs(command: Line) -> None:
    command.add_argument(
        "runs", type=checked(path), nargs="*", metavar="RUN", help="default: the latest run"
    )

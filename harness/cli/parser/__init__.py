"""What can be typed: a file for each group of commands, in the order in which help lists them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from harness import __version__
from harness.cli.parser import one, regress, run, runs, search
from harness.cli.parser.formats import check_formats
from harness.cli.parser.kinds import by_name
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.run import LATEST
from harness.cli.parser.shared import AXIS_HELP, suite

__all__ = ["AXIS_HELP", "LATEST", "by_name", "parse"]


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, with the name of the command as ``command``; exits with 2 on a mistake."""
    parser = Line(
        prog="layerbench",
        description="Benchmarks neural-network layers across frameworks and machines.",
        epilog="Exit status: 0 good, 2 usage, 3 some case failed or misses a pass (with run "
        "--strict: or failed a check of itself), 4 nothing measured or nothing to compare.",
    )
    parser.add_argument("--version", action="version", version=f"layerbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_list(commands)
    commands.add_parser("doctor", help="what is installed, devices, noise floor, what to fix")
    of_run = run.add(commands)
    runs.add_report(commands)
    runs.add_compare(commands)
    of_regress = regress.add(commands)
    search.add_fit(commands)
    search.add_crossover(commands)
    one.add_profile(commands)
    one.add_draw(commands)
    of_export = runs.add_export(commands)
    runs.add_collect(commands)
    options = parser.parse_args(arguments)
    if options.command == "run":
        run.check(of_run, options)
    if options.command == "regress":
        regress.check(of_regress, options)
    if options.command == "export":
        check_formats(of_export, options)
    return options


def _add_list(commands: Commands) -> None:
    listing = commands.add_parser("list", parents=[suite()], help="layers and frameworks")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.add_argument(
        "--coverage",
        action="store_true",
        help="what becomes of each public name of the frameworks installed here",
    )

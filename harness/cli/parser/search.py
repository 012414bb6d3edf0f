"""`layerbench fit` and `crossover`, which search along an axis."""

from __future__ import annotations

from harness.cli.parser.kinds import checked, count
from harness.cli.parser.line import Commands, Line
from harness.cli.parser.shared import (
    add_axes,
    add_effort,
    add_memory,
    add_timeout,
    results,
    suite,
)


def add_fit(commands: Commands) -> None:
    fit = commands.add_parser(
        "fit", parents=[suite()], help="the largest size that fits into memory"
    )
    fit.add_argument("layer", metavar="LAYER")
    _add_search(fit)
    what = fit.add_argument_group("in what (default: as the sweep quick, smallest batch and seq)")
    add_axes(what)
    what.add_argument("--presets", metavar="NAME", help="of the layer: first, all or a name")
    how = fit.add_argument_group("within what")
    add_memory(how)
    add_timeout(how)


def add_crossover(commands: Commands) -> None:
    crossover = commands.add_parser(
        "crossover",
        parents=[suite(), results()],
        help="where B becomes faster, or smaller, than A",
    )
    for name in ("a", "b"):
        crossover.add_argument(
            name,
            metavar=name.upper(),
            help="a layer, or more of a case id: layer/framework/device/mode/execution/dtype/shape",
        )
    _add_search(crossover)
    add_axes(crossover.add_argument_group("in both, where A and B leave it open (one value each)"))
    add_effort(crossover.add_argument_group("how long to look"))


def _add_search(command: Line) -> None:
    """What a search along an axis has."""
    command.set_defaults(module="limits")
    command.add_argument(
        "--axis", required=True, choices=("seq", "batch"), help="what the search goes along"
    )
    command.add_argument(
        "--up-to", type=checked(count), metavar="N", help="the largest value of interest"
    )
    command.add_argument("--json", action="store_true", help="as JSON; progress goes to stderr")

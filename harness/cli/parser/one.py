"""`layerbench profile` and `draw`, which look at one case, or one layer."""

from __future__ import annotations

from harness.cli.parser.kinds import checked, count, param, path
from harness.cli.parser.line import Commands
from harness.cli.parser.shared import suite


def add_profile(commands: Commands) -> None:
    profile = commands.add_parser(
        "profile", parents=[suite()], help="operators, memory over time and a trace of one case"
    )
    profile.add_argument("case", metavar="CASE", help="a case id, as `run --dry-run` prints them")
    profile.add_argument(
        "--out",
        type=checked(path),
        default="profiles",
        metavar="DIR",
        help="default profiles; a report links what lies in RUN/profiles",
    )


def add_draw(commands: Commands) -> None:
    draw = commands.add_parser(
        "draw", parents=[suite()], help="which keys each query of a sparse attention attends to"
    )
    draw.set_defaults(module="drawing")
    draw.add_argument("layer", metavar="LAYER", help="its name, or how that begins")
    draw.add_argument(
        "--seq", type=checked(count), default=256, metavar="N", help="queries and keys"
    )
    draw.add_argument("--preset", metavar="NAME", help="of the layer (default: its first)")
    draw.add_argument(
        "--param",
        type=checked(param),
        action="append",
        metavar="NAME=VALUE",
        help="in place of the preset's (repeatable)",
    )
    draw.add_argument(
        *("-o", "--out"),
        type=checked(path),
        metavar="FILE",
        help="ends in .png or .svg (default LAYER-N.png)",
    )

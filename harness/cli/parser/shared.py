"""Options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from harness import units
from harness.cli.parser.kinds import batches, checked, count, counts, names, param, path
from harness.cli.parser.line import Line

AXIS_HELP = {
    "framework": "torch, tensorflow",
    "device": "cpu, cuda",
    "mode": "forward, backward, train (forward, backward and SGD update)",
    "execution": "eager, compiled (torch.compile, tf.function), compiled-xla",
    "dtype": "float32, bfloat16, float16",
    "threads": "threads a worker may use",
    "batch": "batch sizes; tokens=16384 for so many tokens at each length that divides them",
    "seq": "sequence lengths, for layers that have one",
}


def suite() -> Line:
    """A parent of the commands that know layers."""
    parent = Line(add_help=False)
    parent.add_argument(
        "--suite",
        type=checked(path),
        action="append",
        metavar="FILE_OR_MODULE",
        help="layers of your own, beside the catalogue (repeatable)",
    )
    return parent


def results() -> Line:
    """A parent of the commands that write runs, or look for the latest one."""
    parent = Line(add_help=False)
    parent.add_argument(
        "--results",
        type=checked(path),
        default="results",
        metavar="DIR",
        help="where runs are kept (default results)",
    )
    return parent


_KINDS: dict[str, Callable[[str], list[Any]]] = {
    "threads": counts,
    "batch": batches,
    "seq": counts,
}


def add_axes(group: argparse._ArgumentGroup) -> None:
    """What a case is made of, beside its layer."""
    for axis, text in AXIS_HELP.items():
        kind = _KINDS.get(axis, names)
        group.add_argument(
            f"--{axis}", type=checked(kind), action="extend", metavar="VALUES", help=text
        )
    group.add_argument(
        "--param",
        type=checked(param),
        action="append",
        metavar="NAME=VALUES",
        help="a layer's own parameter (repeatable)",
    )


def add_effort(group: argparse._ArgumentGroup) -> None:
    """How long a case is looked at."""
    group.add_argument("--passes", type=checked(count), metavar="N", help="fresh processes")
    group.add_argument(
        "--sample-time",
        type=checked(units.parse_duration),
        metavar="300ms",
        help="samples of a case and pass, at most",
    )
    add_timeout(group)
    group.add_argument("--seed", type=int, metavar="N", help="of the order of cases (default 0)")


def add_timeout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--timeout",
        type=checked(units.parse_duration),
        metavar="60s",
        help="give up a case that does not answer",
    )

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


WHICH_CASES = {"layer", *AXIS_HELP, "param", "presets"}
"""Options that `--case` leaves without effect."""

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


def add_which_cases(group: argparse._ArgumentGroup) -> None:
    """What is measured, in place of what a sweep says."""
    group.add_argument(
        *("-l", "--layer"),
        type=checked(names),
        action="extend",
        metavar="NAMES",
        help="or patterns",
    )
    add_axes(group)
    group.add_argument("--presets", metavar="NAME", help="of each layer: first, all or a name")
    group.add_argument("--case", action="append", metavar="ID", help="instead (repeatable)")


def refuse(line: Line, options: argparse.Namespace, idle: set[str], why: str) -> None:
    """Exits with 2 if there are options that another one leaves without effect."""
    typed = (options.sweep if name == "sweep" else f"--{name.replace('_', '-')}" for name in idle)
    if idle:
        line.error(f"{why}; leave out {', '.join(sorted(typed))}")


def said(line: Line, options: argparse.Namespace) -> set[str]:
    """The names of the options that were typed."""
    return {name for name, value in vars(options).items() if value != line.get_default(name)}


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


def add_memory(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-memory",
        type=checked(units.parse_size),
        metavar="2GiB",
        help="of a worker on the CPU (default: 85 %% of what is free); a GPU has its own",
    )


def add_timeout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--timeout",
        type=checked(units.parse_duration),
        metavar="60s",
        help="give up a case that does not answer",
    )

"""What can be typed."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from harness import __version__, units
from harness.checks import check_axis
from harness.types import UsageError, Value, parse_value

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


LATEST = object()
"""Stands for the latest run, where none is named."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest valid word."""

    def error(self, message: str) -> NoReturn:
        unknown = message.partition("unrecognized arguments: ")[2].split()
        if unknown and unknown[0].startswith("-"):
            known = [name for action in self._actions for name in action.option_strings]
            near = difflib.get_close_matches(unknown[0].split("=")[0], known, n=3)
            message = f"unknown option {unknown[0]}" + (
                f"; nearest: {', '.join(near)}" * bool(near)
            )
        if choice := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", choice[2])
            near = difflib.get_close_matches(choice[1], known, n=3) or known
            where = message[: choice.start()]
            message = f"{where}unknown {choice[1]!r}; nearest: {', '.join(near)}"
        message = " ".join(message.splitlines())
        print(f"layerbench: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Lets a subcommand refuse its own unknown options, where the nearest is known."""
        found, rest = super().parse_known_args(args, namespace)
        if rest and self.prog != "layerbench":
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest


def _checked(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Makes argparse show our own message."""

    def convert(text: str) -> Any:
        try:
            return kind(text)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _path(text: str) -> str:
    if not text:
        raise UsageError("the path is empty")
    return text


def _names(text: str) -> list[str]:
    if names := [part.strip() for part in text.split(",") if part.strip()]:
        return names
    raise UsageError(f"{text!r} names nothing")


def _counts(text: str) -> list[int]:
    values = [parse_value(part) for part in text.split(",")]
    if not all(type(value) is int and value > 0 for value in values):
        raise UsageError(f"{text!r} is not a list of whole numbers above 0, such as 1,32")
    return [int(value) for value in values]


def _batches(text: str) -> list[Any]:
    return list(check_axis("batch", [parse_value(part.strip()) for part in text.split(",")]))


def _count(text: str) -> int:
    value = parse_value(text)
    if type(value) is not int or value < 1:
        raise UsageError(f"{text!r} is not a whole number above 0")
    return value


def _param(text: str) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    if not name or not equals or not values.strip(" ,"):
        raise UsageError(f"{text!r} is not of the form NAME=VALUE,…, such as hidden_size=64,512")
    return name, [parse_value(value) for value in _names(values)]


def by_name(params: Iterable[tuple[str, list[Value]]] | None) -> dict[str, list[Value]]:
    """The values of every ``--param``, those of one name together."""
    merged: dict[str, list[Value]] = {}
    for name, values in params or ():
        merged.setdefault(name, []).extend(values)
    return merged


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options, with the name of the command as ``command``; exits with 2 on a mistake."""
    parser = _Parser(
        prog="layerbench",
        description="Benchmarks neural-network layers across frameworks and machines.",
        epilog="Exit status: 0 good, 2 usage, 3 some case failed (with run --strict: or failed a "
        "check of itself), 4 nothing to compare.",
    )
    parser.add_argument("--version", action="version", version=f"layerbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    suite = _Parser(add_help=False)
    suite.add_argument(
        "--suite",
        type=_checked(_path),
        action="append",
        metavar="FILE_OR_MODULE",
        help="layers of your own, beside the catalogue (repeatable)",
    )
    results = _Parser(add_help=False)
    results.add_argument(
        "--results",
        type=_checked(_path),
        default="results",
        metavar="DIR",
        help="where runs are kept (default results)",
    )

    listing = commands.add_parser("list", parents=[suite], help="layers and frameworks")
    listing.add_argument("--json", action="store_true", help="as JSON")

    commands.add_parser("doctor", help="what is installed, devices, noise floor, what to fix")

    run = commands.add_parser("run", parents=[suite, results], help="measure a sweep")
    _add_run(run)

    report = commands.add_parser(
        "report", parents=[results], help="write a report of one or more runs"
    )
    path = _checked(_path)
    report.add_argument("runs", type=path, nargs="*", metavar="RUN", help="default: the latest run")
    report.add_argument(
        "--out", type=path, default="reports", metavar="DIR", help="default reports"
    )

    compare = commands.add_parser("compare", help="compare two runs, machines or versions")
    compare.add_argument(
        "base", type=path, metavar="A", help="the run, or folder of runs, that is 1.00"
    )
    compare.add_argument("other", type=path, metavar="B")
    compare.add_argument(
        "--max-slowdown",
        type=_checked(units.parse_fraction),
        metavar="5%",
        help="exit with 3 if a case is slower by more than this, its whole interval counted",
    )

    fit = commands.add_parser("fit", parents=[suite], help="the largest size that fits into memory")
    _add_fit(fit)

    crossover = commands.add_parser(
        "crossover", parents=[suite, results], help="where B becomes faster, or smaller, than A"
    )
    _add_crossover(crossover)

    profile = commands.add_parser(
        "profile", parents=[suite], help="operators, memory over time and a trace of one case"
    )
    profile.add_argument("case", metavar="CASE", help="a case id, as `run --dry-run` prints them")
    profile.add_argument(
        "--out",
        type=path,
        default="profiles",
        metavar="DIR",
        help="default profiles; a report links what lies in RUN/profiles",
    )

    draw = commands.add_parser(
        "draw", parents=[suite], help="which keys each query of a sparse attention attends to"
    )
    _add_draw(draw)

    collect = commands.add_parser("collect", help="write Parquet files from the journals of runs")
    collect.add_argument("runs", type=path, nargs="+", metavar="RUN")
    options = parser.parse_args(arguments)
    if options.command == "run":
        _check_run(run, options)
    return options


def _check_run(run: _Parser, options: argparse.Namespace) -> None:
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


def _add_run(run: _Parser) -> None:
    # None stands for what was not said; what holds then is for the request to say.
    run.add_argument(
        "sweep", nargs="?", help="quick (default), standard, full, attention, or a file"
    )
    what = run.add_argument_group("what to measure (comma-separated; in place of the sweep's)")
    what.add_argument(
        *("-l", "--layer"),
        type=_checked(_names),
        action="extend",
        metavar="NAMES",
        help="or patterns",
    )
    _add_axes(what)
    what.add_argument("--presets", metavar="NAME", help="of each layer: first, all or a name")
    what.add_argument("--case", action="append", metavar="ID", help="instead (repeatable)")
    how = run.add_argument_group("how long to look")
    _add_effort(how)
    how.add_argument(
        "--budget",
        type=_checked(units.parse_duration),
        metavar="10m",
        help="make as many passes as fit",
    )
    how.add_argument(
        "--rel-ci",
        type=_checked(units.parse_fraction),
        metavar="1%",
        help="stop when the median's 95%% interval is within ± this",
    )
    run.add_argument(
        "--strict", action="store_true", help="exit with 3 if a row fails a check of itself, too"
    )
    run.add_argument("--dry-run", action="store_true", help="print the cases and the time")
    run.add_argument(
        "--resume",
        type=_checked(_path),
        nargs="?",
        const=LATEST,
        metavar="RUN",
        help="go on with a run that was cut short (default: the latest)",
    )


_KINDS: dict[str, Callable[[str], list[Any]]] = {
    "threads": _counts,
    "batch": _batches,
    "seq": _counts,
}


def _add_axes(group: argparse._ArgumentGroup) -> None:
    """What a case is made of, beside its layer."""
    for axis, text in AXIS_HELP.items():
        kind = _KINDS.get(axis, _names)
        group.add_argument(
            f"--{axis}", type=_checked(kind), action="extend", metavar="VALUES", help=text
        )
    group.add_argument(
        "--param",
        type=_checked(_param),
        action="append",
        metavar="NAME=VALUES",
        help="a layer's own parameter (repeatable)",
    )


def _add_effort(group: argparse._ArgumentGroup) -> None:
    """How long a case is looked at."""
    group.add_argument("--passes", type=_checked(_count), metavar="N", help="fresh processes")
    group.add_argument(
        "--sample-time",
        type=_checked(units.parse_duration),
        metavar="300ms",
        help="samples of a case and pass, at most",
    )
    _add_timeout(group)
    group.add_argument("--seed", type=int, metavar="N", help="of the order of cases (default 0)")


def _add_timeout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--timeout",
        type=_checked(units.parse_duration),
        metavar="60s",
        help="give up a case that does not answer",
    )


def _add_draw(draw: _Parser) -> None:
    draw.set_defaults(module="drawing")
    draw.add_argument("layer", metavar="LAYER", help="its name, or how that begins")
    draw.add_argument(
        "--seq", type=_checked(_count), default=256, metavar="N", help="queries and keys"
    )
    draw.add_argument("--preset", metavar="NAME", help="of the layer (default: its first)")
    draw.add_argument(
        "--param",
        type=_checked(_param),
        action="append",
        metavar="NAME=VALUE",
        help="in place of the preset's (repeatable)",
    )
    draw.add_argument(
        *("-o", "--out"),
        type=_checked(_path),
        metavar="FILE",
        help="ends in .png or .svg (default LAYER-N.png)",
    )


def _add_search(command: _Parser) -> None:
    """What a search along an axis has."""
    command.set_defaults(module="limits")
    command.add_argument(
        "--axis", required=True, choices=("seq", "batch"), help="what the search goes along"
    )
    command.add_argument(
        "--up-to", type=_checked(_count), metavar="N", help="the largest value of interest"
    )
    command.add_argument("--json", action="store_true", help="as JSON; progress goes to stderr")


def _add_fit(fit: _Parser) -> None:
    fit.add_argument("layer", metavar="LAYER")
    _add_search(fit)
    what = fit.add_argument_group("in what (default: as the sweep quick, smallest batch and seq)")
    _add_axes(what)
    what.add_argument("--presets", metavar="NAME", help="of the layer: first, all or a name")
    how = fit.add_argument_group("within what")
    how.add_argument(
        "--memory",
        type=_checked(units.parse_size),
        metavar="2GiB",
        help="of a worker on the CPU (default: 85 %% of what is free); a GPU has its own",
    )
    _add_timeout(how)


def _add_crossover(crossover: _Parser) -> None:
    for name in ("a", "b"):
        crossover.add_argument(
            name,
            metavar=name.upper(),
            help="a layer, or more of a case id: layer/framework/device/mode/execution/dtype/shape",
        )
    _add_search(crossover)
    _add_axes(crossover.add_argument_group("in both, where A and B leave it open (one value each)"))
    _add_effort(crossover.add_argument_group("how long to look"))

"""`layerbench compare`: results of several machines, versions or times against one of them."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from harness import compare, store, units
from harness.checks import check_known
from harness.cli import FAILED, GOOD, figures
from harness.cli.console import plain
from harness.compare.machines import Result, by_device, names
from harness.report import markdown, terminal
from harness.report.figures import whole
from harness.report.machines import document
from harness.report.machines.section import Section, compared
from harness.store.writing import save
from harness.types import NothingToCompareError, UsageError

PAGE = "comparison"
"""The name of the files that `--out` asks for, less their suffix."""


def compare_command(options: Namespace) -> int:
    """Two results or more, each against the base.

    Raises:
        NothingToCompareError: there is no ratio, as when all of the others failed; told at the end.
    """
    section = compared(_sides(options))
    console = plain()
    console.print(terminal.comparison(section))
    if options.out:
        _write(section, Path(options.out))
    if options.figures:
        drawn = figures.write(whole.of_comparison(section), Path(options.figures))
        print(f"{options.figures}: {units.count(drawn, 'figure')}, each as PNG, SVG and PDF")
    limit = options.max_slowdown
    status = GOOD if limit is None else _judge(section, limit, console)
    if status == GOOD and section.compared["ratio"].isna().all():
        raise NothingToCompareError("no case was measured on both sides; above stands why not")
    return status


def _sides(options: Namespace) -> list[Result]:
    """What is compared, the base first.

    Raises:
        UsageError: there is one side only, or `--base` names none of them.
    """
    paths = options.results
    if len(paths) < 2 and not options.across_devices:
        raise UsageError(
            "name two results or more (or one, with --across-devices, whose devices to compare)"
        )
    frames = [store.load(path) for path in paths]
    found = [
        Result(name, frame, store.load_runs(path))
        for name, frame, path in zip(names(frames, paths), frames, paths, strict=True)
    ]
    sides = by_device(found) if options.across_devices else found
    if len(sides) < 2:
        raise UsageError(
            f"{paths[0]} was measured on one device and with one number of threads; "
            "name another result"
        )
    if options.base is None:
        return sides
    base = _named(options.base, sides, dict(zip(paths, found, strict=True)))
    return [base, *(side for side in sides if side is not base)]


def _named(wanted: str, sides: Sequence[Result], by_path: Mapping[str, Result]) -> Result:
    """The side of that name, or the first one of the result of that name, or at that path."""
    here = [side for side in sides if side.name == wanted]
    for path, result in by_path.items():
        if result.name == wanted or Path(path).resolve() == Path(wanted).resolve():
            here += [side for side in sides if side.runs is result.runs]
    if not here:
        check_known("result for --base", [wanted], [side.name for side in sides])
    return here[0]


def _judge(section: Section, most: float, console: Console) -> int:
    """Says what is slower than that, and whether there is any such case."""
    bad = compare.regressions(section.compared, most)
    limit = units.share(most)
    if bad.empty:
        console.print(f"no case is slower by more than {limit}")
        return GOOD
    verb = "is" if len(bad) == 1 else "are"
    each = ", ".join(f"{number} in {name}" for name, number in Counter(bad["machine"]).items())
    where = f" ({each})" if len(section.others) > 1 else ""
    console.print(
        f"{units.count(len(bad), 'case')} failed, vanished, or {verb} slower by more than {limit}"
        f"{where}",
        style="red",
    )
    return FAILED


def _write(section: Section, folder: Path) -> None:
    texts = {".html": document.render(section), ".md": markdown.comparison(section)}
    for suffix, text in texts.items():
        file = folder / f"{PAGE}{suffix}"
        save(file, text, "name another folder with --out")
        print(file)

"""The two sides of a comparison: where the code of each lies, and what runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.devices.command import output
from harness.gate.outcome import Side
from harness.runner.workers import Code
from harness.types import InfrastructureError, UsageError

WORKING_TREE = "."
"""Stands for the code as it lies in the working directory."""


@dataclass(frozen=True)
class Checkout:
    """One side's code on disk.

    Attributes:
        side: what is told of it.
        code: for its workers.
        suites: files of this side, or names of modules; those that it lacks are left out.
        lacking: files that were asked for and are not in this side.
        root: where it lies.
        elsewhere: where other versions of it lie, from which nothing may be imported.
    """

    side: Side
    code: Code
    suites: tuple[str, ...]
    lacking: tuple[str, ...]
    root: str
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """A side as it was asked for.

    Attributes:
        code: a git ref, a folder, or `WORKING_TREE`.
        python: an interpreter; None for the one that runs now.
    """

    code: str = WORKING_TREE
    python: str | None = None


@contextlib.contextmanager
def checked_out(given: Given, suites: Sequence[str], homes: Sequence[Path]) -> Iterator[Checkout]:
    """The side's code, for as long as the context lasts; a git ref gets a worktree of its own.

    Args:
        given: the side.
        suites: files, or names of modules.
        homes: see `homes`; a file in one of these stands for the same file of this side.

    Raises:
        UsageError: there is no such ref, folder or interpreter.
        InfrastructureError: git fails.
    """
    python = _interpreter(given.python)
    top = _toplevel(Path.cwd())
    if _is_folder(given.code):
        folder = Path(given.code).resolve()
        # The working directory may be a part of its repository.
        root = (top or folder) if given.code == WORKING_TREE else folder
        commit = output("git", "-C", str(root), "rev-parse", "HEAD") or ""
        changed = output(
            "git", "-C", str(root), "--no-optional-locks", "status", "--porcelain", "-uno"
        )
        side = Side(_name(given), commit, bool(changed))
        yield _checkout(side, root, top, python, _suites(suites, root, homes))
        return
    if top is None:
        raise UsageError(
            f"{given.code!r} is no folder, and {Path.cwd()} is in no git repository that could "
            f"have a branch or commit of that name: {_why_no_repository()}"
        )
    commit = _commit(given.code, top)
    with _worktree(top, commit) as root:
        found = _suites(suites, root, homes)
        yield _checkout(Side(_name(given), commit), root, top, python, found)


def _name(given: Given) -> str:
    code = "working tree" if given.code == WORKING_TREE else given.code
    return f"{code}, {given.python}" if given.python else code


def _is_folder(code: str) -> bool:
    """A branch may have the name of a folder; the folder is then written with a separator."""
    separators = (os.sep, os.altsep or os.sep)
    typed_as_path = code in (".", "..") or any(mark in code for mark in separators)
    if not Path(code).is_dir():
        return False
    return typed_as_path or _find_commit(code, Path.cwd()) is None


def _checkout(
    side: Side, root: Path, top: Path | None, python: str, suites: Sequence[str]
) -> Checkout:
    here = Path.cwd()
    inside = here.relative_to(top) if top and here.is_relative_to(top) else Path()
    folders = (root / inside, root / inside / "src", root, root / "src")
    roots = tuple(dict.fromkeys(str(folder) for folder in folders if folder.is_dir()))
    lacking = [suite for suite in suites if suite.endswith(".py") and not Path(suite).is_file()]
    found = [suite for suite in suites if suite not in lacking]
    # A worktree is another version of what lies in the repository.
    elsewhere = (str(top),) if top and not root.is_relative_to(top) else ()
    return Checkout(side, Code(roots, python), tuple(found), tuple(lacking), str(root), elsewhere)


def set_apart(checkouts: Mapping[str, Checkout]) -> dict[str, Checkout]:
    """Each knows that the others' code is not its own."""
    apart = {}
    for name, checkout in checkouts.items():
        others = {other.root for other in checkouts.values()} - {checkout.root}
        elsewhere = tuple(sorted({*checkout.elsewhere, *others}))
        apart[name] = replace(checkout, elsewhere=elsewhere)
    return apart


def check_own(name: str, checkout: Checkout, modules: Sequence[str]) -> None:
    """Refuses a side that has imported what is not its own.

    Args:
        name: ``base`` or ``head``.
        checkout: of the side.
        modules: what `harness.catalogue.loaded_from` found.

    Raises:
        InfrastructureError: there are such modules.
    """
    if modules:
        others = f" and {len(modules) - 1} more" if modules[1:] else ""
        raise InfrastructureError(
            f"{name} ({checkout.side.given}) imports {modules[0]}{others}, which is not that "
            "side's code, so that both would measure the same: let the suite put the folder on "
            "the path, relative to its own __file__, or compare environments with --base-python"
        )


def homes(*sides: Given) -> list[Path]:
    """The folders whose files stand for those of either side, the innermost first."""
    folders = {
        Path(side.code).resolve()
        for side in sides
        if side.code != WORKING_TREE and _is_folder(side.code)
    }
    here = _toplevel(Path.cwd()) or Path.cwd()
    return sorted({*folders, here}, key=lambda home: -len(home.parts))


def _suites(suites: Sequence[str], root: Path, homes: Sequence[Path]) -> list[str]:
    return [
        str(_in_side(suite, root, homes)) if suite.endswith(".py") else suite for suite in suites
    ]


def _in_side(suite: str, root: Path, homes: Sequence[Path]) -> Path:
    """Where a side has that file; one from elsewhere is the same for both sides."""
    file = Path(suite).resolve()
    if not file.is_file() and (root / suite).is_file():
        return root / suite  # named as it lies in either folder
    for home in homes:
        if file.is_relative_to(home):
            return root / file.relative_to(home)
    return file


def _interpreter(python: str | None) -> str:
    if python is None:
        return sys.executable
    found = shutil.which(python)
    if found is None:
        raise UsageError(f"{python!r} is no interpreter; name one such as path/to/venv/bin/python")
    return str(Path(found).absolute())  # not resolved: a venv's python is a link out of it


def _toplevel(folder: Path) -> Path | None:
    found = output("git", "-C", str(folder), "rev-parse", "--show-toplevel")
    return Path(found).resolve() if found else None


def _why_no_repository() -> str:
    """There may be one, of another user, of which git then says what to do."""
    try:
        _git(Path.cwd(), "rev-parse", "--show-toplevel")
    except InfrastructureError as error:
        return str(error)
    except OSError:
        return "git is not installed"
    return "git took too long to tell"


def _find_commit(ref: str, folder: Path) -> str | None:
    if ref.startswith("-"):
        return None
    return output("git", "-C", str(folder), "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")


def _commit(ref: str, top: Path) -> str:
    found = _find_commit(ref, top) or _find_commit(f"origin/{ref}", top)
    if found is None:
        raise UsageError(
            f"{ref!r} is neither a folder nor a branch, tag or commit of {top}; a shallow clone "
            "has only its newest commit: git fetch what is missing"
        )
    return found


@contextlib.contextmanager
def _worktree(top: Path, commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="layerbench-") as parent:
        folder = Path(parent).resolve() / "code"
        try:
            _git(top, "worktree", "add", "--detach", "--force", str(folder), commit)
            yield folder
        finally:
            # Of one whose making was interrupted git may keep a record, too. A record that outlives
            # its folder does no harm, and less than an error in place of what was found.
            with contextlib.suppress(InfrastructureError):
                _git(top, "worktree", "remove", "--force", str(folder))


def _git(top: Path, *command: str) -> None:
    done = subprocess.run(
        ["git", "-C", str(top), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        # In a hook this names the index of the commit that is being made; a checkout needs its own.
        env={name: value for name, value in os.environ.items() if name != "GIT_INDEX_FILE"},
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise InfrastructureError(f"git {' '.join(command[:2])} failed in {top}: {said}")

"""No public name of the frameworks as they are pinned is lost from the ledger."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import coverage
from harness.ledger import State

PINNED = dict(
    re.findall(
        r"^(\w+)==([\d.]+)", Path(__file__).parents[1].joinpath("constraints.txt").read_text(), re.M
    )
)


@pytest.mark.parametrize("library", coverage.LIBRARIES)
def test_every_name_of_the_pinned_version_is_accounted_for(library: str) -> None:
    """A newer version may have more, which `layerbench list --coverage` lists and fails for."""
    here = coverage.installed(library)
    if here is None:
        pytest.skip(f"{library} is not installed")
    package = library.partition(".")[0]
    if here.version.partition("+")[0] != PINNED[package]:
        pytest.skip(f"{package} {here.version} is not the pinned {PINNED[package]}")
    known = coverage.own()
    missing = [e.name for e in coverage.accounts(known, here) if e.state is State.MISSING]
    assert missing == []
    assert coverage.gone(known, here) == []

"""What tests of faults need beside a run of the fake suite."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import accounts
import pytest

execute = sys.modules["harness.runner.execute"]  # its function has the same name


class InOrder:
    """In place of a generator of random numbers: shuffles nothing."""

    def __init__(self, seed: str) -> None: ...

    def sample(self, items: list[Any], count: int) -> list[Any]:
        return list(items)


@pytest.fixture(scope="module")
def in_order() -> Iterator[pytest.MonkeyPatch]:
    """Has runs take their cases in the order of the plan; for more that is to hold in a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute.random, "Random", InOrder)
        patch.setenv("FAKE_SUITE_NAP", accounts.NAP)
        yield patch

"""What tests of faults need: a run of the fake suite whose files they damage, and order."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import accounts
import journals
import pytest
from fake_runs import request

from harness import runner, store

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


@pytest.fixture(scope="session")
def three_cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three cases in two passes, collected; its name is ``run``."""
    results = tmp_path_factory.mktemp("results")
    plan = runner.make_plan(request(params={"us": [20, 30, 40]}, passes=2))
    record = runner.begin(plan, results, "test")
    runner.execute(record, plan.layers, lambda event: None)
    store.collect(record.folder)
    return record.folder.rename(results / "run")


@pytest.fixture
def collected(three_cases: Path, tmp_path: Path) -> Path:
    """A copy of it that may be damaged, with its Parquet files."""
    shutil.copytree(three_cases, tmp_path / "box" / "run")
    return tmp_path / "box" / "run"


@pytest.fixture
def journaled(collected: Path) -> Path:
    """A copy without Parquet files, which would be read in place of a damaged journal."""
    (collected / journals.CASES).unlink()
    (collected / journals.SAMPLES).unlink()
    return collected

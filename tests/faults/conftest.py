"""A run whose files the tests damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import journals
import pytest
from fake_runs import request

from harness import runner, store


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

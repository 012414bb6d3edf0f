"""Layers of a user's own in the real frameworks: what is right runs, what is wrong is told."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import harness
from harness import frameworks

SUITE = str(Path(__file__).with_name("mistakes_suite.py"))
LAYERS = ["embedding_of_mine", "returns_tuple", "unused_input", "masked", "cumulative"]


@pytest.fixture(scope="module", params=["torch", "tensorflow"])
def frame(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    if not frameworks.installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    return harness.run(
        "quick",
        layers=LAYERS,
        suites=[SUITE],
        framework=[request.param],
        mode=["forward", "backward", "train"],
        execution=["eager"],
        batch=[4],
        seq=[8],
        passes=1,
        results=tmp_path_factory.mktemp("results"),
    )


def reasons(frame: pd.DataFrame, layer: str, status: str) -> list[str]:
    rows = frame[frame["layer"] == layer]
    assert rows["status"].tolist() == [status] * 3, rows[["mode", "status", "reason"]].to_string()
    return [str(reason) for reason in rows["reason"]]


def test_an_embedding_is_measured_and_its_table_not_counted_as_read(frame: pd.DataFrame) -> None:
    reasons(frame, "embedding_of_mine", "ok")
    rows = frame[frame["layer"] == "embedding_of_mine"].set_index("mode")
    assert rows.loc["forward", "bytes"] == 4 * 8 * (8 + 2 * 8 * 4)
    assert not any("error of measurement" in w for w in rows["warnings"].sum())


def test_an_input_declared_without_a_gradient_needs_none(frame: pd.DataFrame) -> None:
    reasons(frame, "masked", "ok")


def test_a_module_that_returns_several_tensors_is_told_to_pick_one(frame: pd.DataFrame) -> None:
    for reason in reasons(frame, "returns_tuple", "error"):
        assert "call=lambda module, c, x: module(x)[0]" in reason


def test_an_input_that_no_gradient_reaches_is_named(frame: pd.DataFrame) -> None:
    rows = frame[frame["layer"] == "unused_input"].set_index("mode")
    assert rows.loc["forward", "status"] == "ok"
    for mode in ("backward", "train"):
        assert rows.loc[mode, "status"] == "error"
        assert "no gradient reaches input 1" in rows.loc[mode, "reason"]


def test_a_layer_that_amplifies_rounding_is_not_called_wrong(frame: pd.DataFrame) -> None:
    rows = frame[frame["layer"] == "cumulative"]
    assert set(rows["status"]) <= {"ok", "unsupported"}, rows["reason"].tolist()
    assert rows["framework"].iloc[0] != "torch" or set(rows["status"]) == {"ok"}

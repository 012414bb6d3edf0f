"""Layers with a planted fault, each measured by real workers: the check made for it finds it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import answers
from harness.probes import latency

Measured = Callable[..., pd.DataFrame]


def test_either_block_of_a_pair_comes_first_as_often_as_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def block(call: object, calls: int, clocks: object) -> latency.Block:
        taken.append(calls)
        return latency.Block(1e-3 * calls, None)

    monkeypatch.setattr("harness.probes.latency.block", block)
    measuring = answers.Worker(None, {}, 1, None)  # type: ignore[arg-type]
    measuring._call = lambda: None
    answer = json.loads(measuring.answer({"do": "pairs", "calls": 3, "pairs": 2}))
    assert sorted([taken[:2], taken[2:]]) == [[3, 6], [6, 3]]
    assert answer == {"wall_s": [3e-3] * 2, "doubled_s": [6e-3] * 2}


def test_a_sound_layer_passes_every_check(measured: Measured) -> None:
    frame = measured(layers=("growing", "device_growing"), axes={"batch": [2, 8]}, passes=3)
    assert frame["audit"].tolist() == [[]] * 4
    assert frame["warnings"].tolist() == [[]] * 4
    assert frame["device_time_s"].notna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("layer", "params", "check", "said"),
    [
        ("queued", {}, "doubling", "twice the calls, a call takes 0.50 times as long"),
        ("busy_device", {}, "device_time", "the device's clock reads 1.10 times what"),
        ("too_fast", {}, "ceiling", "times the machine's measured ceiling in FLOP/s"),
        ("changing", {}, "trend", "fell by 10.0 % from the first to the last third"),
        ("changing", {"factor": [1.2]}, "trend", "rose by 20.0 % from the first"),
        ("unlike_passes", {}, "passes", "the passes disagree, from 100 µs to 150 µs"),
    ],
)
def test_a_planted_fault_is_named_and_told(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    layer: str, params: dict[str, Any], check: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("FAKE_SUITE_FOLDER", str(tmp_path))
    # Long enough for pairs of blocks; short enough for a step to lie half-way.
    sample_s = 0.04 if layer == "changing" else 0.15
    row = measured(layers=(layer,), params=params, passes=3, sample_s=sample_s).iloc[0]
    assert row["status"] == "ok"
    assert row["audit"] == [check]
    assert any(said in warning for warning in row["warnings"])


def test_time_that_falls_with_the_batch_is_said_of_the_larger_row(measured: Measured) -> None:
    frame = measured(layers=("shrinking",), axes={"batch": [2, 8]})
    assert frame["audit"].tolist() == [[], ["growth"]]
    assert "takes 75.0 % less time than at batch 2" in " ".join(frame["warnings"].iloc[1])


def test_time_that_does_not_grow_with_the_batch_is_overhead_and_no_failure(
    measured: Measured,
) -> None:
    frame = measured(layers=("scale",), axes={"batch": [2, 8]})
    assert frame["bound"].tolist() == ["overhead", "overhead"]
    assert frame["audit"].tolist() == [[], []]

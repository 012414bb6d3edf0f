"""The column `approximation_error` by hand: full softmax in NumPy, beyond the checked length."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import harness
from harness import frameworks
from harness.layer import Array, Config, canonical
from harness.probes.approximation import places
from suites.linear_attention import LINEAR_ATTENTION

BATCH, HEADS, SEQ, SIZE = 2, 2, 700, 16
LONGEST_CHECK = 512


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    if not frameworks.installed("torch"):
        pytest.skip("torch is not installed")
    frame = harness.run(
        "quick",
        layers=["linear_attention", "retention"],
        framework=["torch"],
        mode=["train"],
        execution=["eager"],
        batch=[BATCH],
        seq=[SEQ],
        params={"heads": [HEADS], "head_dim": [SIZE], "causal": [False, True]},
        passes=1,
        sample_s=0.01,
        results=tmp_path_factory.mktemp("results"),
    )
    assert set(frame["status"]) == {"ok"}
    return frame.set_index("layer")


def by_hand(causal: bool, seq: int = SEQ) -> float:
    c = Config(BATCH, seq, True, {"heads": HEADS, "head_dim": SIZE, "causal": causal})
    inputs = canonical("linear_attention", LINEAR_ATTENTION.inputs(c))
    q, k, v = (inputs[name].astype(np.float64) for name in ("query", "key", "value"))
    seen = np.tril(np.ones((seq, seq))) if causal else np.ones((seq, seq))

    def averaged(weights: Array) -> Array:
        weights = weights * seen
        return weights / weights.sum(-1, keepdims=True) @ v

    def features(x: Array) -> Array:
        return np.where(x > 0, x + 1, np.exp(x))

    full = averaged(np.exp(q @ k.swapaxes(-2, -1) / 4))
    linear = averaged(features(q) @ features(k).swapaxes(-2, -1))
    at = places("linear_attention", (BATCH, HEADS, seq))
    return float(np.linalg.norm((linear - full)[at]) / np.linalg.norm(full[at]))


@pytest.mark.parametrize("causal", [False, True])
def test_it_is_that_of_the_timed_length(measured: pd.DataFrame, causal: bool) -> None:
    rows = measured.loc["linear_attention"]
    (row,) = (row for _, row in rows.iterrows() if row["params"]["causal"] == causal)
    assert any(f"s{LONGEST_CHECK}" in text for text in row["warnings"])  # parity is not
    assert row["approximation_error"] == pytest.approx(by_hand(causal), rel=1e-4)
    assert row["approximation_error"] != pytest.approx(by_hand(causal, LONGEST_CHECK), rel=1e-2)


def test_a_recurrence_of_its_own_approximates_nothing(measured: pd.DataFrame) -> None:
    assert measured.loc[["retention"], "approximation_error"].isna().all()

"""How the memory of attention grows with the sequence, in the real frameworks: shapes, no sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness
from harness import frameworks

PLAIN, WINDOW = "attention_plain", "sliding_window_attention"


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_plain_attention_grows_with_the_square_of_the_length_and_a_window_with_the_length(
    tmp_path: Path, framework: str
) -> None:
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    frame = harness.run(
        "quick",
        layers=[PLAIN, WINDOW],
        framework=[framework],
        mode=["forward"],
        execution=["eager" if framework == "torch" else "compiled"],
        batch=[1],
        seq=[2048, 4096],
        params={"head_dim": [64], "window": [64]},
        passes=1,
        sample_s=0.02,
        results=tmp_path,
    )
    assert set(frame["status"]) == {"ok"}
    peak = frame.set_index(["layer", "seq"])["peak_memory_bytes"]
    assert peak[PLAIN, 4096] / peak[PLAIN, 2048] == pytest.approx(4, rel=0.15)
    assert peak[WINDOW, 4096] / peak[WINDOW, 2048] == pytest.approx(2, rel=0.3)
    assert peak[WINDOW, 4096] < peak[PLAIN, 4096] / 4
    checked = frame["warnings"].map(" ".join)
    assert checked.str.contains("checked against its reference at b1-s512").all()

"""What is published stands beside ours; what ours claims is judged."""

from __future__ import annotations

import pytest

from harness.types import Case, Measurement, Status
from harness.verify import attention
from harness.verify.attention import Claim
from harness.verify.row import Verdict

CASE = Case.parse("scale/fake/cpu/forward/eager/float32/b2")
SLOWER = [4.0, 4.2, 4.4, 4.0, 3.9, 4.1]
FASTER = [1.0] * 6


@pytest.mark.parametrize(("least", "verdict"), [(4.0, Verdict.OK), (4.1, Verdict.FAILS)])
def test_a_ratio_that_has_to_be_reached_is_judged(least: float, verdict: Verdict) -> None:
    row = attention.told(Claim("a", "b", 64, "forward", least=least), SLOWER, FASTER)
    assert row.verdict is verdict
    assert row.check == "a over b, time, forward, seq 64"
    assert row.found.startswith("4.05 (3.9 to 4.4)")


def test_a_published_ratio_binds_nobody() -> None:
    claim = Claim("a", "b", 64, "train", published="100", source="A et al. (2020)")
    row = attention.told(claim, SLOWER, FASTER)
    assert row.verdict is Verdict.NOTED
    assert row.expected == "100 in A et al. (2020)"


def test_peaks_too_small_to_tell_give_no_ratio() -> None:
    def peak(size: int | None) -> Measurement:
        return Measurement(CASE, "memory", 0, Status.OK, "", peak_memory_bytes=size)

    assert attention.memory_ratio(peak(40 * 2**20), peak(4 * 2**20)) == "10, 40.0 MiB over 4.00 MiB"
    assert attention.memory_ratio(peak(40 * 2**20), peak(None)) == "too small to tell"


def test_every_claim_is_about_layers_that_are_there() -> None:
    for claim in attention.CLAIMS:
        for layer in (claim.slower, claim.faster):
            assert attention.case(layer, claim.seq, claim.mode).seq == claim.seq

"""Attention beside published results, as ratios: how times compare holds on more machines than
how long they are.

Two calls are prepared in one process and their blocks alternate, so that what disturbs one disturbs
the other. Published ratios are noted beside ours and hold nobody to anything, as they are of other
machines; what our own implementations claim is judged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from harness import catalogue, devices, frameworks, stats, units
from harness.probes import latency
from harness.runner import measure
from harness.runner.sampling import Effort
from harness.stats import Interval
from harness.types import Case, Measurement
from harness.verify import bench
from harness.verify.row import Row, Verdict, judged, skipped

PRESET = "bert_like"
BLOCK_S = 0.02
PAIR_S = 4.0
"""For the blocks of a pair, in turn."""
PAIRS = 3
"""At least, however long they take."""
EFFORT = Effort(rel_ci=0.01, sample_s=0.1, timeout_s=300.0)
PLAIN, FUSED = "attention_plain", "sdpa_flash"
FLASH_PAPER = "Dao et al. (2022), arXiv:2205.14135"
LONG_RANGE_ARENA = "Tay et al. (2021), arXiv:2011.04006"
FLASH2_PAPER = "Dao (2023), arXiv:2307.08691"


class Claim(NamedTuple):
    """That one layer is so many times as fast as another.

    Attributes:
        slower, faster: names of layers.
        published: the ratio in somebody's paper, or empty.
        least: the ratio that ours has to reach, or None.
        source: of what was published, or why ours has to.
    """

    slower: str
    faster: str
    seq: int
    mode: str
    published: str = ""
    least: float | None = None
    source: str = ""

    @property
    def check(self) -> str:
        return f"{self.slower} over {self.faster}, time, {self.mode}, seq {self.seq:,}"


CLAIMS = (
    Claim(PLAIN, FUSED, 512, "train", "2.5", source=FLASH_PAPER),
    Claim(PLAIN, FUSED, 1024, "train", source=FLASH_PAPER),
    Claim(PLAIN, FUSED, 2048, "train", source=FLASH_PAPER),
    Claim(PLAIN, FUSED, 4096, "train", "3.5", source=FLASH_PAPER),
    Claim(PLAIN, "performer_attention", 4096, "train", "5.7", source=LONG_RANGE_ARENA),
    Claim(PLAIN, "bigbird_attention", 4096, "train", "1.1", source=LONG_RANGE_ARENA),
    Claim(FUSED, "sliding_window_attention", 16384, "forward", least=8.0),
    Claim("flex_window_attention", "sliding_window_attention", 4096, "forward", least=1 / 1.2),
    Claim("flex_block_sparse_attention", "block_sparse_attention", 4096, "forward", least=1 / 1.2),
)
MEMORY = ((2048, "10"), (4096, "20"))
"""Sequence length, and plain over fused as published by `FLASH_PAPER`."""
H100 = "74 to 139 TFLOP/s plain and 309 to 370 with FlashAttention-2, 512 to 8k, head dim 128"


def rows() -> Iterator[Row]:
    """Times, then memory, then what takes a GPU."""
    if not bench.installed(["torch"]):
        yield skipped("attention", "", "torch is not installed")
        return
    environment = frameworks.get("torch").environment(1, "latency")
    pairs = [(case(c.slower, c.seq, c.mode).id, case(c.faster, c.seq, c.mode).id) for c in CLAIMS]
    found = bench.alone(__name__, "alternate", pairs, environment=environment)
    for claim, (slower, faster) in zip(CLAIMS, found, strict=True):
        yield told(claim, slower, faster)
    yield from _memory()
    if "cuda" not in devices.available():
        yield skipped("forward on an H100", f"{H100} ({FLASH2_PAPER})", "there is no GPU here")


def case(layer: str, seq: int, mode: str) -> Case:
    """In torch on the CPU, one sequence, not causal, in the realistic preset."""
    params = tuple(catalogue.load()[layer].presets[PRESET].items())
    return Case(layer, "torch", "cpu", mode, "eager", "float32", 1, 1, seq, params)


def told(claim: Claim, slower: Sequence[float], faster: Sequence[float]) -> Row:
    """The median of the paired ratios, beside what was published or has to be reached."""
    ratio = stats.median_interval([a / b for a, b in zip(slower, faster, strict=True)])
    found = f"{_ratio(ratio)}, {units.seconds(stats.median_interval(faster).value)}"
    if claim.least is not None:
        good = ratio.value >= claim.least
        return judged(claim.check, f"at least {claim.least:.2g}", found, good)
    return _beside(claim.check, claim.published, claim.source, found)


def _ratio(ratio: Interval) -> str:
    return f"{ratio.value:.3g} ({ratio.low:.3g} to {ratio.high:.3g})"


def _beside(check: str, published: str, source: str, found: str) -> Row:
    expected = f"{published} in {source}" if published else ""
    return Row(check, expected, found, Verdict.NOTED)


def alternate(pairs: Sequence[tuple[str, str]]) -> Iterator[list[list[float]]]:
    """Seconds a call of both of each pair, in blocks taken in turn, in a process of its own."""
    framework = frameworks.get("torch")
    framework.start("cpu", 1)
    for pair in pairs:
        calls = [bench.opened(framework, text) for text in pair]
        counts = [_calls(call, framework) for call in calls]
        taken: list[list[float]] = [[], []]
        end = time.monotonic() + PAIR_S
        while len(taken[0]) < PAIRS or time.monotonic() < end:
            for which in (0, 1) if len(taken[0]) % 2 else (1, 0):
                block = latency.block(calls[which], counts[which], framework)
                taken[which].append(block.wall_s)
        yield taken


def _calls(call: Any, framework: frameworks.Framework) -> int:
    """Of a block, warming up on the way."""
    once = min(latency.block(call, 1, framework).wall_s for _ in range(2))
    return max(1, round(BLOCK_S / once))


def _memory() -> Iterator[Row]:
    with bench.worker("torch", probe="memory") as (ask, _greeting):
        for seq, published in MEMORY:
            plain, fused = (
                measure.memory(ask, case(layer, seq, "train"), EFFORT) for layer in (PLAIN, FUSED)
            )
            check = f"{PLAIN} over {FUSED}, peak memory, train, seq {seq:,}"
            yield _beside(check, published, FLASH_PAPER, memory_ratio(plain, fused))


def memory_ratio(plain: Measurement, fused: Measurement) -> str:
    """Of two peaks, both of which have to be above what can be told from none."""
    if not plain.peak_memory_bytes or not fused.peak_memory_bytes:
        return "too small to tell"
    ratio = plain.peak_memory_bytes / fused.peak_memory_bytes
    sizes = map(units.size, (plain.peak_memory_bytes, fused.peak_memory_bytes))
    return f"{ratio:.3g}, {' over '.join(sizes)}"

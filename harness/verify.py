"""``make verify``: is a median of ours the one that an independent timer reads?

Our blocks and those of `torch.utils.benchmark` alternate on the same prepared call in the same
process, so that what disturbs one disturbs the other and only the method differs.
"""

from __future__ import annotations

import statistics
import sys

from rich.console import Console
from rich.table import Table

from harness import catalogue, frameworks, units
from harness.devices import cpu
from harness.probes import latency
from harness.problem import Problem
from harness.types import Case

CASES = (
    "dense/torch/cpu/train/eager/float32/b32-in_features=768-out_features=3072-activation=gelu",
    "conv2d/torch/cpu/forward/eager/float32/b8-in_channels=3-out_channels=32-kernel=3-size=32",
    "lstm/torch/cpu/forward/eager/float32/b32-s64-input_size=32-hidden_size=64",
    "gru/torch/cpu/train/eager/float32/b8-s32-input_size=32-hidden_size=64",
    "attention_projected/torch/cpu/forward/eager/float32/b8-s64-heads=1-head_dim=64",
)
PAIRS = 100
BLOCK_S = 0.01
LOW, HIGH = 0.97, 1.03


def main() -> int:
    """Prints ours, theirs and the ratio for each case; 3 if a ratio is out of bounds."""
    import os

    framework = frameworks.get("torch")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpu.cores(1))
    framework.start("cpu", 1)
    layers = catalogue.load()
    table = Table("case", "ours", "torch.utils.benchmark", "ratio", "", box=None, pad_edge=False)
    bad = 0
    for text in CASES:
        case = Case.parse(text)
        layer = layers[case.layer]
        step = framework.prepare(Problem(case, layer, layer.builders["torch"]))
        ours, theirs = _alternate(framework, step)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        good = LOW <= ratio <= HIGH
        bad += not good
        verdict = "ok" if good else f"not within {LOW} to {HIGH}"
        medians = (units.seconds(statistics.median(taken)) for taken in (ours, theirs))
        table.add_row(text, *medians, f"{ratio:.3f}", verdict)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 3 if bad else 0


def _alternate(
    framework: frameworks.Framework, step: frameworks.Step
) -> tuple[list[float], list[float]]:
    """(our samples, theirs), in seconds a call; in turn, and each first as often as the other."""
    from torch.utils.benchmark import Timer

    call = step.open()
    timer = Timer("call()", globals={"call": call}, num_threads=1)
    once = min(latency.block(call, 1, framework).wall_s for _ in range(5))
    calls = max(1, round(BLOCK_S / once))
    readers = (
        lambda: latency.block(call, calls, framework).wall_s,
        lambda: float(timer.timeit(calls).median),
    )
    taken: tuple[list[float], list[float]] = ([], [])
    for pair in range(PAIRS):
        for which in (0, 1) if pair % 2 else (1, 0):
            taken[which].append(readers[which]())
    return taken


if __name__ == "__main__":
    sys.exit(main())

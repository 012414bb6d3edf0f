"""Frames and runs made by hand, shaped as `harness.store.load` gives them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.store import SAMPLE_COLUMNS
from harness.types import Case

NAN = math.nan


def row(latency_s: float = 1e-3, **changes: Any) -> dict[str, Any]:
    """One measured case; its interval is ±10 % unless ``changes`` say otherwise."""
    status = changes.get("status", "ok")
    measured = latency_s if status == "ok" else NAN
    values: dict[str, Any] = {
        "layer": "dense",
        "family": "linear",
        "framework": "torch",
        "framework_version": "2.13.0",
        "device": "cpu",
        "mode": "forward",
        "execution": "eager",
        "dtype": "float32",
        "threads": 1,
        "batch": 32,
        "seq": None,
        "params": {"units": 256},
        "model": "",
        "model_batch": None,
        "occurrences": None,
        "status": status,
        "reason": "",
        "latency_s": measured,
        "latency_low_s": measured / 1.1,
        "latency_high_s": measured * 1.1,
        "latency_p90_s": measured * 1.2,
        "first_call_s": measured * 40,
        "device_time_s": NAN,
        "samples": 90,
        "passes": 3,
        "disturbed": NAN,
        "converged": True,
        "warmed": True,
        "peak_memory_bytes": 2.0**20 if status == "ok" else NAN,
        "memory_method": "VmHWM",
        "parameter_bytes": 2.0**18,
        "peak_allocated_bytes": NAN,
        "input_bytes": 2.0**15,
        "output_bytes": NAN,
        "saved_bytes": NAN,
        "workspace_bytes": NAN,
        "throughput_per_s": 32 / measured,
        "tokens_per_s": NAN,
        "flops": 4e6,
        "bytes": 4e5,
        "flop_per_s": 4e6 / measured,
        "intensity": 10.0,
        "roofline_fraction": 0.4 if status == "ok" else NAN,
        "bound": "compute" if status == "ok" else "",
        "parity_error": 1e-6 if status == "ok" else NAN,
        "approximation_error": NAN,
        "density": NAN,
        "audit": [],
        "execution_path": "MKL sgemm" if status == "ok" else "",
        "operators": 12.0 if status == "ok" else NAN,
        "kernels": NAN,
        "conversions": 0.0 if status == "ok" else NAN,
        "warnings": [],
        "machine_id": "box",
        "run_id": "run-1",
        "started_at": "2026-11-20T10:00:00+00:00",
        **changes,
    }
    case = Case(
        **{name: values[name] for name in Case.__dataclass_fields__ if name != "params"},
        params=tuple(values["params"].items()),
    )
    return {"case_id": case.id, **values}


def frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of `row` as a frame with the column types of a stored one."""
    table = pd.DataFrame(list(rows), columns=list(row()))
    return table.astype(dict.fromkeys(("seq", "model_batch", "occurrences"), "Int64"))


def run(**changes: Any) -> dict[str, Any]:
    """What a ``run.json`` holds."""
    return {
        "schema": 1,
        "run_id": "run-1",
        "started_at": "2026-11-20T10:00:00+00:00",
        "sweep": "quick",
        "command": "layerbench run quick --seed 7",
        "seed": 7,
        "planned": 4,
        "passes": 3,
        "machine": machine(),
        "ceilings": [
            {
                "framework": framework,
                "device": "cpu",
                "threads": 1,
                "dtype": "float32",
                "flop_per_s": 9.1e10,
                "bandwidth": [[2**15, 9.4e10], [2**20, 4.1e10], [2**28, 1.15e10]],
                "call_overhead_s": overhead,
            }
            for framework, overhead in (("torch", 1.9e-6), ("tensorflow", 2.4e-5))
        ],
        **changes,
    }


def machine(**changes: Any) -> dict[str, Any]:
    """The description of a machine within a run."""
    return {
        "machine_id": "box",
        "cpu": {
            "model": "AMD EPYC 7B13",
            "logical_cores": 2,
            "physical_cores": 1,
            "governor": None,
            "turbo": None,
            "max_mhz": 3500.0,
        },
        "memory_bytes": 16 * 2**30,
        "container": {"cpus": 2.0, "memory_bytes": 8 * 2**30},
        "gpus": [],
        "os": "Linux 6.8.0",
        "python": "3.11.9",
        "versions": {"torch": "2.13.0+cpu", "tensorflow": "2.21.0", "keras": "3.15.1"},
        "git_commit": "6237f7b8fa033129c3ed057337f72e5520719bca",
        "git_dirty": True,
        **changes,
    }


@dataclass(frozen=True)
class Workload:
    """A layer of `quick`: work and traffic grow with the batch, and with steps if it has any."""

    family: str
    params: Mapping[str, int | float]
    flops: float
    bytes: float
    steps: tuple[int | None, ...] = (None,)


QUICK = {
    "dense": Workload("linear", {"units": 256}, 2.6e5, 2e3),
    "conv2d": Workload("convolution", {"channels": 32}, 1.9e7, 2e5),
    "simple_rnn": Workload("recurrent", {"units": 128}, 6.6e4, 1e3, (16, 64)),
    "lstm": Workload("recurrent", {"units": 128}, 2.6e5, 4e3, (16, 64)),
    "gru": Workload("recurrent", {"units": 128}, 2.0e5, 3e3, (16, 64)),
    "attention": Workload("attention", {"heads": 4, "head_dim": 32}, 3.0e4, 2e3, (16, 64)),
    "attention_projected": Workload(
        "attention", {"heads": 4, "head_dim": 32}, 1.6e5, 4e3, (16, 64)
    ),
    "batch_norm": Workload("normalization", {"channels": 64}, 8e5, 4e5),
    "dropout": Workload("regularization", {"rate": 0.5}, 2e5, 2e5),
}


@dataclass(frozen=True)
class Configuration:
    """A framework and execution of `quick`: seconds a call and a step, FLOP/s, memory factor."""

    framework: str
    execution: str
    version: str
    call_s: float
    step_s: float
    flop_per_s: float
    memory: float


CONFIGURATIONS = (
    Configuration("torch", "eager", "2.13.0+cpu", 5e-6, 0.0, 4e10, 1.0),
    Configuration("tensorflow", "eager", "2.21.0", 4e-4, 4e-4, 3e10, 1.6),
    Configuration("tensorflow", "compiled", "2.21.0", 9e-5, 1.5e-5, 3.5e10, 1.3),
)


RESOLUTION = 2.0**17
"""Peaks of memory below this are too small to read."""


def quick(seed: int = 7, batches: Sequence[int] = (1, 32)) -> pd.DataFrame:
    """168 rows of a quick sweep: plausible figures, and failures of several kinds.

    With more batch sizes there are 84 rows for each.
    """
    random = np.random.default_rng(seed)
    return frame(
        _quick_row(layer, mode, batch, seq, configuration, random)
        for layer, workload in QUICK.items()
        for mode in ("forward", "train")
        for batch in batches
        for seq in workload.steps
        for configuration in CONFIGURATIONS
    )


def _quick_row(
    layer: str,
    mode: str,
    batch: int,
    seq: int | None,
    configuration: Configuration,
    random: np.random.Generator,
) -> dict[str, Any]:
    workload = QUICK[layer]
    steps = seq or 1
    flops = batch * steps * workload.flops * (3 if mode == "train" else 1)
    sequential = steps if workload.family == "recurrent" else 0
    seconds = configuration.call_s + sequential * configuration.step_s
    seconds = (seconds + flops / configuration.flop_per_s) * random.lognormal(0, 0.08)
    spread = random.uniform(1.02, 1.09)
    memory = configuration.memory * batch * steps * workload.bytes * 3 + 100_000
    memory = 4096.0 * round(memory / 4096)
    case = {
        "layer": layer,
        "family": workload.family,
        "framework": configuration.framework,
        "framework_version": configuration.version,
        "mode": mode,
        "execution": configuration.execution,
        "batch": batch,
        "seq": seq,
        "params": workload.params,
    }
    figures = {
        "latency_low_s": seconds / spread,
        "latency_high_s": seconds * spread,
        "peak_memory_bytes": memory if memory >= RESOLUTION else NAN,
        "memory_method": "VmHWM" if memory >= RESOLUTION else "VmHWM, below 128 KiB",
        "throughput_per_s": batch / seconds,
        "tokens_per_s": batch * seq / seconds if seq else NAN,
        "flop_per_s": flops / seconds,
        "roofline_fraction": flops / seconds / 9.1e10,
        "parity_error": float(10 ** random.uniform(-7, -5.4)),
    }
    if spread > 1.08:
        slow = "latency had not settled after 10 s; close other programs"
        figures |= {"converged": False, "warmed": seconds < 1e-3, "warnings": [slow]}
    failure = _quick_failure(layer, mode, batch, seq, configuration)
    return row(seconds, **case, **(failure or figures))


def _quick_failure(
    layer: str, mode: str, batch: int, seq: int | None, configuration: Configuration
) -> dict[str, str]:
    """Status and reason of the cases that give no figure."""
    eager = configuration.execution == "eager"
    if layer == "dropout" and mode == "forward":
        return {"status": "not_applicable", "reason": "dropout does nothing in inference"}
    if configuration.framework == "torch":
        return {}
    if layer == "batch_norm" and not eager:
        return {"status": "unsupported", "reason": "no builder for keras that can be traced"}
    if layer == "gru" and eager:
        return {"status": "mismatch", "reason": "output differs from the reference by 0.031"}
    if (layer, mode, batch, seq) == ("attention", "train", 32, 64):
        if eager:
            return {"status": "oom", "reason": "killed at the memory limit of 8 GiB"}
        return {"status": "timeout", "reason": "no answer within 60 s"}
    return {}


def samples(table: pd.DataFrame, passes: int = 3, each: int = 30, seed: int = 7) -> pd.DataFrame:
    """Samples around the latency of each row that has one, as `harness.store.load_samples`."""
    random = np.random.default_rng(seed)
    measured = table[table["latency_s"].notna()]
    parts = [
        pd.DataFrame(
            {
                "case_id": row["case_id"],
                "machine_id": row["machine_id"],
                "run_id": row["run_id"],
                "pass_index": index,
                "sample": range(each),
                "wall_s": row["latency_s"] * random.lognormal(0, 0.05, each),
                "device_s": NAN,
            }
        )
        for row in measured.to_dict("records")
        for index in range(passes)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*SAMPLE_COLUMNS])

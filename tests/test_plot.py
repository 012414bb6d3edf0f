"""Figures for a notebook: what the report draws, standing alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from attention_frames import attention_frame
from frames import frame, machine, quick, row, run
from histories import noise, stored
from matplotlib.figure import Figure
from matplotlib.text import Text

import harness
from harness.checks import MOST_NAMED
from harness.report.figures.files import image
from harness.types import UsageError

HOSTILE = [
    "<script>alert(1)</script>",
    "$x^2$ and $unfinished",
    "_nolegend_",
    "a\nb\tc\x1b[31m\x00",
    "\u202egnp.exe",
    "👩\u200d🔬 שלום",
    "x" * 5000,
    "| \\ ` ' \" &amp; %s {0}",
]
STEP = np.where(np.arange(20) >= 10, 0.15, 0.0)


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if one.get_text()]


def drawn(figure: Figure) -> list[float]:
    """Every height at which there is something in the axes."""
    lines = figure.axes[0].get_lines()
    return [float(y) for line in lines for y in np.atleast_1d(line.get_ydata())]


def holds(figure: Figure, wanted: pd.Series[Any]) -> bool:
    heights = np.array(drawn(figure))
    return all(np.isclose(heights, value, rtol=1e-9).any() for value in wanted)


def lstm(**where: Any) -> pd.DataFrame:
    table = quick()
    chosen = (table["layer"] == "lstm") & (table["status"] == "ok")
    for name, value in where.items():
        chosen &= table[name] == value
    return table[chosen]


class TestPanels:
    def test_latency_has_every_figure_a_title_axes_and_a_key(self) -> None:
        figure = harness.plot.latency(quick(), "lstm", against="seq", mode="train")
        assert holds(figure, lstm(mode="train", batch=32)["latency_s"])
        said = texts(figure)
        assert {"lstm", "Latency", "sequence length", "torch eager"} <= set(said)
        assert {"train, batch size 32", "cpu, float32, 1 thread, units=128"} <= set(said)

    def test_the_length_is_the_axis_where_there_is_one_and_batch_elsewhere(self) -> None:
        assert "sequence length" in texts(harness.plot.latency(quick(), "lstm"))
        assert "batch size" in texts(harness.plot.latency(quick(), "dense"))
        assert "batch size" in texts(harness.plot.latency(quick(), "lstm", against="batch"))

    def test_memory(self) -> None:
        figure = harness.plot.memory(quick(), "lstm", against="seq", mode="train")
        assert holds(figure, lstm(mode="train", batch=32)["peak_memory_bytes"].dropna())
        assert "Peak memory" in texts(figure)

    def test_throughput_is_of_tokens_where_there_is_a_length_and_of_items_elsewhere(self) -> None:
        figure = harness.plot.throughput(quick(), "lstm", against="seq")
        assert holds(figure, lstm(mode="forward", batch=32)["tokens_per_s"])
        assert "Tokens/s" in texts(figure)
        assert "Items/s" in texts(harness.plot.throughput(quick(), "dense"))

    def test_the_only_layer_need_not_be_named(self) -> None:
        assert "dense" in texts(harness.plot.latency(frame([row(batch=1), row(batch=2)])))

    @pytest.mark.parametrize(
        ("table", "asked", "told"),
        [
            (quick(), {}, "more than one layer (dense; conv2d; "),
            (quick(), {"layer": "lsmt"}, "unknown layer 'lsmt'; nearest: lstm"),
            (quick(), {"layer": "dense", "against": "seq"}, "unknown axis 'seq'"),
            (quick(), {"layer": "dense", "mode": "backward"}, "unknown mode 'backward'"),
            (frame([row(batch=b, dtype=d) for b in (1, 2) for d in ("float32", "bfloat16")]), {},
             "more than one setting of dense (cpu, float32, 1 thread, units=256; cpu, bfloat16"),
            (frame([row()]), {}, "cannot be drawn: it takes figures at two batch sizes"),
        ],
    )  # fmt: skip
    def test_what_is_not_there_or_is_several_is_told(
        self, table: pd.DataFrame, asked: dict[str, str], told: str
    ) -> None:
        with pytest.raises(UsageError) as error:
            harness.plot.latency(table, **asked)
        assert told in str(error.value)


class TestFrameworks:
    def test_every_ratio_is_drawn_against_the_base(self) -> None:
        figure = harness.plot.frameworks(quick(), mode="train")
        said = texts(figure)
        assert {"Time relative to torch eager", "lstm", "tensorflow compiled"} <= set(said)
        ratios = harness.tables.frameworks(quick()).data
        here = ratios[(ratios["Mode"] == "train") & (ratios["Against"] == "torch eager")]
        across = [x for line in figure.axes[0].get_lines() for x in np.atleast_1d(line.get_xdata())]
        for ratio in here["Time ratio (95 % interval)"]:
            assert np.isclose(across, ratio).any()

    def test_one_framework_has_nothing_to_compare(self) -> None:
        with pytest.raises(UsageError, match="nothing to compare"):
            harness.plot.frameworks(frame([row()]))

    def test_another_base_has_to_be_there(self) -> None:
        with pytest.raises(UsageError, match="unknown base 'jax eager'"):
            harness.plot.frameworks(quick(), base="jax eager")

    def test_several_devices_are_told(self) -> None:
        several = frame(
            row(framework=name, device=device)
            for name in ("torch", "tensorflow")
            for device in ("cpu", "cuda")
        )
        with pytest.raises(UsageError, match=r"more than one device or machine \(cpu; cuda\)"):
            harness.plot.frameworks(several)


class TestSpeedup:
    def test_every_size_of_the_layer_has_its_speedup(self) -> None:
        figure = harness.plot.speedup(quick(), "tensorflow compiled", "lstm", mode="train")
        told = texts(figure)
        assert "Speedup of lstm" in told
        assert {"b1", "b32", "s16", "s64"} <= set(told)
        assert len([text for text in told if text.endswith("×")]) == 4

    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            ({"other": "jax eager", "layer": "lstm"}, "unknown configuration 'jax eager'"),
            ({"other": "tensorflow compiled", "layer": "dense"}, "unknown layer 'dense'"),
            ({"other": "tensorflow compiled"}, "holds more than one layer"),
        ],
    )
    def test_what_is_not_there_or_is_several_is_told(
        self, asked: dict[str, str], complaint: str
    ) -> None:
        with pytest.raises(UsageError, match=complaint):
            harness.plot.speedup(quick(), **asked)

    def test_one_configuration_has_none(self) -> None:
        with pytest.raises(UsageError, match="there is no speedup"):
            harness.plot.speedup(frame([row(seq=8), row(seq=16)]), "torch eager")


class TestBackward:
    def test_every_layer_is_named(self) -> None:
        told = texts(harness.plot.backward(quick()))
        assert {"lstm", "dense", "more than forward →"} <= set(told)

    def test_one_direction_is_told(self) -> None:
        with pytest.raises(UsageError, match="both forward and back"):
            harness.plot.backward(frame([row()]))


class TestMachines:
    def test_devices_are_held_against_the_first(self) -> None:
        table = frame([row(4e-3), row(1e-3, device="cuda")])
        told = texts(harness.plot.machines(table, [run()]))
        assert {"Time relative to box, cpu", "box, cuda"} <= set(told)
        assert any(text.startswith("0.250× (0.2") for text in told)

    def test_one_machine_is_told(self) -> None:
        with pytest.raises(UsageError, match="no two machines or devices"):
            harness.plot.machines(frame([row()]), [run()])


class TestAttention:
    def test_every_variant_is_named_at_its_line(self) -> None:
        told = texts(harness.plot.attention(attention_frame()))
        assert {"Attention, forward", "sliding_window", "attention_plain", "sdpa_flash"} <= set(
            told
        )

    def test_none_is_told(self) -> None:
        with pytest.raises(UsageError, match="no attention was measured at two lengths"):
            harness.plot.attention(frame([row()]))


class TestHistory:
    def test_every_run_is_a_dot(self) -> None:
        table, runs = stored([noise(20) + STEP, noise(20, seed=1)])
        figure = harness.plot.history(table, runs, table["case_id"][0])
        assert holds(figure, table["latency_s"].head(20))
        assert "Latency of dense" in texts(figure)
        assert "20 runs on box, 2026-11-01 to 2026-11-20" in " ".join(texts(figure))

    def test_a_case_that_is_not_there_is_told(self) -> None:
        table, runs = stored([noise(6)])
        with pytest.raises(UsageError, match="unknown case"):
            harness.plot.history(table, runs, "lstm")

    def test_of_very_many_cases_a_few_are_named(self) -> None:
        table, runs = stored([noise(6, seed=number) for number in range(3 * MOST_NAMED)])
        with pytest.raises(UsageError) as refused:
            harness.plot.history(table, runs, "?")
        assert str(refused.value).endswith(f"and {2 * MOST_NAMED} more")
        assert str(refused.value).count("dense/") == MOST_NAMED


class TestRoofline:
    def test_points_ceilings_and_names_are_there(self) -> None:
        figure = harness.plot.roofline(quick(), [run()], mode="train")
        table = quick()
        measured = table[(table["mode"] == "train") & (table["status"] == "ok")]
        assert holds(figure, measured["flop_per_s"])
        assert 9.1e10 in drawn(figure)
        said = texts(figure)
        assert set(measured["layer"]) <= set(said)
        assert {"11.5 GB/s, 256 MiB", "94.0 GB/s, 32 KiB", "91.0 GFLOP/s, matrix product"} <= set(
            said
        )

    def test_runs_without_ceilings_have_none(self) -> None:
        with pytest.raises(UsageError, match="no ceilings"):
            harness.plot.roofline(quick(), [run(ceilings=[])])

    def test_ceilings_of_another_machine_are_none(self) -> None:
        elsewhere = run(machine=machine(machine_id="other"))
        with pytest.raises(UsageError, match="no ceilings"):
            harness.plot.roofline(quick(), [elsewhere])


EACH: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "latency": harness.plot.latency,
    "memory": harness.plot.memory,
    "throughput": harness.plot.throughput,
    "frameworks": harness.plot.frameworks,
    "history": lambda table: harness.plot.history(table, [run()], table["case_id"].iloc[0]),
    "roofline": lambda table: harness.plot.roofline(table, [run()]),
    "machines": lambda table: harness.plot.machines(
        table.assign(
            machine_id=["left", "left", "right", "right"][: len(table)],
            case_id=["1", "2"] * (len(table) // 2),
        ),
        [],
    ),
}


@pytest.mark.parametrize("name", EACH)
def test_an_empty_frame_is_told(name: str) -> None:
    empty = frame([])
    functions = {**EACH, "history": lambda table: harness.plot.history(table, [], "a")}
    with pytest.raises(UsageError, match="holds no rows"):
        functions[name](empty)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", EACH)
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
@pytest.mark.filterwarnings("ignore:Matplotlib currently does not support Hebrew")
def test_hostile_names_stay_text(name: str, text: str) -> None:
    table = frame(
        row(batch=batch, layer=text, framework=framework, machine_id="box")
        for batch in (1, 2)
        for framework in ("torch", text)
    )
    if name == "history":
        table["case_id"] = text
    figure = EACH[name](table)
    longest = max(map(len, texts(figure)))
    assert longest < 250
    for suffix in ("svg", "png"):
        assert image(figure, suffix, "hostile")


def test_each_figure_is_its_own_and_pyplot_is_not_touched() -> None:
    code = (
        "import io, sys, harness\nfrom frames import quick\n"
        "first, second = (harness.plot.latency(quick(), 'lstm') for _ in 'ab')\n"
        "first.savefig(io.BytesIO(), format='png')\n"
        "print(first is second, 'matplotlib.pyplot' in sys.modules)"
    )
    paths = [str(Path(harness.__file__).parents[1]), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "DISPLAY": ""}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert said.stdout == "False False\n"

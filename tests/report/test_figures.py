"""Figures as files: which there are, how they are called, and what they hold."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import outcomes
import pandas as pd
import pytest
from attention_frames import attention_frame
from boxes import box
from frames import frame, quick, row, run, samples
from histories import noise, stored
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Annotation, Text

import harness
from harness.report import caps, charts, contents, layers, rows
from harness.report.canvas import PAPER
from harness.report.cases import section as each_case
from harness.report.figures import whole
from harness.report.figures.dress import Caption, dress, narrow
from harness.report.figures.files import COLUMN, FORMATS, PAGE, file_name, image
from harness.report.machines.section import compared
from harness.report.panels import LATENCY

STEP = np.where(np.arange(20) >= 10, 0.15, 0.0)
SAFE = re.compile(r"[a-z0-9_][a-z0-9_.=-]{0,130}")


@pytest.fixture(scope="module")
def figures() -> list[whole.Named]:
    return list(whole.every(quick(), [run()]))


def names(figures: list[whole.Named]) -> list[str]:
    taken: set[str] = set()
    return [file_name(named.parts, taken) for named in figures]


class TestWhole:
    def test_each_figure_mode_and_axis_of_a_layer_has_its_name(
        self, figures: list[whole.Named]
    ) -> None:
        found = names(figures)
        assert len(found) == len(set(found))
        for figure in ("latency", "peak-memory", "tokens-per-s"):
            for mode in ("forward", "train"):
                for axis in ("batch", "seq"):
                    assert f"lstm-{figure}-{mode}-{axis}" in found
        assert "dense-items-per-s-train-batch" in found
        assert "dense-latency-train-seq" not in found
        assert {f"frameworks-{mode}-torch-eager-cpu" for mode in ("forward", "train")} <= set(found)
        assert "roofline-train-cpu-float32-1-thread-box" in found

    def test_the_setting_is_in_the_name_where_there_are_several(self) -> None:
        table = frame(row(batch=b, dtype=d) for b in (1, 2) for d in ("float32", "bfloat16"))
        found = names(list(whole.every(table, [])))
        assert "dense-latency-forward-batch-bfloat16" in found

    def test_histories_are_there_and_of_several_machines_told_apart(self) -> None:
        table, runs = stored([noise(20) + STEP])
        (one,) = (name for name in names(list(whole.every(table, runs))) if "history" in name)
        assert one == "history-dense-torch-cpu-forward-eager-float32-b1-units=256"

    def test_attention_is_there_and_as_wide_as_a_page(self) -> None:
        found = [named for named in whole.every(attention_frame(), []) if named.width == PAGE]
        assert {named.parts[1] for named in found} >= {"Latency", "Peak memory"}
        assert found[0].draw().axes

    def test_speedups_and_the_way_back_are_there(self, figures: list[whole.Named]) -> None:
        found = names(figures)
        base = "torch-eager"
        for mode in ("forward", "train"):
            (one,) = (n for n in found if n.startswith(f"speedup-lstm-{mode}") and "compiled" in n)
            assert base in one
        assert "directions-train-cpu-float32-1-thread" in found
        of_attention = [n.parts[0] for n in whole.every(attention_frame(), [])]
        assert "attention-speedup" in of_attention

    def test_machines_are_there(self) -> None:
        rows = [row(layer=name, mode=mode) for name in ("a", "b") for mode in ("forward", "train")]
        sides = [box(name, rows) for name in ("left", "right")]
        table = pd.concat([side.frame for side in sides], ignore_index=True)
        found = list(whole.every(table, [told for side in sides for told in side.runs]))
        wanted = {("machines", mode, "left") for mode in ("forward", "train")}
        assert {named.parts for named in found if named.parts[0] == "machines"} == wanted
        assert {named.parts for named in whole.of_comparison(compared(sides))} == wanted

    def test_a_speedup_that_may_be_none_is_hatched_and_a_failure_has_no_tint(self) -> None:
        members = [row(batch=b, seq=s) for b in (1, 8) for s in (16, 64)]
        other = [
            row(1.02e-3 if (b, s) == (1, 16) else 4e-3, batch=b, seq=s, framework="tensorflow",
                status="oom" if (b, s) == (8, 64) else "ok")
            for b in (1, 8) for s in (16, 64)
        ]  # fmt: skip
        (named,) = (n for n in whole.every(frame([*members, *other]), []) if "speedup" in n.parts)
        drawn = named.draw()
        cells = drawn.axes[0].patches
        assert [bool(cell.get_hatch()) for cell in cells] == [True, False, False, False]
        said = [text.get_text() for text in drawn.axes[0].texts]
        assert [text for text in said if text.endswith("×")] == ["0.980×", "0.250×", "0.250×"]
        assert "oom" in said
        assert to_hex(cells[3].get_facecolor()) == PAPER
        assert to_hex(cells[1].get_facecolor()) != PAPER

    def test_cases_are_there_that_the_page_draws_in_a_figure(self) -> None:
        table = quick()
        taken = samples(table)
        found = [
            named for named in whole.every(table, [run()], taken) if named.parts[0] == "samples"
        ]
        assert len(found) == caps.SAMPLES
        cards = each_case.section(rows.read(table), [run()], taken).cards
        drawn_in_page = {card.case for card in cards if card.figure}
        assert {named.parts[1] for named in found} == drawn_in_page
        assert all(name.startswith("samples-") for name in names(found))
        assert found[0].draw().axes

    def test_cases_of_several_machines_and_runs_are_told_apart(self) -> None:
        table = frame(row(machine_id=box, run_id=f"run-{box}") for box in ("left", "right"))
        found = [
            named for named in whole.every(table, [], samples(table)) if "samples" in named.parts
        ]
        assert [named.parts[2:] for named in found] == [
            ("left", "run-left"),
            ("right", "run-right"),
        ]

    def test_as_many_are_drawn_as_in_the_page_and_the_rest_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = frame(row(batch=b, layer=name) for name in ("one", "two") for b in (1, 2, 4))
        made = layers.drawings(rows.newest(table))
        room = sum(charts.weight(panel) for one in made for panel in one.panels[LATENCY])
        monkeypatch.setattr(caps, "room", lambda _: room)
        monkeypatch.setattr(caps, "SAMPLES", 1)
        taken = samples(table)
        found = list(whole.every(table, [], taken))
        drawn = [named.parts[:2] for named in found if named.parts[0] != "samples"]
        assert drawn == [("one", "Latency"), ("two", "Latency")]
        told = " ".join(whole.notes(table, taken, contents.read(table, [])))
        assert told.startswith("4 drawings of 2 layers would be too many")
        assert "1 of 6 measured cases have their samples in a figure" in told

    def test_of_a_large_frame_the_figures_are_of_what_the_page_shows(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caps, "ROWS", 3)
        table = frame(row(batch=b, layer=name) for name in ("one", "two") for b in (1, 2, 4))
        assert {named.parts[0] for named in whole.every(table, [])} == {"one"}
        told = whole.notes(table, None, contents.read(table, []))
        assert told == ["They are of 3 of 6 cases.", "Of no case the single samples were read."]

    def test_nothing_measured_has_no_figures(self) -> None:
        assert list(whole.every(frame([]), [])) == []


class TestNames:
    def test_they_are_safe_and_none_is_used_twice(self) -> None:
        taken: set[str] = set()
        strange = [*outcomes.HOSTILE, "../../etc/passwd", "..", "", "CON", "x" * 5000, "a/b\\c:d"]
        found = [file_name((text, "Latency", "train"), taken) for text in [*strange, *strange]]
        assert len(set(found)) == len(found) == len(taken)
        assert all(SAFE.fullmatch(name) for name in found)
        assert file_name(("..", "/"), set()) == "figure"

    def test_names_that_differ_in_case_only_are_two(self) -> None:
        taken: set[str] = set()
        assert file_name(("LSTM",), taken) == "lstm"
        assert file_name(("lstm",), taken) == "lstm-2"


class TestDress:
    def bare(self) -> Figure:
        figure = Figure(figsize=(4, 2))
        axes = figure.add_axes((0.25, 0.25, 0.5, 0.5))
        axes.plot([0, 1], [0, 1])
        axes.annotate("beside", (0.5, 0.5), (6, 4), textcoords="offset points")
        return figure

    def test_the_drawing_keeps_its_size(self) -> None:
        figure = dress(self.bare(), Caption("title", ("detail",), "upward"))
        box = figure.axes[0].get_position()
        width, height = figure.get_size_inches()
        assert (box.width * width, box.height * height) == pytest.approx((2, 1))
        assert height > 2
        assert width > 4

    def test_without_a_name_for_the_axis_it_grows_upwards_only(self) -> None:
        assert dress(self.bare(), Caption("title")).get_figwidth() == pytest.approx(4)

    def test_all_that_is_measured_in_points_shrinks_with_the_figure(self) -> None:
        figure = dress(self.bare(), Caption("title", ("detail",), "upward"))
        width = 72 * figure.get_figwidth()
        before = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
        shifts = [text.xyann for text in figure.findobj(Annotation)]
        (line,) = figure.axes[0].get_lines()
        thick = line.get_linewidth()
        narrow(figure, width / 2)
        after = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
        assert after == pytest.approx([size / 2 for size in before])
        assert [t.xyann for t in figure.findobj(Annotation)] == [(x / 2, y / 2) for x, y in shifts]
        assert line.get_linewidth() == thick / 2
        assert 72 * figure.get_figwidth() == pytest.approx(width / 2)


def kinds(figures: list[whole.Named]) -> dict[str, whole.Named]:
    """A figure of each kind, and the busiest of them."""
    table, runs = stored([noise(20) + STEP])
    chosen = dict(zip(names(figures), figures, strict=True))
    picked = ("attention-latency-train-seq", "lstm-peak-memory-forward-batch",
              "dense-items-per-s-train-batch", "frameworks-train-torch-eager-cpu",
              "roofline-train-cpu-float32-1-thread-box",
              "directions-train-cpu-float32-1-thread",
              next(name for name in chosen if name.startswith("speedup-lstm")))  # fmt: skip
    (history,) = (named for named in whole.every(table, runs) if named.parts[0] == "history")
    long = frame([row(reason="x", params={"units": 256, "kernel_size": 1024, "dilation": 16})])
    (of_case,) = (n for n in whole.every(long, [], samples(long, 40)) if n.parts[0] == "samples")
    return {**{name: chosen[name] for name in picked}, "history": history, "samples": of_case}


KINDS = (
    *("attention", "lstm", "dense", "frameworks", "roofline", "directions", "speedup"),
    *("history", "samples"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_cut_off_or_runs_into_the_title(kind: str, figures: list[whole.Named]) -> None:
    named = next(one for name, one in kinds(figures).items() if name.startswith(kind))
    figure = named.draw()
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    strip = figure.axes[-1]
    floor = strip.get_window_extent().y0
    for text in figure.findobj(Text):
        if not text.get_text() or not text.get_visible():
            continue
        box = text.get_window_extent()
        assert box.x0 >= -1, text.get_text()
        assert box.x1 <= width + 1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.y1 <= height + 1, text.get_text()
        if text.axes is not strip and text.get_rotation() == 0:
            assert box.y1 <= floor + 2, text.get_text()


class TestImages:
    @pytest.fixture(scope="class")
    def named(self, figures: list[whole.Named]) -> whole.Named:
        return kinds(figures)["attention-latency-train-seq"]

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_drawn_twice_they_are_the_same_bytes(self, named: whole.Named, suffix: str) -> None:
        once, again = (image(narrow(named.draw(), COLUMN), suffix, "name") for _ in range(2))
        assert once == again

    def test_other_processes_write_the_same_bytes(self) -> None:
        code = (
            "import hashlib, sys\nfrom frames import quick, run\n"
            "from harness.report.figures import whole\n"
            "from harness.report.figures.files import FORMATS, image\n"
            "named = next(iter(whole.every(quick(), [run()])))\n"
            "for suffix in FORMATS:\n"
            "    print(hashlib.sha256(image(named.draw(), suffix, 'name')).hexdigest())"
        )
        root = Path(harness.__file__).parents[1]
        paths = os.pathsep.join([str(root), str(root / "tests")])
        said = {
            subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed},
            ).stdout
            for seed in ("1", "2")
        }
        assert len(said) == 1

    def test_a_png_is_a_column_wide_at_300_dpi_on_white(self, named: whole.Named) -> None:
        content = image(narrow(named.draw(), COLUMN), "png", "name")
        pixels = imread(io.BytesIO(content))
        assert pixels.shape[1] == 1050
        assert (pixels[0, 0, :3] == 1).all()
        assert b"Software" not in content

    def test_an_svg_holds_its_text_and_no_date(self, named: whole.Named) -> None:
        content = image(narrow(named.draw(), COLUMN), "svg", "name")
        root = ElementTree.fromstring(content)
        assert root.get("width") == "252pt"
        assert {"attention", "Latency", "torch eager"} <= set(
            "\n".join(root.itertext()).split("\n")
        )
        assert b"dc:date" not in content
        assert b"title:" not in content.replace(b"dc:title", b"")

    def test_a_pdf_embeds_truetype_and_has_no_date(self, named: whole.Named) -> None:
        content = image(narrow(named.draw(), COLUMN), "pdf", "name")
        assert b"/CIDFontType2" in content or b"/TrueType" in content
        assert b"/Type3" not in content
        assert b"CreationDate" not in content

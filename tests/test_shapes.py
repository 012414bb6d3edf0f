"""Sweeps of a model: shapes with how often each occurs, from the file to the frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import catalogue, sweep
from harness.shapes import Use
from harness.types import Case, UsageError

MODEL = """
model = "tiny"
framework = ["*"]
device = ["cpu"]
mode = ["forward"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [2, 4]
"""
SHAPES = """
[[shape]]
layer = "dense"
count = 3
rows = 16
params = { in_features = 8, activation = "linear" }
[[shape]]
layer = "lstm"
count = 1
seq = 16
[[shape]]
layer = "dense"
count = 2
rows = 16
params = { in_features = 8, activation = "linear" }
"""


def read(tmp_path: Path, text: str) -> sweep.Sweep:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return sweep.read(str(path))


def plan(found: sweep.Sweep) -> list[Case]:
    return sweep.plan(found, catalogue.load(), ("torch",), ("cpu",))


def test_a_shape_is_planned_once_a_batch_of_the_model_with_the_rows_of_its_own(
    tmp_path: Path,
) -> None:
    cases = plan(read(tmp_path, MODEL + SHAPES))
    assert [(case.layer, case.batch, case.seq) for case in cases] == [
        ("dense", 32, None),
        ("dense", 64, None),
        ("lstm", 2, 16),
        ("lstm", 4, 16),
    ]
    first = catalogue.load()["dense"].presets["textbook"]
    wanted = {**first, "in_features": 8, "activation": "linear"}
    assert dict(cases[0].params) == wanted  # what is not named is as in the first preset


def test_shapes_of_one_size_occur_together(tmp_path: Path) -> None:
    found = read(tmp_path, MODEL + SHAPES)
    cases = plan(found)
    uses = sweep.uses(found, catalogue.load(), cases)
    assert [uses[case] for case in cases] == [Use(2, 5), Use(4, 5), Use(2, 1), Use(4, 1)]


def test_a_case_that_is_in_the_model_at_two_batches_is_refused(tmp_path: Path) -> None:
    single = '[[shape]]\nlayer = "dense"\ncount = 1\nrows = {}\n'
    found = read(tmp_path, MODEL + single.format(8) + single.format(16))
    with pytest.raises(UsageError, match=r"dense/.*/b32-.* is in the model at batch 4 and 2"):
        sweep.uses(found, catalogue.load(), plan(found))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (MODEL, r"its name, model = .*, and a \[\[shape\]\] or more"),
        (MODEL.replace('model = "tiny"', "") + SHAPES, "a sweep of a model has its name"),
        (MODEL + 'layers = ["dense"]\n' + SHAPES, "layers beside .*: each shape says its own"),
        (MODEL + "seq = [16]\n" + SHAPES, "seq beside .*: each shape says its own"),
        (MODEL + 'shape = "dense"', r"shape is not a list of tables"),
        (MODEL + '[[shape]]\nlayer = "dense"', "shape 1 says nothing of its count"),
        (MODEL + '[[shape]]\nlayer = "dense"\ncount = 0', "shape 1: count 0 is not 1 or more"),
        (MODEL + '[[shape]]\nlayer = "dense"\ncount = 1\nrow = 2', "key of shape 1 'row'"),
        (
            MODEL + '[[shape]]\nlayer = "dense"\ncount = 1\nparams = 3',
            "shape 1: params = 3 is not a table",
        ),
    ],
)
def test_a_file_that_is_not_understood_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ('layer = "dens"\ncount = 1', "unknown layer 'dens'; nearest: dense"),
        (
            'layer = "dense"\ncount = 1\nparams = { units = 3 }',
            "unknown parameter of layer dense 'units'",
        ),
        ('layer = "dense"\ncount = 1\nseq = 3', "layer dense: it has no sequence length"),
        ('layer = "lstm"\ncount = 1', "layer lstm: it needs a sequence length"),
    ],
)
def test_a_shape_that_its_layer_cannot_have_is_refused(
    tmp_path: Path, shape: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        plan(read(tmp_path, f"{MODEL}[[shape]]\n{shape}"))


def test_the_batch_of_a_model_is_a_number(tmp_path: Path) -> None:
    text = MODEL.replace("[2, 4]", '["tokens=64"]')
    with pytest.raises(UsageError, match="batch tokens=64: that of a model is a number"):
        plan(read(tmp_path, text + SHAPES))

"""From sweep files and flags to cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_runs import request

from harness import catalogue, runner, sweep
from harness.runner import Request
from harness.types import UsageError

AXES = """
framework = ["*"]
device = ["cpu"]
mode = ["forward", "train"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [1, 32]
seq = [16, 64]
"""


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def plan(name: str, frameworks: tuple[str, ...] = ("torch", "tensorflow")) -> list[Any]:
    return sweep.plan(sweep.read(name), catalogue.load(), frameworks, ("cpu",))


def test_every_sweep_of_the_project_can_be_planned() -> None:
    for name in sweep.names():
        assert len(plan(name)) > 50


def test_quick_has_every_layer_both_frameworks_two_batches_two_lengths_and_both_modes() -> None:
    cases = plan("quick")
    assert {case.layer for case in cases} == set(catalogue.load())
    for layer in {case.layer for case in cases}:
        mine = [case for case in cases if case.layer == layer]
        assert {case.framework for case in mine} == {"torch", "tensorflow"}
        assert len({case.batch for case in mine}) == 2
        assert len({case.seq for case in mine}) == (2 if mine[0].seq else 1)
        assert {case.mode for case in mine} == {"forward", "train"}
    assert len(cases) == len({case.id for case in cases})


def test_a_layer_without_a_sequence_is_not_swept_over_lengths(tmp_path: Path) -> None:
    name = written(tmp_path, AXES + 'layers = ["dense", "lstm"]')
    cases = plan(name, ("torch",))
    assert [case.seq for case in cases if case.layer == "dense"] == [None] * 4
    assert len([case for case in cases if case.layer == "lstm"]) == 8


def test_the_narrower_table_wins(tmp_path: Path) -> None:
    text = AXES + (
        'layers = ["dense", "conv2d"]\n'
        "[framework_axes.tensorflow]\nbatch = [2]\n[layer_axes.conv2d]\nbatch = [3]\n"
    )
    batches = {(case.framework, case.layer): case.batch for case in plan(written(tmp_path, text))}
    assert batches[("tensorflow", "dense")] == 2
    assert batches[("tensorflow", "conv2d")] == 3
    assert batches[("torch", "dense")] == 32


def test_all_presets_or_the_first(tmp_path: Path) -> None:
    first = plan(written(tmp_path, AXES + 'layers = ["dense"]'))
    every = plan(written(tmp_path, AXES + 'layers = ["dense"]\npresets = "all"'))
    assert len(every) == len(first) * len(catalogue.load()["dense"].presets)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("batch = ", "Invalid value"),
        (AXES.replace("batch = [1, 32]", ""), "no values for batch"),
        (AXES.replace("[1, 32]", "[0]"), "batch 0 is not 1 or more"),
        (AXES.replace("[1, 32]", '["a"]'), "batch 'a' is not a whole number"),
        (AXES.replace("[1, 32]", "3"), "batch = 3 is not a list"),
        (AXES.replace('"train"', '"trian"'), "unknown mode 'trian'; nearest: train"),
        (AXES + "bacth = [1]", "unknown key 'bacth'; nearest: batch"),
        (AXES + 'passes = "three"', "passes = 'three' is not of type int"),
        (AXES + 'presets = "some"', "it is 'first' or 'all'"),
        (AXES + "[layer_axes.lstm]\nunits = [1]", "unknown axis 'units'"),
    ],
)
def test_a_broken_sweep_file_is_told_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    name = written(tmp_path, text)
    with pytest.raises(UsageError, match=r"mine\.toml") as error:
        sweep.read(name)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"layers": ("lsmt",)}, "unknown layer 'lsmt'; nearest: lstm"),
        ({"sweep": "quik"}, "unknown sweep 'quik'; nearest: quick"),
        ({"sweep": "absent.toml"}, "does not exist"),
        ({"axes": {"framework": ["troch"]}}, "unknown framework 'troch'; nearest: torch"),
        ({"axes": {"device": ["tpu"]}}, "unknown device 'tpu'"),
        ({"axes": {"threads": [4096]}}, "4096 threads were asked for"),
        ({"params": {"hiden_size": [1]}}, "nearest: hidden_size"),
        ({"suites": ("absent.py",)}, "absent.py does not exist"),
        ({"suites": ("absent_module",)}, "no suite 'absent_module'"),
        ({"cases": ("lstm/torch/cpu/train/eager/float32/b1",)}, "takes the parameters"),
        (
            {
                "cases": (
                    "dense/torch/cpu/train/eager/float32/b1-s3-in_features=1-out_features=1-activation=relu",
                )
            },
            "has no a sequence length",
        ),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(
    changes: dict[str, Any], complaint: str
) -> None:
    changes = {"axes": {"framework": ["torch"]}, **changes}
    with pytest.raises(UsageError) as error:
        runner.make_plan(Request(**changes))
    assert complaint in str(error.value)


def test_a_case_typed_back_is_all_that_is_measured() -> None:
    name = "scale/fake/cpu/forward/eager/float32/b7-us=33"
    chosen = runner.make_plan(request(cases=(name,)))
    assert [case.id for case in chosen.cases] == [name]


def test_the_command_line_wins_over_the_sweeps_special_cases() -> None:
    chosen = runner.make_plan(
        Request(layers=("dense",), axes={"framework": ["tensorflow"], "execution": ["compiled"]})
    )
    assert {case.execution for case in chosen.cases} == {"compiled"}

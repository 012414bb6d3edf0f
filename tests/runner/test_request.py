"""From what someone asks for to a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_runs import SUITE, request

from harness import frameworks, runner
from harness.devices import machine
from harness.runner import Request
from harness.types import UsageError

DENSE = "dense/torch/cpu/train/eager/float32/b1-in_features=1-out_features=1-activation=relu"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"layers": ("lsmt",)}, "unknown layer 'lsmt'; nearest: lstm"),
        ({"layers": [3]}, "layers: 3 is not a name"),
        ({"sweep": "quik"}, "unknown sweep 'quik'; nearest: quick"),
        ({"sweep": 3}, "sweep: 3 is not a name"),
        ({"sweep": "absent.toml"}, "does not exist"),
        ({"axes": {"bacth": [1]}}, "unknown axis 'bacth'; nearest: batch"),
        ({"axes": {"framework": ["troch"]}}, "unknown framework 'troch'; nearest: torch"),
        ({"axes": {"device": ["tpu"]}}, "unknown device 'tpu'"),
        ({"axes": {"threads": [4096]}}, "4096 threads were asked for"),
        ({"axes": {"batch": [True]}}, "batch True is not a whole number"),
        ({"axes": {"batch": 2.0}}, "batch 2.0 is not a whole number"),
        ({"axes": {"batch": "4"}}, "batch '4' is not a whole number"),
        ({"axes": {"batch": []}}, "is not a list of values"),
        ({"axes": {"batch": {"a": 1}}}, "neither a value nor a list of values"),
        ({"params": {"hiden_size": [1]}}, "nearest: hidden_size"),
        ({"params": ["hidden_size"]}, "is not a dictionary of values by name"),
        ({"params": {"hidden_size": None}}, "hidden_size = None is of type NoneType"),
        ({"params": {"hidden_size": float("nan")}}, "is not a finite number"),
        ({"suites": ("absent.py",)}, "absent.py does not exist"),
        ({"suites": ("absent_module",)}, "no suite 'absent_module'"),
        ({"suites": [3]}, "suites: 3 is not a name"),
        ({"passes": 0}, "passes 0 is not 1 or more"),
        ({"passes": -1}, "passes -1 is not 1 or more"),
        ({"passes": "3"}, "passes '3' is not a whole number"),
        ({"budget_s": "soon"}, "'soon' is not a duration"),
        ({"budget_s": -1}, "budget_s = -1 is not above 0"),
        ({"budget_s": float("inf")}, "budget_s = inf is not above 0"),
        ({"timeout_s": True}, "timeout_s = True is not a number"),
        ({"cases": "lstm/torch/cpu/train/eager/float32/b1-s2"}, "takes the parameters"),
        ({"cases": DENSE.replace("-in", "-s3-in")}, "has no sequence length"),
        ({"cases": DENSE.replace("b1", "b0")}, "batch 0 is not 1 or more"),
        ({"cases": DENSE.replace("dense", "*")}, "unknown layer '*'"),
        ({"cases": DENSE.replace("train", "*")}, "unknown mode '*'"),
        ({"cases": DENSE + "-in_features=2"}, "takes the parameters"),
        ({"layers": "dense", "params": {"activation": "sigmoid"}}, "no activation 'sigmoid'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UsageError) as error:
        runner.make_plan(Request.of(**{"axes": {"framework": "torch"}, **changes}))
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("loose", "strict"),
    [
        ({"layers": "dense"}, {"layers": ("dense",)}),
        ({"sweep": Path("my.toml")}, {"sweep": "my.toml"}),
        ({"suites": Path("a.py")}, {"suites": ("a.py",)}),
        ({"suites": ["b.py", Path("a.py")]}, {"suites": ("b.py", "a.py")}),
        ({"axes": {"framework": "torch"}}, {"axes": {"framework": ("torch",)}}),
        ({"axes": {"batch": 1, "seq": range(2, 4)}}, {"axes": {"batch": (1,), "seq": (2, 3)}}),
        ({"axes": {"batch": np.int64(3)}}, {"axes": {"batch": (3,)}}),
        ({"axes": {"batch": np.array([1, 2])}}, {"axes": {"batch": (1, 2)}}),
        ({"axes": {"batch": [np.int32(3)]}}, {"axes": {"batch": (3,)}}),
        ({"params": {"units": 64}}, {"params": {"units": (64,)}}),
        ({"params": {"units": [np.float64(0.5)]}}, {"params": {"units": (0.5,)}}),
        ({"budget_s": "10m"}, {"budget_s": 600.0}),
        ({"rel_ci": "2%"}, {"rel_ci": 0.02}),
        ({"passes": np.int64(2)}, {"passes": 2}),
        ({"passes": None}, {}),
    ],
)
def test_looser_forms_are_brought_to_one(loose: dict[str, Any], strict: dict[str, Any]) -> None:
    request = Request.of(**loose)
    assert request == Request(**strict)
    numbers = [value for values in request.axes.values() for value in values]
    assert not any(isinstance(value, np.generic) for value in (*numbers, request.passes))


def test_a_case_typed_back_is_all_that_is_measured() -> None:
    name = "scale/fake/cpu/forward/eager/float32/b7-us=33"
    chosen = runner.make_plan(request(cases=(name, name)))
    assert [case.id for case in chosen.cases] == [name]


def test_a_case_typed_in_another_order_is_the_same_case() -> None:
    typed = DENSE.replace("in_features=1-out_features=1", "out_features=1-in_features=1")
    assert [case.id for case in runner.make_plan(Request(cases=(typed,))).cases] == [DENSE]


def test_the_command_line_wins_over_the_sweeps_special_cases() -> None:
    chosen = runner.make_plan(
        Request(layers=("dense",), axes={"framework": ["tensorflow"], "execution": ["compiled"]})
    )
    assert {case.execution for case in chosen.cases} == {"compiled"}


SWEEP = """
layers = ["scale", "noisy"]
framework = ["fake"]
device = ["cpu"]
mode = ["forward"]
execution = ["eager"]
dtype = ["float32"]
threads = [1]
batch = [1]
seq = [1]
[layer_axes.scale]
"""


def test_axes_of_a_device_that_there_never_is_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SWEEP + "[device_axes.cdua]\nseq = [2]", encoding="utf-8")
    with pytest.raises(UsageError, match="unknown device 'cdua'; nearest: cuda"):
        runner.make_plan(Request(str(path), suites=(SUITE,)))


@pytest.mark.parametrize(
    ("axes", "complaint"),
    [
        ('framework = ["torch"]', "framework torch is not installed; `pip install"),
        ('framework = ["troch"]', "unknown framework 'troch'; nearest: torch"),
        ('device = ["cuda"]', "device cuda is not on this machine; there is: cpu"),
        ('device = ["tpu"]', "unknown device 'tpu'"),
    ],
)
def test_what_a_layer_alone_takes_has_to_be_here_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, axes: str, complaint: str
) -> None:
    monkeypatch.setattr(frameworks, "installed", lambda name: name == "fake")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    path = tmp_path / "mine.toml"
    path.write_text(SWEEP + axes, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        runner.make_plan(Request(str(path), suites=(SUITE,)))
    assert complaint in str(error.value)
    # A layer that is not asked for asks for nothing.
    assert runner.make_plan(Request(str(path), layers=("noisy",), suites=(SUITE,))).cases


def test_no_framework_at_all_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frameworks, "installed", lambda name: False)
    with pytest.raises(UsageError, match="is not installed; `pip install"):
        runner.make_plan(Request())


def own_layer(tmp_path: Path, inputs: str, **changes: Any) -> Request:
    """A request for a layer whose inputs are declared by that statement."""
    path = tmp_path / "own_suite.py"
    path.write_text(
        "import dataclasses\nimport fake_suite\nfrom harness.types import UsageError\n"
        f"def _inputs(c):\n    {inputs}\n"
        "OWN = dataclasses.replace(fake_suite.SCALE, name='own', inputs=_inputs)\n",
        encoding="utf-8",
    )
    return request(layers=("own",), suites=(str(path),), **changes)


def test_a_layer_that_refuses_its_parameters_is_heard_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    refusing = "raise UsageError(f'own cannot take {c.us} us')"
    with pytest.raises(UsageError, match="own cannot take 7 us"):
        runner.make_plan(own_layer(tmp_path, refusing, params={"us": [7]}))


@pytest.mark.parametrize("inputs", ["raise ValueError('broken')", "raise SystemExit(3)"])
def test_an_error_of_the_layers_own_is_left_to_its_rows(tmp_path: Path, inputs: str) -> None:
    assert len(runner.make_plan(own_layer(tmp_path, inputs)).cases) == 1


def begun(tmp_path: Path, **changes: Any) -> Path:
    """A run whose ``run.json`` says something else."""
    run = runner.begin(runner.make_plan(request()), tmp_path, "test")
    path = run.folder / "run.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return run.folder


def test_a_run_goes_on_where_it_was_begun_only(tmp_path: Path) -> None:
    folder = begun(tmp_path, machine={"machine_id": "another"})
    with pytest.raises(UsageError, match=r"begun on another and this is .+; go on with it there"):
        runner.continued(folder, [SUITE])


def test_a_run_goes_on_with_the_frameworks_it_was_begun_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begun(tmp_path)
    assert runner.continued(folder, [SUITE])[0].folder == folder
    monkeypatch.setattr(frameworks, "installed", lambda name: False)
    with pytest.raises(UsageError, match="framework fake is not installed"):
        runner.continued(folder, [SUITE])


@pytest.mark.parametrize("below", [".", "deeper/still"])
def test_results_that_cannot_be_written_are_told_before_anything_is_measured(
    tmp_path: Path, below: str
) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(UsageError, match=r"cannot write to .*plain.*; name another folder"):
        runner.begin(runner.make_plan(request()), plain / below, "test")


def test_compilation_takes_time_in_the_estimate() -> None:
    def estimate(execution: str) -> float:
        axes = {"framework": ["torch", "tensorflow"], "execution": [execution], "mode": ["train"]}
        return runner.make_plan(Request(layers=("dense",), axes=axes, passes=2)).estimate_s

    assert estimate("eager") < estimate("compiled")


def test_a_plan_is_of_this_machine(tmp_path: Path) -> None:
    run = runner.begin(runner.make_plan(request()), tmp_path, "test")
    assert run.folder.parent.name == machine.describe()["machine_id"]


@pytest.mark.parametrize(
    ("layer", "name", "value", "complaint"),
    [
        ("lstm", "hidden_size", "abc", "hidden_size = 'abc' is not a whole number, such as 64"),
        ("lstm", "hidden_size", 2.5, "hidden_size = 2.5 is not a whole number"),
        ("lstm", "hidden_size", True, "hidden_size = True is not a whole number"),
        ("lstm", "hidden_size", 0, "layer lstm: hidden_size = 0 is not 1 or more"),
        ("dense", "activation", 3, "activation = 3 is not text, such as 'relu'"),
        ("dropout", "p", 1.5, "layer dropout: p = 1.5 is not 0 or more and less than 1"),
        ("dropout", "p", 1, "layer dropout: p = 1 is not 0 or more and less than 1"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused_before_anything_is_measured(
    layer: str, name: str, value: Any, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        runner.make_plan(runner.Request(layers=(layer,), params={name: [value]}))


def test_a_whole_number_will_do_where_any_number_would() -> None:
    plan = runner.make_plan(runner.Request(layers=("dropout",), params={"p": [0]}))
    assert all(dict(case.params)["p"] == 0 for case in plan.cases)


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"axes": {"seq": [64]}}, "seq"),
        ({"params": {"us": [1]}}, "param"),
        ({"presets": "all"}, "presets"),
    ],
)
def test_what_each_shape_of_a_model_says_cannot_be_asked_for(
    tmp_path: Path, changes: dict[str, Any], option: str
) -> None:
    path = tmp_path / "tiny.toml"
    axes = {"framework": "fake", "device": "cpu", "mode": "forward", "execution": "eager"}
    lines = [f'{axis} = ["{value}"]' for axis, value in (*axes.items(), ("dtype", "float32"))]
    text = "\n".join([*lines, "threads = [1]", "batch = [1]", 'model = "tiny"'])
    path.write_text(f'{text}\n[[shape]]\nlayer = "scale"\ncount = 1\n', encoding="utf-8")
    plan = runner.make_plan(Request(str(path), suites=(SUITE,)))
    assert [case.layer for case in plan.cases] == ["scale"]
    with pytest.raises(UsageError, match=rf"says its own; leave out --{option}, or"):
        runner.make_plan(Request(str(path), suites=(SUITE,), **changes))

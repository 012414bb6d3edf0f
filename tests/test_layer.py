"""A declaration that is not sound is refused where it stands, in one line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.checks import Allowed, check_layer_params
from harness.layer import Builder, Config, Layer, labels, normal, one_hot
from harness.types import UsageError

BUILDER = Builder(lambda c: None)
SOUND = Layer(
    name="sound",
    family="test",
    formula="y = x",
    presets={"default": {"features": 4}},
    inputs=lambda c: {"x": normal(c.batch, c.features)},
    output=lambda c: (c.batch, c.features),
    flops=lambda c: 0,
    reference=lambda inputs, weights, c: inputs["x"],
    builders={"torch": BUILDER},
)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"presets": {}}, "has no preset"),
        ({"presets": {"a": {"p": 1}, "b": {"q": 1}}}, "presets with different parameters"),
        ({"presets": {"a": {"kernel": (3, 3)}}}, "'a' .* kernel = .* of type tuple"),
        ({"presets": {"a": {"bias": None}}}, "bias = None is of type NoneType"),
        ({"presets": {"a": {"rate": float("nan")}}}, "rate = nan is not a finite number"),
        ({"presets": {"a": {"units": np.int64(3)}}}, "of type int64; it can be an int"),
        ({"presets": {"a": {"mode": "a/b"}}}, "may hold letters"),
        ({"presets": {"a": {"mode": "1e5"}}}, "read back as a number"),
        ({"presets": {"a": {"InChannels": 3}}}, "'InChannels' is not of the form lower_case"),
        ({"presets": {"a": {"batch": 3}}}, "'batch', which every config has"),
        (
            {"presets": {"a": {"units": 0}}, "allowed": {"units": Allowed()}},
            "does not allow: .* units = 0 is not 1 or more",
        ),
        ({"allowed": {"featurs": Allowed()}}, "says what 'featurs' may be"),
        ({"allowed": {"features": Allowed(divides="heads")}}, "says what 'heads' may be"),
        ({"name": "My Layer"}, "'My Layer' is not of the form lower_case"),
        ({"reference": None}, "needs a reference or a check"),
        ({"builders": {"pytorch": BUILDER}}, "builder 'pytorch'; it is called 'torch'"),
        ({"builders": {"tensorflow": BUILDER}}, "it is called 'keras'"),
        ({"lacking": {"tensorflow": "no kernel"}}, "it is called 'keras'"),
        ({"lacking": {"torch": "no kernel"}}, "a builder 'torch', and says why it lacks one"),
        ({"builders": {"torch": lambda c: None}}, "builder 'torch' that is no Builder"),
    ],
)
def test_what_is_wrong_with_a_declaration_is_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as error:
        replace(SOUND, **changes)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("layer ")


def test_a_config_without_a_sequence_does_not_pretend_to_have_one() -> None:
    with pytest.raises(UsageError, match="declare has_seq=True"):
        _ = Config(2, None, False, {}).seq
    assert Config(2, 16, False, {}).seq == 16


def test_a_config_names_the_parameters_that_there_are() -> None:
    with pytest.raises(
        AttributeError, match=r"no parameter .unit. .*: batch, seq, training, units"
    ):
        _ = Config(2, None, False, {"units": 3}).unit


def test_a_size_may_be_as_little_as_in_a_preset() -> None:
    presets = [{"padding": 1, "axis": -1}, {"padding": 0, "axis": -1}]
    check_layer_params("conv", {"padding": 0, "axis": -1}, presets, {})
    with pytest.raises(UsageError, match="padding = -1 is not 0 or more"):
        check_layer_params("conv", {"padding": -1, "axis": -1}, presets, {})


def test_labels_are_one_of_two_and_one_hot_rows_hold_a_single_one() -> None:
    rng = np.random.default_rng(0)
    signs = labels(1000, low=-1.0).draw(rng)
    assert set(signs) == {-1, 1}
    assert 400 < (signs > 0).sum() < 600
    rows = one_hot(200, 5).draw(rng)
    assert set(rows.ravel()) == {0, 1}
    assert (rows.sum(axis=-1) == 1).all()
    assert (rows.sum(axis=0) > 20).all()
    assert signs.dtype == rows.dtype == np.float32
    assert not labels(3).trainable
    assert not one_hot(3).trainable

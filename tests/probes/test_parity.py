"""The check that a framework computes the layer: what it lets pass, what it catches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.layer import (
    Array,
    Arrays,
    Builder,
    Config,
    Layer,
    Mismatch,
    Observation,
    glorot,
    normal,
    uniform,
)
from harness.probes import parity, reference
from harness.probes.parity import Outcome
from harness.problem import Problem, round_to
from harness.types import Case

BUILDER = Builder(lambda c: None, weights=lambda w, c: {"w": w["kernel"].T, "b": w["bias"]})


def layer(activation: Callable[[Array], Array] = np.tanh) -> Layer:
    return Layer(
        name="affine",
        family="test",
        formula="y = f(x W + b)",
        presets={"default": {}},
        inputs=lambda c: {"x": normal(c.batch, 6)},
        weights=lambda c: {"kernel": glorot(6, 5), "bias": normal(5, std=0.1)},
        output=lambda c: (c.batch, 5),
        flops=lambda c: c.batch * 5 * 12,
        reference=lambda x, w, c: activation(x["x"] @ w["kernel"] + w["bias"]),
        builders={"any": BUILDER},
    )


def problem(mode: str = "train", dtype: str = "float32", **changes: object) -> Problem:
    case = Case("affine", "any", "cpu", mode, "eager", dtype, 1, 8, None)
    declared = replace(layer(), **changes)  # type: ignore[arg-type]
    return Problem(case, declared, BUILDER)


def right(p: Problem) -> Outcome:
    """Output and gradients by the chain rule, in the layouts of the builder."""
    x, w, b = (
        values.astype(np.float64)
        for values in (p.inputs["x"], p.weights["kernel"], p.weights["bias"])
    )
    y = np.tanh(x @ w + b)
    inner = p.upstream * (1 - y**2)
    return Outcome(y, (inner @ w.T,), {"w": (x.T @ inner).T, "b": inner.sum(0)})


def test_the_right_answer_passes_with_hardly_an_error() -> None:
    assert parity.check(problem(), right(problem())) < 1e-8


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda o: replace(o, output=o.output * (1 + 1e-4)), "output differs"),
        (lambda o: replace(o, output=o.output * np.nan), "output differs"),
        (lambda o: replace(o, output=o.output.T), "output has shape"),
        (lambda o: replace(o, input_gradients=(o.input_gradients[0] * 1.001,)), "gradient of x"),
        (lambda o: replace(o, input_gradients=(o.input_gradients[0] * 0,)), "gradient of x"),
        (
            lambda o: replace(
                o, weight_gradients={**o.weight_gradients, "b": o.weight_gradients["b"][::-1]}
            ),
            "gradient of bias",
        ),
        (
            lambda o: replace(
                o, weight_gradients={**o.weight_gradients, "w": o.weight_gradients["w"].T}
            ),
            "gradient of w has shape",
        ),
    ],
)
def test_what_is_wrong_is_caught_and_named(
    change: Callable[[Outcome], Outcome], complaint: str
) -> None:
    with pytest.raises(Mismatch, match=complaint):
        parity.check(problem(), change(right(problem())))


def first_row_hangs_on_rounding(x: Arrays, w: Arrays, c: Config) -> Array:
    return np.arange(c.batch)[:, None] > 0


def test_a_result_that_hangs_on_rounding_is_neither_compared_nor_differentiated() -> None:
    p = problem(decided=first_row_hangs_on_rounding)
    assert not p.upstream[0].any()
    assert p.upstream[1:].all()
    outcome = right(p)
    outcome.output[0] += 1
    assert parity.check(p, outcome) < 1e-8
    outcome.output[1] += 1
    with pytest.raises(Mismatch, match="output differs"):
        parity.check(p, outcome)


def test_a_layer_of_which_hardly_anything_is_compared_does_not_pass() -> None:
    p = problem(decided=lambda x, w, c: np.arange(c.batch)[:, None] == 0)
    with pytest.raises(Mismatch, match="nothing to compare"):
        parity.check(p, right(p))


def test_a_case_that_is_too_large_to_be_checked_is_not_searched_for_close_choices() -> None:
    def fails(x: Arrays, w: Arrays, c: Config) -> Array:
        raise AssertionError("takes too long")

    p = problem(decided=fails, check_length=4)
    long = replace(p, case=replace(p.case, seq=5))
    assert long.upstream.all()


def test_one_wrong_element_of_a_gradient_is_caught() -> None:
    outcome = right(problem())
    outcome.input_gradients[0][3, 2] += 1e-3  # type: ignore[index]
    with pytest.raises(Mismatch, match="gradient of x"):
        parity.check(problem(), outcome)


def test_a_kink_does_not_spoil_the_reference_gradient() -> None:
    def relu(z: Array) -> Array:
        return np.maximum(z, 0)

    p = problem(reference=layer(relu).reference)
    # Put many pre-activations within a step of the kink.
    near = p.inputs["x"] @ p.weights["kernel"]
    p.weights["bias"] = -near[0].astype(np.float32) + np.float32(3e-7)
    x, w, b = (
        a.astype(np.float64) for a in (p.inputs["x"], p.weights["kernel"], p.weights["bias"])
    )
    inner = p.upstream * (x @ w + b > 0)
    outcome = Outcome(relu(x @ w + b), (inner @ w.T,), {"w": (x.T @ inner).T, "b": inner.sum(0)})
    assert parity.check(p, outcome) < 1e-5


def test_a_gradient_that_is_zero_by_nature_may_hold_rounding_errors() -> None:
    p = problem(reference=lambda x, w, c: np.tanh(x["x"] @ w["kernel"] + 0 * w["bias"]))
    outcome = right(problem())
    x, w = p.inputs["x"].astype(float), p.weights["kernel"].astype(float)
    y = np.tanh(x @ w)
    inner = p.upstream * (1 - y**2)
    noise = {"w": (x.T @ inner).T, "b": np.full(5, 1e-8)}
    assert parity.check(p, replace(outcome, output=y, input_gradients=(inner @ w.T,),
                                   weight_gradients=noise)) < 1e-6  # fmt: skip


def _steep(x: Array) -> Array:
    """Amplifies a relative error of its argument a hundredfold and more."""
    y: Array = np.exp(100 * x)
    return y


@pytest.mark.parametrize(("roundings", "passes"), [(1.0, True), (100.0, False)])
def test_an_error_passes_if_rounding_moves_the_reference_as_much(
    roundings: float, passes: bool
) -> None:
    p = problem("forward", reference=layer(_steep).reference)
    x, w, b = (
        a.astype(np.float64) for a in (p.inputs["x"], p.weights["kernel"], p.weights["bias"])
    )
    rng = np.random.default_rng(1)
    moved = x * (1 + roundings * 2.0**-24 * rng.choice([-1, 1], x.shape))
    exact, found = _steep(x @ w + b), _steep(moved @ w + b)
    error = np.abs(found - exact).max() / np.sqrt(np.mean(exact**2))
    assert error > parity.tolerance("float32", 12)  # beyond what a tame layer is allowed
    if passes:
        assert parity.check(p, Outcome(found)) == pytest.approx(error)
    else:
        with pytest.raises(Mismatch, match="output differs"):
            parity.check(p, Outcome(found))


@pytest.mark.parametrize("wrong", ["x", "w", "b"])
def test_tensors_that_are_moved_together_do_not_hide_each_others_errors(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(reference, "COSTLY_FLOPS", 10)
    p = problem()
    assert reference.groups(p) == [("x", "kernel", "bias")]
    assert parity.check(p, right(p)) < 1e-8
    outcome = right(p)
    changed = outcome.input_gradients[0] if wrong == "x" else outcome.weight_gradients[wrong]  # type: ignore[index]
    changed *= 1.001  # type: ignore[operator]
    with pytest.raises(Mismatch, match="gradient of x, kernel, bias differs"):
        parity.check(p, outcome)


def test_an_output_of_zeros_is_compared_like_any_other() -> None:
    p = problem("forward", reference=layer(lambda z: 0 * z).reference)
    assert parity.check(p, Outcome(np.zeros((8, 5)))) == 0
    with pytest.raises(Mismatch, match="output differs"):
        parity.check(p, Outcome(np.full((8, 5), 1e-3)))


def test_a_reference_of_another_shape_than_declared_is_told() -> None:
    p = problem("forward", output=lambda c: (c.batch, 7))
    with pytest.raises(ValueError, match=r"declares an output of shape \(8, 7\), its reference"):
        parity.check(p, right(problem("forward")))


def test_a_reference_that_overflows_is_told() -> None:
    p = problem("forward", reference=layer(lambda z: z / 0).reference)
    with np.errstate(all="ignore"), pytest.raises(Mismatch, match="not finite"):
        parity.check(p, right(problem("forward")))


def test_tolerance_grows_with_the_sum_and_with_the_dtype() -> None:
    assert parity.tolerance("float32", 10) < parity.tolerance("float32", 10_000) < 1e-3
    assert parity.tolerance("float32", 1) < parity.tolerance("float16", 1)
    assert parity.tolerance("float16", 1) < parity.tolerance("bfloat16", 1) < 0.2


def test_the_reference_is_computed_once_for_all_processes(tmp_path: Path) -> None:
    parity.check(problem(), right(problem()), tmp_path)
    silent = problem(reference=lambda x, w, c: 1 / 0)
    assert parity.check(silent, right(silent), tmp_path) < 1e-8


def test_values_are_rounded_to_the_dtype_before_anyone_sees_them() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, 3.14159274], dtype=np.float32)
    assert round_to("bfloat16", values).tolist() == [1.0, 1.0, 1.015625, 3.140625]
    assert round_to("float16", values)[3] == np.float16(np.pi)
    assert round_to("bfloat16", np.array([1, 2])).dtype == np.int64


def test_the_upstream_gradient_follows_the_outputs_layout() -> None:
    flipped = replace(BUILDER, output=lambda y, c: np.moveaxis(y, -1, 0))
    p = replace(problem(), builder=flipped)
    native = p.native_upstream((5, 8))
    assert np.array_equal(np.moveaxis(native, -1, 0), p.upstream)


def test_work_is_counted_by_mode() -> None:
    forward, train = problem("forward"), problem("train")
    assert forward.flops == 8 * 5 * 12
    assert train.flops == 3 * forward.flops + 2 * 35
    assert forward.bytes == 4 * (48 + 35 + 40)
    assert train.bytes == 4 * ((48 + 35 + 40) + (48 + 35 + 40 + 48 + 35) + 3 * 35)


def test_a_reference_in_float32_is_refused() -> None:
    p = problem("forward", reference=lambda x, w, c: np.zeros((8, 5), np.float32))
    with pytest.raises(ValueError, match="gives float32; it has to compute in float64"):
        parity.check(p, right(problem("forward")))


def test_a_reference_that_rounds_within_is_refused_rather_than_believed() -> None:
    def rounds(z: Array) -> Array:
        y: Array = np.tanh(z.astype(np.float32)).astype(np.float64)
        return y

    p = problem("train", reference=layer(rounds).reference)
    with pytest.raises(ValueError, match="do not settle"):
        parity.check(p, right(problem()))


def test_a_reference_cannot_change_its_inputs() -> None:
    def changes(x: Arrays, w: Arrays, c: Config) -> Array:
        values = x["x"]
        values -= values.mean()
        return values

    with pytest.raises(ValueError, match="read-only"):
        parity.check(problem("forward", reference=changes), right(problem("forward")))


def test_inputs_may_be_mapped_by_any_affine_function() -> None:
    shifted = replace(BUILDER, inputs=lambda i, c: (1 - i["x"], np.float32(3) + 0 * i["x"]))
    p = replace(problem(), builder=shifted)
    assert p.differentiated() == (True, False)
    outcome = right(problem())
    gradients = (-outcome.input_gradients[0], None)  # type: ignore[operator]
    assert parity.check(p, replace(outcome, input_gradients=gradients)) < 1e-8


def test_a_check_of_its_own_sees_gradients_in_canonical_layout() -> None:
    seen = []

    def look(observation: Observation, c: Config, tolerance: float) -> float:
        seen.append(observation.input_gradients["x"])
        return 0.0

    p = problem(check=look)
    moved = replace(p, builder=replace(BUILDER, inputs=lambda i, c: (i["x"].T,)))
    outcome = right(p)
    (gradient,) = outcome.input_gradients
    assert gradient is not None
    parity.check(moved, replace(outcome, input_gradients=(gradient.T,)))
    np.testing.assert_array_equal(seen, [gradient])


def test_no_claim_of_many_operations_lets_a_wrong_output_pass() -> None:
    p = problem("forward", flops=lambda c: 10**22)
    outcome = right(problem("forward"))
    with pytest.raises(Mismatch, match="output differs"):
        parity.check(p, replace(outcome, output=outcome.output * 1.01))


@pytest.mark.parametrize("count", [None, -3, float("nan"), float("inf"), "many"])
def test_a_count_that_is_none_is_named(count: object) -> None:
    p = problem("forward", flops=lambda c: count)
    with pytest.raises(ValueError, match=r"flops gives .*; it gives a number, 0 or more"):
        _ = p.flops


def test_no_drawn_value_lies_on_a_kink_at_zero() -> None:
    for tensor in (normal(3000, 3000), uniform(3000, 3000, low=-1.0, high=1.0)):
        values = tensor.draw(np.random.default_rng(0))
        assert np.count_nonzero(values) == values.size
        assert np.count_nonzero(round_to("float16", values)) == values.size
    assert not normal(4, std=0.0).draw(np.random.default_rng(0)).any()

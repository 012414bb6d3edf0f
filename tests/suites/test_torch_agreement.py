"""In torch, in float64, each layer is its reference, and its gradients are the reference's."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import Outcome, deviations, right, wrong

from harness.problem import Problem

torch = pytest.importorskip("torch", reason="torch is not installed")

RIGHT, WRONG = right("torch"), wrong("torch")


def evaluate(problem: Problem) -> Outcome:
    builder, config = problem.builder, problem.config
    module = builder.build(config)
    parameters = {}
    if isinstance(module, torch.nn.Module):
        module.double().train(config.training)
        parameters = dict(module.named_parameters())
        tensors = parameters | dict(module.named_buffers())
        weights = problem.native_weights()
        assert parameters.keys() <= weights.keys()
        with torch.no_grad():
            for name, values in weights.items():
                assert tensors[name].shape == values.shape
                tensors[name].copy_(torch.tensor(values))
    inputs = [
        torch.tensor(values, dtype=torch.float64, requires_grad=config.training)
        for values in problem.native_inputs()
    ]
    with torch.set_grad_enabled(config.training):
        output = builder.call(module, config, *inputs)
    if not config.training:
        return output.numpy(), (), {}
    upstream = torch.tensor(problem.native_upstream(output.shape), dtype=torch.float64)
    gradients = [
        gradient.numpy()
        for gradient in torch.autograd.grad(output, [*inputs, *parameters.values()], upstream)
    ]
    of_weights = dict(zip(parameters, gradients[len(inputs) :], strict=True))
    return output.detach().numpy(), tuple(gradients[: len(inputs)]), of_weights


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", RIGHT)
def test_torch_computes_the_reference_and_its_gradients(name: str) -> None:
    found = deviations(RIGHT[name], evaluate)
    assert found["output"] < 1e-12
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=1e-7)


@pytest.mark.parametrize("name", WRONG)
def test_a_torch_layer_that_is_set_up_wrongly_shows(name: str) -> None:
    assert deviations(WRONG[name], evaluate)["output"] > 1e-4


def test_torch_moves_running_statistics_by_a_tenth_with_the_unbiased_variance() -> None:
    problem = RIGHT["batch_norm-train-3-1-native"]
    module = problem.builder.build(problem.config).train()
    x = problem.inputs["x"]
    module(torch.tensor(x))
    variance = 0.9 + 0.1 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(module.running_mean.numpy(), 0.1 * x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(module.running_var.numpy(), variance, rtol=1e-5)

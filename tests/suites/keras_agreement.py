"""Prints, as JSON, how far each Keras builder is from its reference on TensorFlow.

A program of its own, since TensorFlow and torch never share a process.
"""

from __future__ import annotations

import json

import keras
import numpy as np
import tensorflow as tf
from agreement import Outcome, deviations, right, wrong

from harness.layer import Observation
from harness.problem import Problem
from harness.types import Case
from suites.regularization import DROPOUT


def evaluate(problem: Problem) -> Outcome:
    builder, config = problem.builder, problem.config
    module = builder.build(config)
    inputs = [tf.constant(values) for values in problem.native_inputs()]
    builder.call(module, config, *inputs)
    set_weights(module, problem)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = builder.call(module, config, *inputs)
    if not config.training:
        return output.numpy(), (), {}
    weights = module.trainable_variables
    upstream = tf.constant(problem.native_upstream(tuple(output.shape)))
    sources = [*inputs, *(weight.value for weight in weights)]
    gradients = [gradient.numpy() for gradient in tape.gradient(output, sources, upstream)]
    names = [
        next(name for name in problem.native_weights() if names_it(name, weight))
        for weight in weights
    ]
    of_weights = dict(zip(names, gradients[len(inputs) :], strict=True))
    return output.numpy(), tuple(gradients[: len(inputs)]), of_weights


def names_it(name: str, variable: keras.Variable) -> bool:
    return f"/{variable.path}".endswith(f"/{name}")


def set_weights(module: keras.Layer, problem: Problem) -> None:
    """Every weight is named once, and every name names one."""
    named = []
    for name, values in problem.native_weights().items():
        (variable,) = (v for v in module.variables if names_it(name, v))
        assert tuple(variable.shape) == values.shape, (name, variable.shape, values.shape)
        variable.assign(values)
        named.append(variable.path)
    assert {v.path for v in module.trainable_variables} <= set(named)


def dropout_error() -> float:
    """What the layer's own check says of Keras's dropout."""
    params = tuple(DROPOUT.presets["bert_base_ffn"].items())
    where = ("dropout", "any", "cpu", "train", "eager", "float32")
    problem = Problem(Case(*where, 1, 32, None, params), DROPOUT, DROPOUT.builders["keras"])
    output, (gradient,), _ = evaluate(problem)
    inputs = {name: values.astype(np.float64) for name, values in problem.inputs.items()}
    seen = Observation(inputs, output, problem.upstream, {"x": gradient})
    assert DROPOUT.check is not None
    return DROPOUT.check(seen, problem.config, 1e-5)


def moving_statistics_error() -> float:
    """How far one update in training is from a tenth of the batch's, its variance biased."""
    problem = right("keras")["batch_norm-train-3-1-native"]
    module = problem.builder.build(problem.config)
    x = problem.inputs["x"]
    problem.builder.call(module, problem.config, x)
    mean = module.moving_mean - 0.1 * x.mean(axis=0)
    variance = module.moving_variance - (0.9 + 0.1 * x.var(axis=0))
    return float(np.abs([mean, variance]).max())


print(
    json.dumps(
        {
            "right": {name: deviations(p, evaluate) for name, p in right("keras").items()},
            "wrong": {name: deviations(p, evaluate) for name, p in wrong("keras").items()},
            "dropout": dropout_error(),
            "moving statistics": moving_statistics_error(),
        }
    )
)

"""Connectionist temporal classification: the loss of a sequence of labels without their places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Config, Layer, Tensor, normal
from suites.loss.declaration import Presets, keras_loss, loss, torch_loss

_PRESETS: Presets = {
    "textbook": {"classes": 11, "labels": 3},  # ten digits and the blank
    # Characters, and a word or two: Deep Speech 2, Amodei et al. (2016), arXiv:1512.02595.
    "deep_speech_2": {"classes": 29, "labels": 8},
}


def _inputs(c: Config) -> Mapping[str, Tensor]:
    """Scores of every step, with the blank as class 0, and labels, which are none."""
    target = Tensor((c.batch, c.labels), "integers", low=1, high=c.classes, trainable=False)
    return {"x": normal(c.batch, c.seq, c.classes), "target": target}


def _ctc(x: Array, t: Array) -> Array:
    """The forward recursion, in logarithms; with blanks, labels stand at the odd places."""
    batch, steps, _classes = x.shape
    log_p = x - np.logaddexp.reduce(x, axis=2)[:, :, None]
    path = np.zeros((batch, 2 * t.shape[1] + 1), dtype=np.int64)
    path[:, 1::2] = t
    emitted = np.take_along_axis(
        log_p, np.broadcast_to(path[:, None], (batch, steps, path.shape[1])), 2
    )
    skips = np.zeros(path.shape, dtype=bool)  # from the label before, unless it is the same
    skips[:, 2:] = (path[:, 2:] != 0) & (path[:, 2:] != path[:, :-2])
    alpha = np.full(path.shape, -np.inf)
    alpha[:, :2] = emitted[:, 0, :2]
    for step in range(1, steps):
        one, two = np.full_like(alpha, -np.inf), np.full_like(alpha, -np.inf)
        one[:, 1:], two[:, 2:] = alpha[:, :-1], alpha[:, :-2]
        two[~skips] = -np.inf
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + emitted[:, step]
    each: Array = -np.logaddexp(alpha[:, -1], alpha[:, -2])
    return each


def _torch(module: Any, c: Config, x: Any, target: Any) -> Any:
    log_p = x.log_softmax(2).transpose(0, 1)
    return module(log_p, target, (c.seq,) * c.batch, (c.labels,) * c.batch) / c.batch


def _flops(c: Config) -> int:
    """Three for each score of the softmax, and for each place its three terms' exp and sum."""
    return int(c.batch * c.seq * (3 * c.classes + 7 * (2 * c.labels + 1)))


CTC_LOSS: Layer = loss(
    _inputs,
    _PRESETS,
    "ctc_loss",
    "mean of -log of the sum over paths that read t without blanks and repeats of the product of "
    "softmax(x)",
    _ctc,
    0,
    # torch's mean divides each sequence's loss by its labels first. The logarithm of the softmax,
    # which torch is given and Keras makes, is timed in both.
    torch=torch_loss("CTCLoss", _torch, reduction="sum"),
    keras=keras_loss("CTC"),
    flops=_flops,
    backward_flops=_flops,
    terms=lambda c: _flops(c) // c.batch,
    has_seq=True,
    not_applicable=lambda c: (
        "" if c.seq >= 2 * c.labels - 1 else "a sequence too short for its labels has no path"
    ),
    source="Graves et al. (2006), doi:10.1145/1143844.1143891",
)

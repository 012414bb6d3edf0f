"""Losses: from predictions and targets to one number, and back to the gradient of the predictions.

Every loss is its framework's own class in its default reduction, the mean over the batch, so that
the result is a scalar. Frameworks differ in four ways, which the declarations set alike:

* Order: torch takes (prediction, target), Keras (target, prediction).
* Mean: Keras sums or averages over the last axis, as the formula says, and then averages over the
  batch, where torch's ``mean`` divides by all elements. Where the number of classes would come
  between the two, torch is told ``batchmean`` or likewise.
* Epsilon: Keras clips probabilities to [1e-7, 1 - 1e-7] before each logarithm; torch bounds the
  logarithm at -100. Values here are drawn where neither has an effect.
* Type: Keras casts targets and predictions to floatx, which is float32, whatever the policy is, and
  indices of classes too; torch computes in the dtype of the predictions.
"""

from suites.loss.classes import CLASSES, INDICES
from suites.loss.embeddings import EMBEDDINGS
from suites.loss.overlap import OVERLAP
from suites.loss.sequences import CTC_LOSS
from suites.loss.values import LABELS, PROBABILITIES, VALUES
from suites.loss.vocabulary import ADAPTIVE_LOG_SOFTMAX, LINEAR_CROSS_ENTROPY

__all__ = [
    "ADAPTIVE_LOG_SOFTMAX",
    "CLASSES",
    "CTC_LOSS",
    "EMBEDDINGS",
    "INDICES",
    "LABELS",
    "LINEAR_CROSS_ENTROPY",
    "OVERLAP",
    "PROBABILITIES",
    "VALUES",
]

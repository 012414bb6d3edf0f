"""What approximate attention stands in for: softmax attention over all keys a query may see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.layer import Array, Arrays, Config, Places
from suites.attention.formula import attend


def full_attention(inputs: Arrays, _weights: Arrays, c: Config, places: Places) -> Array:
    """Of the queries at some places; causal if the layer is, and not if it has no such parameter.

    Args:
        inputs: ``query``, ``key`` and ``value``, each (batch, heads, seq, head_dim).
        c: says whether it is causal.
        places: (batch, head, position) of each query.

    Returns:
        (queries, head_dim), float64.
    """

    def of_head(head: Arrays, position: Array) -> Array:
        return attend(head["query"][position], head["key"], head["value"], visible(c, position))

    return by_head(inputs, places, of_head)


def visible(c: Config, position: Array) -> Array | None:
    """Which keys the queries at these positions may see, (queries, seq); None for all."""
    return np.arange(c.seq) <= position[:, None] if c.params.get("causal") else None


def by_head(inputs: Arrays, places: Places, attended: Callable[[Arrays, Array], Array]) -> Array:
    """One head after the other in float64, of which all at once might take gigabytes.

    Args:
        inputs: each (batch, heads, seq, head_dim).
        places: (batch, head, position) of each query.
        attended: (the inputs of one head, positions) -> (positions, head_dim).

    Returns:
        (queries, head_dim), in the order of the places.
    """
    item, head, position = places
    # Kept from head to head: getting so much memory anew takes longer than the products.
    of_head = {name: np.empty(values.shape[2:]) for name, values in inputs.items()}
    output = np.empty((len(position), next(iter(inputs.values())).shape[-1]))
    for i, h in dict.fromkeys(zip(item.tolist(), head.tolist(), strict=True)):
        for name, values in inputs.items():
            of_head[name][:] = values[i, h]
        here = (item == i) & (head == h)
        output[here] = attended(of_head, position[here])
    return output

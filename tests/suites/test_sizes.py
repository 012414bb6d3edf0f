"""Parameters that make no sense are refused in a line, by every layer of attention."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import catalogue
from harness.checks import check_layer_params
from harness.layer import Layer
from harness.runner import Request, make_plan
from harness.types import UsageError, Value

FAMILIES = ("attention", "sparse_attention", "linear_attention")
ATTENTION = [layer for layer in catalogue.load().values() if layer.family in FAMILIES]
MAY_BE_0 = {"window", "globals", "global_blocks", "random_blocks"}
OF_THEIR_OWN = {
    "padding": ([0, 0.0, 0.99], [5, 1.0, -0.1]),
    "kv_heads": ([1, 2, 4], [0, 3, 8, -2]),
    "buckets": ([2, 64], [0, 1, 3, -2]),
}
"""Parameters with more to say: what goes with 4 heads, and what does not."""


def values() -> Iterator[tuple[Layer, str, Value, bool]]:
    """(layer, parameter, value, whether it makes sense)."""
    for layer in ATTENTION:
        for name, usual in next(iter(layer.presets.values())).items():
            if name in OF_THEIR_OWN:
                good, bad = OF_THEIR_OWN[name]
                yield from ((layer, name, value, True) for value in good)
                yield from ((layer, name, value, False) for value in bad)
            elif type(usual) is int:
                if name != "heads":  # which kv_heads divides
                    yield layer, name, 1, True
                yield layer, name, 0, name in MAY_BE_0
                yield layer, name, -1, False


@pytest.mark.parametrize(
    ("layer", "name", "value", "makes_sense"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1]}={case[2]}") for case in values()],
)
def test_a_number_that_makes_no_sense_is_refused_by_name_and_value(
    layer: Layer, name: str, value: Value, makes_sense: bool
) -> None:
    usual = next(iter(layer.presets.values()))
    params = {**usual, **({"heads": 4} if "kv_heads" in usual else {}), name: value}
    if makes_sense:
        check_layer_params(layer.name, params, [usual], layer.allowed)
        return
    with pytest.raises(
        UsageError, match=rf"^layer {layer.name}: {name} = {value} is not .*or more"
    ):
        check_layer_params(layer.name, params, [usual], layer.allowed)


@pytest.mark.parametrize(
    ("layer", "params", "complaint"),
    [
        ("grouped_query_attention", {"kv_heads": 0}, "kv_heads = 0 is not 1 or more and a divisor"),
        ("group_query_attention_layer", {"heads": 3}, "kv_heads = 2 is not .* of heads = 3$"),
        ("attention", {"heads": 0}, "heads = 0 is not 1 or more$"),
        ("selective_state_space", {"state": -4}, "state = -4 is not 1 or more$"),
        ("cross_attention", {"memory": 0}, "memory = 0 is not 1 or more$"),
        ("lsh_attention", {"buckets": 3}, "buckets = 3 is not 2 or more and a multiple of 2$"),
        ("sdpa_math", {"padding": 5}, "padding = 5 is not 0 or more and less than 1$"),
    ],
)
def test_a_run_is_refused_before_anything_is_measured(
    layer: str, params: dict[str, Value], complaint: str
) -> None:
    """Of the fake framework, as it is always there."""
    given = {name: [value] for name, value in params.items()}
    with pytest.raises(UsageError, match=f"layer {layer}: {complaint}"):
        make_plan(Request(layers=[layer], axes={"framework": ["fake"]}, params=given))


def test_numbers_that_are_no_sizes_are_left_alone() -> None:
    """A share may be 0, and be typed as a whole number."""
    check_layer_params("any", {"rate": 0, "bias": False}, [{"rate": 0.5, "bias": True}], {})

"""The references and counts of attention that selects its keys, against loops and by relations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from approximations import approximated

from harness.layer import Array, Config, Layer, canonical
from suites.attention.formula import attend, causal
from suites.sparse_attention import (
    FLEX_BLOCK_SPARSE_ATTENTION,
    FLEX_DOCUMENT_ATTENTION,
    FLEX_WINDOW_ATTENTION,
    LSH_ATTENTION,
    MOBA_ATTENTION,
    NATIVE_SPARSE_ATTENTION,
    TOPK_ATTENTION,
)
from suites.sparse_attention.chosen_blocks import chosen_keys, other_scores, own_scores
from suites.sparse_attention.flex_patterns import (
    Blocks,
    block_sparse_blocks,
    document_blocks,
    document_lengths,
    sliding_window_blocks,
)

LENGTHS = (1, 5, 8, 21, 40)
BOTH = pytest.mark.parametrize("ahead", [False, True], ids=["causal", "both ways"])
SELECTED = (TOPK_ATTENTION, LSH_ATTENTION, MOBA_ATTENTION, NATIVE_SPARSE_ATTENTION)
FLEX = (FLEX_WINDOW_ATTENTION, FLEX_BLOCK_SPARSE_ATTENTION, FLEX_DOCUMENT_ATTENTION)


def config(layer: Layer, seq: int, ahead: bool, **params: Any) -> Config:
    own = {**layer.presets["textbook"], "heads": 2, "head_dim": 4, "causal": not ahead, **params}
    return Config(2, seq, False, own)


def drawn(layer: Layer, c: Config) -> tuple[dict[str, Array], dict[str, Array]]:
    """Inputs and weights in float64."""
    inputs, weights = (
        {name: array.astype(np.float64) for name, array in canonical(layer.name, made).items()}
        for made in (layer.inputs(c), layer.weights(c))
    )
    return inputs, weights


def computed(layer: Layer, c: Config, **weights: Array) -> Array:
    assert layer.reference is not None
    inputs, own = drawn(layer, c)
    return layer.reference(inputs, {**own, **weights}, c)


def softmax_of(query: Array, keys: list[Array], values: list[Array]) -> Array:
    """One query's attention, by a loop; zeros if there is no key."""
    weights = [math.exp(query @ key / math.sqrt(len(query))) for key in keys]
    total = sum(weights)
    mixed = sum((w / total * v for w, v in zip(weights, values, strict=True)), np.zeros(len(query)))
    return np.asarray(mixed)


@BOTH
@pytest.mark.parametrize("seq", LENGTHS)
def test_topk_keeps_the_highest_scores_of_each_query(seq: int, ahead: bool) -> None:
    c = config(TOPK_ATTENTION, seq, ahead, k=3)
    inputs, _ = drawn(TOPK_ATTENTION, c)
    found = computed(TOPK_ATTENTION, c)
    for b, h, i in np.ndindex(2, 2, seq):
        query, key, value = (inputs[name][b, h] for name in ("query", "key", "value"))
        seen = range(seq if ahead else i + 1)
        best = sorted(seen, key=lambda j: -(query[i] @ key[j]))[:3]
        expected = softmax_of(query[i], [key[j] for j in best], [value[j] for j in best])
        np.testing.assert_allclose(found[b, h, i], expected)


def best_blocks(gates: dict[int, float], own: int, k: int) -> list[int]:
    others = sorted((b for b in gates if b != own), key=lambda b: -gates[b])
    return [own, *others[: k - 1]]


def keys_of(chosen: list[int], block: int, seq: int, last: int) -> list[int]:
    return [j for b in chosen for j in range(b * block, min((b + 1) * block, seq)) if j <= last]


@BOTH
@pytest.mark.parametrize("seq", LENGTHS)
def test_moba_attends_to_its_own_block_and_to_those_of_the_best_means(
    seq: int, ahead: bool
) -> None:
    c = config(MOBA_ATTENTION, seq, ahead, block=4, k=3)
    inputs, _ = drawn(MOBA_ATTENTION, c)
    found = computed(MOBA_ATTENTION, c)
    for b, h, i in np.ndindex(2, 2, seq):
        query, key, value = (inputs[name][b, h] for name in ("query", "key", "value"))
        blocks = range(math.ceil(seq / 4) if ahead else i // 4 + 1)
        gates = {n: float(query[i] @ key[n * 4 : n * 4 + 4].mean(0)) for n in blocks}
        keys = keys_of(best_blocks(gates, i // 4, 3), 4, seq, seq if ahead else i)
        expected = softmax_of(query[i], [key[j] for j in keys], [value[j] for j in keys])
        np.testing.assert_allclose(found[b, h, i], expected)


@BOTH
@pytest.mark.parametrize("seq", LENGTHS)
def test_native_sparse_attention_gates_its_three_branches(seq: int, ahead: bool) -> None:
    c = config(NATIVE_SPARSE_ATTENTION, seq, ahead, block=4, k=3, window=2)
    inputs, weights = drawn(NATIVE_SPARSE_ATTENTION, c)
    found = computed(NATIVE_SPARSE_ATTENTION, c)
    count = math.ceil(seq / 4)
    for b, h in np.ndindex(2, 2):
        query, key, value = (inputs[name][b, h] for name in ("query", "key", "value"))

        def brief(x: Array, kernel: Array) -> list[Array]:
            whole = np.concatenate([x, np.zeros((count * 4 - seq, 4))])
            return [whole[n * 4 : n * 4 + 4].ravel() @ kernel for n in range(count)]

        keys = brief(key, weights["key_compression"])
        values = brief(value, weights["value_compression"])
        for i in range(seq):
            last = seq - 1 if ahead else i
            ended = [n for n in range(count) if ahead or (n + 1) * 4 <= i + 1]
            gates = {n: float(query[i] @ keys[n]) for n in range(count if ahead else i // 4 + 1)}
            full = keys_of(best_blocks(gates, i // 4, 3), 4, seq, last)
            near = [j for j in range(seq) if abs(i - j) <= 2 and j <= last]
            branches = [
                softmax_of(query[i], [keys[n] for n in ended], [values[n] for n in ended]),
                *(softmax_of(query[i], list(key[own]), list(value[own])) for own in (full, near)),
            ]
            gate = 1 / (1 + np.exp(-query[i] @ weights["gate"]))
            np.testing.assert_allclose(found[b, h, i], gate @ np.array(branches), atol=1e-14)


@BOTH
@pytest.mark.parametrize("seq", LENGTHS)
def test_lsh_rounds_are_averaged_by_the_logarithm_of_their_denominators(
    seq: int, ahead: bool
) -> None:
    c = config(LSH_ATTENTION, seq, ahead, buckets=4, rounds=3, chunk=4)
    inputs, weights = drawn(LSH_ATTENTION, c)
    found = computed(LSH_ATTENTION, c)
    for b, h in np.ndindex(2, 2):
        query, value = inputs["query"][b, h], inputs["value"][b, h]
        key = query / np.linalg.norm(query, axis=-1, keepdims=True)
        outputs, totals = [], []
        for directions in weights["directions"]:
            along = query @ directions
            bucket = np.concatenate([along, -along], axis=-1).argmax(axis=-1)
            place = {p: s for s, p in enumerate(sorted(range(seq), key=lambda p: (bucket[p], p)))}
            output, total = np.zeros((seq, 4)), np.zeros(seq)
            for i in range(seq):
                seen = [
                    j
                    for j in range(seq)
                    if bucket[i] == bucket[j]
                    and place[i] // 4 - place[j] // 4 in (0, 1)
                    and (ahead or j <= i)
                ]
                scores = [query[i] @ key[j] / 2 - 30 * (i == j) for j in seen]
                total[i] = math.log(sum(map(math.exp, scores)))
                output[i] = sum(
                    math.exp(s - total[i]) * value[j] for s, j in zip(scores, seen, strict=True)
                )
            outputs.append(output)
            totals.append(total)
        shares = np.exp(totals) / np.exp(totals).sum(axis=0)
        expected = (shares[..., None] * np.array(outputs)).sum(axis=0)
        np.testing.assert_allclose(found[b, h], expected, atol=1e-12)


def undecided(layer: Layer, c: Config, inputs: dict[str, Array]) -> set[tuple[int, ...]]:
    """(item, head, query) of results that are not compared."""
    assert layer.decided is not None
    sure = layer.decided(inputs, drawn(layer, c)[1], c)
    sure = np.broadcast_to(sure, layer.output(c)).all(axis=-1)
    return {(int(b), int(h), int(i)) for b, h, i in np.argwhere(~sure)}


@BOTH
def test_a_query_whose_last_choice_rounding_makes_is_not_compared(ahead: bool) -> None:
    c = config(TOPK_ATTENTION, 8, ahead, k=2)
    inputs, _ = drawn(TOPK_ATTENTION, c)
    assert undecided(TOPK_ATTENTION, c, inputs) == set()
    query, key = inputs["query"][1, 0], inputs["key"][1, 0]
    query[6] = [1, 0, 0, 0]
    key[:, 0] = [0, 5, 0, 3, -1, 3 - 1e-7, -2, -3]
    query[[5, 7]] = [0, 1, 0, 0]
    assert undecided(TOPK_ATTENTION, c, inputs) == {(1, 0, 6)}


def test_a_query_that_chooses_between_equal_blocks_is_not_compared() -> None:
    c = config(MOBA_ATTENTION, 16, True, block=4, k=2)
    inputs, _ = drawn(MOBA_ATTENTION, c)
    assert undecided(MOBA_ATTENTION, c, inputs) == set()
    inputs["key"][1, 0, 4:12] = 9.0
    inputs["query"][1, 0] = 1.0
    # Blocks 1 and 2 are equal and best, so those in the others cannot choose, and they themselves
    # have one of them anyway.
    assert undecided(MOBA_ATTENTION, c, inputs) == {(1, 0, i) for i in (*range(4), *range(12, 16))}


def test_a_head_with_a_hash_that_rounding_makes_is_not_compared() -> None:
    c = config(LSH_ATTENTION, 8, True, buckets=4)
    inputs, weights = drawn(LSH_ATTENTION, c)
    assert undecided(LSH_ATTENTION, c, inputs) == set()
    inputs["query"][1, 0, 3] = np.ones(2) @ np.linalg.pinv(weights["directions"][0])
    assert undecided(LSH_ATTENTION, c, inputs) == {(1, 0, i) for i in range(8)}


@BOTH
@pytest.mark.parametrize("layer", [TOPK_ATTENTION, MOBA_ATTENTION], ids=lambda layer: layer.name)
def test_that_keeps_everything_is_dense(layer: Layer, ahead: bool) -> None:
    c = config(layer, 21, ahead, k=21)
    inputs, weights = drawn(layer, c)
    assert layer.density is not None
    np.testing.assert_allclose(computed(layer, c), approximated(layer, inputs, weights, c))
    assert layer.density(c) == (1 if ahead else 22 / 42)


@BOTH
def test_lsh_attention_with_one_bucket_and_one_chunk_is_dense(ahead: bool) -> None:
    c = config(LSH_ATTENTION, 21, ahead, rounds=2, chunk=21)
    inputs, weights = drawn(LSH_ATTENTION, c)
    nowhere = np.zeros_like(weights["directions"])
    np.testing.assert_allclose(
        computed(LSH_ATTENTION, c, directions=nowhere),
        approximated(LSH_ATTENTION, inputs, weights, c),
    )


@pytest.mark.parametrize("layer", SELECTED, ids=lambda layer: layer.name)
def test_a_selection_that_leaves_something_out_is_not_dense(layer: Layer) -> None:
    c = config(layer, 40, True)
    inputs, weights = drawn(layer, c)
    full = approximated(layer, inputs, weights, c)
    assert np.abs(computed(layer, c) - full).max() > 0.1


@BOTH
@pytest.mark.parametrize("seq", [4, 16, 40, 41])
@pytest.mark.parametrize("k", [1, 3, 11])
def test_scores_of_chosen_blocks_are_counted(k: int, seq: int, ahead: bool) -> None:
    c = config(MOBA_ATTENTION, seq, ahead, block=4, k=k)
    gate = np.random.default_rng(0).standard_normal((seq, math.ceil(seq / 4)))
    gate[:, -1] -= 1e9 * (seq % 4 > 0)  # a shorter last block counts as whole where it is chosen
    assert own_scores(c) + other_scores(c) == chosen_keys(gate, c).sum()


@BOTH
def test_topk_counts_all_scores_and_the_softmax_of_those_it_keeps(ahead: bool) -> None:
    c = config(TOPK_ATTENTION, 6, ahead, k=2)
    scores, kept = (36, 12) if ahead else (21, 11)
    assert TOPK_ATTENTION.products is not None
    assert TOPK_ATTENTION.density is not None
    assert TOPK_ATTENTION.products(c) == 2 * 2 * 2 * 4 * scores
    assert TOPK_ATTENTION.flops(c) - TOPK_ATTENTION.products(c) == 2 * 2 * kept * (2 * 4 + 4)
    assert TOPK_ATTENTION.density(c) == kept / 36


@BOTH
@pytest.mark.parametrize("seq", [1, 3, 8, 21])
def test_lsh_density_counts_each_chunk_with_itself_and_the_one_before(
    seq: int, ahead: bool
) -> None:
    c = config(LSH_ATTENTION, seq, ahead, rounds=2, chunk=4)
    pairs = [
        (i, j)
        for i in range(seq)
        for j in range(seq)
        if i // 4 - j // 4 in (0, 1) and (ahead or j <= i)
    ]
    assert LSH_ATTENTION.density is not None
    assert LSH_ATTENTION.density(c) == 2 * len(pairs) / seq**2


@BOTH
@pytest.mark.parametrize("seq", LENGTHS)
def test_native_sparse_density_counts_all_three_branches(seq: int, ahead: bool) -> None:
    c = config(NATIVE_SPARSE_ATTENTION, seq, ahead, block=4, k=100, window=2)
    position = np.arange(seq)
    near = abs(position[:, None] - position) <= 2
    brief = seq * math.ceil(seq / 4) if ahead else sum((i + 1) // 4 for i in range(seq))
    seen = np.ones((seq, seq), dtype=bool) if ahead else causal(seq, seq)
    assert NATIVE_SPARSE_ATTENTION.density is not None
    expected = (brief + seen.sum() + (near & seen).sum()) / seq**2
    assert NATIVE_SPARSE_ATTENTION.density(c) == pytest.approx(expected)


@BOTH
@pytest.mark.parametrize("seq", [1, 15, 64, 100])
@pytest.mark.parametrize("layer", FLEX, ids=lambda layer: layer.name)
def test_flex_attention_counts_the_scores_of_its_pattern(
    layer: Layer, seq: int, ahead: bool
) -> None:
    c = config(layer, seq, ahead)
    assert layer.pattern is not None
    assert layer.density is not None
    assert layer.density(c) == layer.pattern(c).sum() / seq**2
    inputs, _ = drawn(layer, c)
    np.testing.assert_allclose(computed(layer, c), attend(**inputs, pattern=layer.pattern(c)))


@BOTH
@pytest.mark.parametrize("seq", [1, 15, 64, 100])
@pytest.mark.parametrize("layer", FLEX, ids=lambda layer: layer.name)
def test_blocks_of_a_flex_pattern_are_those_of_which_some_and_all_pairs_count(
    layer: Layer, seq: int, ahead: bool
) -> None:
    c = config(layer, seq, ahead)
    blocks = _blocks_of(layer, c)
    size = blocks.size
    count = math.ceil(seq / size)
    padded = np.zeros((count * size, count * size), dtype=bool)
    assert layer.pattern is not None
    padded[:seq, :seq] = layer.pattern(c)
    tiles = padded.reshape(count, size, count, size)
    np.testing.assert_array_equal(blocks.some, tiles.any(axis=(1, 3)))
    np.testing.assert_array_equal(blocks.all, tiles.all(axis=(1, 3)))


def _blocks_of(layer: Layer, c: Config) -> Blocks:
    if layer is FLEX_WINDOW_ATTENTION:
        return sliding_window_blocks(c, 4)
    return document_blocks(c, 4) if layer is FLEX_DOCUMENT_ATTENTION else block_sparse_blocks(c)


@pytest.mark.parametrize("layer", FLEX, ids=lambda layer: layer.name)
def test_flex_attention_says_that_keras_has_no_such_kernel(layer: Layer) -> None:
    assert set(layer.builders) == {"torch"}
    assert layer.lacking == {"keras": "Keras has no kernel that is compiled for a pattern"}


def test_documents_fill_the_sequence_and_have_the_mean_length() -> None:
    lengths = document_lengths(config(FLEX_DOCUMENT_ATTENTION, 100_000, True, mean_length=50))
    assert lengths.sum() == 100_000
    assert lengths.min() >= 1
    assert lengths.mean() == pytest.approx(50, rel=0.05)

"""Patterns, and the plans that stand for them: the same keys for each query, in far less work."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import sparse_cases

from harness.layer import Array, Config, Layer
from harness.problem import Problem
from harness.types import Case, Value
from suites.sparse_attention import patterns, plans, residues
from suites.sparse_attention.plans import Plan

LAYERS = list(sparse_cases.LAYERS.values())
LENGTHS = (1, 2, 7, 64, 100, 257)


def config(seq: int, **params: Value) -> Config:
    return Config(1, seq, False, {"heads": 1, "head_dim": 2, **params})


def by_loops(c: Config, attends: Callable[[int, int], bool]) -> Array:
    """The pattern from a rule for query i and key j, one score after the other."""
    found = np.zeros((c.seq, c.seq), dtype=bool)
    for i in range(c.seq):
        for j in range(c.seq):
            found[i, j] = attends(i, j) and (j <= i or not c.causal)
    return found


def rules() -> Iterator[tuple[Callable[[Config], Array], Callable[..., bool], dict[str, Value]]]:
    def window(i: int, j: int, c: Config) -> bool:
        return abs(i - j) <= c.window

    def dilated(i: int, j: int, c: Config) -> bool:
        return any(abs(i - j) == step * c.dilation for step in range(c.window + 1))

    def strided(i: int, j: int, c: Config) -> bool:
        return abs(i - j) <= c.stride or (i - j) % c.stride == 0

    def longformer(i: int, j: int, c: Config) -> bool:
        return i < c.globals or j < c.globals or abs(i - j) <= c.window

    for size in (0, 1, 3, 50):
        yield patterns.sliding_window, window, {"window": size}
        yield patterns.longformer, longformer, {"window": size, "globals": 2}
        yield patterns.dilated, dilated, {"window": size, "dilation": 3}
    for stride in (1, 4, 50):
        yield patterns.strided, strided, {"stride": stride}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("seq", [1, 7, 30])
def test_patterns_of_distance_are_what_their_rule_says(seq: int, causal: bool) -> None:
    for pattern, rule, params in rules():
        c = config(seq, causal=causal, **params)
        wanted = by_loops(c, lambda i, j, c=c, rule=rule: rule(i, j, c))  # type: ignore[misc]
        np.testing.assert_array_equal(pattern(c), wanted, err_msg=f"{params}")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("count", "blocks"), [(1, 3), (5, 1), (12, 4), (4, 9)])
def test_a_block_attends_to_its_own_and_others_up_to_the_number(
    count: int, blocks: int, causal: bool
) -> None:
    rows = patterns.block_sparse_rows(count, blocks, causal)
    assert len(rows) == count
    for own, row in enumerate(rows):
        end = own + 1 if causal else count
        assert row[-1] == own
        assert len(set(row.tolist())) == len(row) == min(blocks, end)
        assert all(0 <= block < end for block in row)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kinds", [(2, 3, 3), (0, 3, 2), (1, 5, 0), (0, 1, 1), (3, 3, 20)])
def test_a_block_of_bigbird_has_global_near_and_random_blocks_once_each(
    kinds: tuple[int, int, int], causal: bool
) -> None:
    count, (first, near, drawn) = 20, kinds
    for own, row in enumerate(patterns.bigbird_rows(count, *kinds, causal)):
        end = own + 1 if causal else count
        reach = range(max(own - near // 2, 0), min(own + near // 2 + 1, end))
        certain = set(reach) | {block for block in range(first) if block < end}
        if own < first:
            certain = set(range(end))
        assert row[-1] == own
        assert certain <= set(row.tolist())
        assert len(set(row.tolist())) == len(row) == min(len(certain) + drawn, end)
        assert max(row) < end


def test_random_blocks_are_the_same_each_time_and_not_in_each_row() -> None:
    one, two = (patterns.block_sparse_rows(40, 6, causal=False) for _ in range(2))
    assert [row.tolist() for row in one] == [row.tolist() for row in two]
    offsets = {tuple(np.sort((row[:-1] - row[-1]) % 40)) for row in one}
    assert len(offsets) > 30


def test_a_block_pattern_is_its_rows_spread_over_positions() -> None:
    for causal in (False, True):
        c = config(30, causal=causal, block=4, blocks=3)
        rows = patterns.block_sparse_rows(8, 3, causal)
        wanted = by_loops(c, lambda i, j, rows=rows: j // 4 in rows[i // 4])  # type: ignore[misc]
        np.testing.assert_array_equal(patterns.block_sparse(c), wanted)


def cases() -> Iterator[tuple[Callable[[Config], Array], Callable[..., Plan], dict[str, Any]]]:
    """Pattern, plan, and the parameters they share."""

    def window(seq: int, window: int, causal: bool) -> Plan:
        return plans.window_plan(seq, window, causal)

    def longformer(seq: int, window: int, globals: int, causal: bool) -> Plan:  # noqa: A002
        return plans.window_plan(seq, window, causal, globals)

    for size in (0, 1, 5, 64, 90, 400):
        yield patterns.sliding_window, window, {"window": size}
        for first in (1, 20, 300):
            yield patterns.longformer, longformer, {"window": size, "globals": first}
    for block in (1, 4, 16, 500):
        for blocks in (1, 3, 9):
            params = {"block": block, "blocks": blocks}
            yield patterns.block_sparse, plans.block_sparse_plan, params
        for kinds in ((0, 1, 0), (1, 3, 1), (2, 3, 3), (0, 5, 2)):
            names = ("global_blocks", "window_blocks", "random_blocks")
            params = {"block": block, **dict(zip(names, kinds, strict=True))}
            yield patterns.bigbird, plans.bigbird_plan, params


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("seq", LENGTHS)
def test_a_plan_has_each_score_of_its_pattern_once_and_no_other(seq: int, causal: bool) -> None:
    for pattern, plan, params in cases():
        wanted = pattern(config(seq, causal=causal, **params))
        made = plan(seq, **params, causal=causal)
        np.testing.assert_array_equal(plans.pattern(made, seq), wanted, err_msg=f"{params}")
        # The pattern would not show a score that is computed twice; the count does.
        assert plans.plan_scores(made, seq) == wanted.sum(), params
        starts = [chunks.start for chunks in made]
        ends = [chunks.start + chunks.count * chunks.size for chunks in made]
        assert starts == [0, *ends[:-1]]
        assert ends[-1] >= seq


@pytest.mark.parametrize("modulus", [1, 2, 5, 8, 300])
@pytest.mark.parametrize("seq", LENGTHS)
def test_residue_classes_are_the_positions_by_remainder(seq: int, modulus: int) -> None:
    lengths = {
        remainder: members.length
        for members in residues.residue_classes(seq, modulus)
        for remainder in range(members.first, members.end)
    }
    wanted = {r: len(range(r, seq, modulus)) for r in range(modulus) if r < seq}
    assert lengths == wanted


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("stride", [1, 3, 16, 300])
@pytest.mark.parametrize("seq", LENGTHS)
def test_a_grid_has_each_score_of_the_strided_pattern_once(
    seq: int, stride: int, causal: bool
) -> None:
    grid = residues.grid(seq, stride, causal)
    counts = np.zeros((seq, seq), dtype=int)
    near = (grid.band + grid.inside).reshape(-1, grid.nearby) == 0
    far = (grid.column + grid.filled).reshape(-1, grid.rows) == 0
    for i in range(seq):
        row = i // stride
        for k in np.flatnonzero(near[i]):
            counts[i, (row - 1) * stride + k] += 1
        for k in np.flatnonzero(far[i]):
            counts[i, k * stride + i % stride] += 1
    np.testing.assert_array_equal(
        counts, patterns.strided(config(seq, causal=causal, stride=stride))
    )


def draws(layer: Layer) -> Iterator[Mapping[str, Value]]:
    """The layer's presets, each also causal the other way, and some other parameters."""
    rng = random.Random(layer.name)
    for preset in layer.presets.values():
        for causal in (False, True):
            yield {**preset, "causal": causal}
    for _ in range(6):
        sizes = {
            name: rng.choice([1, 2, 3, 5, 17])
            for name, value in preset.items()
            if type(value) is int
        }
        yield {**sizes, "causal": rng.choice([False, True])}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_density_and_operations_are_the_pattern_counted(layer: Layer) -> None:
    assert layer.pattern is not None
    assert layer.density is not None
    assert layer.products is not None
    for seq in LENGTHS:
        for params in draws(layer):
            c = Config(3, seq, False, params)
            scores = int(layer.pattern(c).sum())
            assert layer.density(c) == pytest.approx(scores / seq**2), params
            assert layer.products(c) == 4 * c.head_dim * 3 * c.heads * scores
            assert layer.flops(c) - layer.products(c) == 4 * 3 * c.heads * scores
            assert type(layer.flops(c)) is int


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_every_query_attends_to_itself_and_nothing_ahead_if_causal(layer: Layer) -> None:
    assert layer.pattern is not None
    for params in draws(layer):
        seen = layer.pattern(Config(1, 60, False, params))
        assert seen.diagonal().all()
        assert not params["causal"] or not np.triu(seen, 1).any()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_the_textbook_is_sparse_at_short_lengths_already(layer: Layer) -> None:
    assert layer.density is not None
    assert list(layer.presets) == ["textbook", "bert_like"]
    assert layer.density(Config(1, 128, False, layer.presets["textbook"])) < 0.35


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_plan_for_a_long_sequence_stays_small(layer: Layer) -> None:
    """131,072 squared would be 16 GiB."""
    assert layer.density is not None
    density = layer.density(Config(1, 2**17, False, layer.presets["bert_like"]))
    assert 0 < density < 0.02


@pytest.mark.parametrize(
    ("layer", "checked"),
    [
        ("sliding_window_attention", 512),
        ("block_sparse_attention", 1024),  # at 512 its 8 blocks of 64 are all there is
        ("dilated_attention", 1024),
    ],
)
def test_a_long_case_is_checked_where_its_pattern_leaves_something_out(
    layer: str, checked: int
) -> None:
    declared = sparse_cases.LAYERS[layer]
    params = tuple(declared.presets["bert_like"].items())
    where = (layer, "any", "cpu", "forward", "eager", "float32", 1, 4)
    long, short = (Case(*where, seq, params) for seq in (16384, 300))
    found = Problem(long, declared, declared.builders["torch"]).checked_case
    assert (found.seq, found.batch) == (checked, 2)
    assert Problem(short, declared, declared.builders["torch"]).checked_case == short

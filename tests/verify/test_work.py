"""A declaration that counts something else than the counters do is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import catalogue
from harness.layer import Builder, Config, Layer
from harness.verify import work
from harness.verify.row import Verdict

MODULE = """HloModule m

%body (p: f32[4,8]) -> f32[4,24] {
  %a = f32[4,24]{1,0} dot(f32[4,8]{1,0} %p, f32[8,24]{1,0} %k), lhs_contracting_dims={1}, x
}

ENTRY %main (arg: f32[4,16]) -> f32[4,24] {
  %dead = f32[4,24]{1,0} dot(f32[4,16]{1,0} %arg, f32[16,24]{1,0} %k), lhs_contracting_dims={1}, x
  LOOP
}
"""
CONVOLUTION = """
ENTRY %main (arg: f32[4,6,6,16]) -> f32[4,6,6,8] {
  %c = f32[4,6,6,8]{3,2,1,0} convolution(f32[4,6,6,16]{3,2,1,0} %a, f32[3,3,16,8]{3,2,1,0} %k), \
window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_01io->b01f
}
"""


def test_products_of_an_xla_module_are_read_from_its_text() -> None:
    in_body, beside = 2 * 4 * 24 * 8, 2 * 4 * 24 * 16
    assert work.xla_products(MODULE.replace("LOOP", ""), 5) == in_body + beside
    loop = "%w = (s32[]) while((s32[]) %t), body=%body"
    assert work.xla_products(MODULE.replace("LOOP", loop), 5) == 5 * in_body
    assert work.xla_products(CONVOLUTION, 1) == 2 * 4 * 6 * 6 * 8 * 3 * 3 * 16
    transposed = CONVOLUTION.replace("pad=1_1x1_1", "pad=1_1x1_1 lhs_dilate=2x3")
    assert work.xla_products(transposed, 1) == 2 * 4 * 6 * 6 * 8 * 3 * 3 * 16 // 6


def test_the_gradients_of_a_grouped_convolution_are_counted_a_group_at_a_time() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    layer = catalogue.load()["depthwise_conv2d"]
    (row,) = work._rows_of_torch(layer, "textbook", _training(layer, "textbook"), "train")
    assert row.verdict is Verdict.OK


def test_a_layer_without_products_has_none_in_training_either() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    layer = catalogue.load()["upsample_bilinear2d"]
    (row,) = work._rows_of_torch(layer, "textbook", _training(layer, "textbook"), "train")
    assert (row.expected, row.found) == ("0", "0")


def _training(layer: Layer, preset: str) -> Config:
    return dict(work._configs(layer, training=True))[preset]


def test_counts_by_hand_are_of_layers_that_tell_of_no_products() -> None:
    layers = catalogue.load()
    assert all(layers[name].products is None for name in work.ELEMENTWISE)


def test_a_layer_that_tells_of_no_products_must_have_none() -> None:
    silent = replace(catalogue.load()["conv2d"], name="silent", products=None)
    config = Config(2, None, False, silent.presets["textbook"])
    assert work.products(silent, config) == 0
    counted = silent.flops(config)
    assert work.compared("silent", 0, counted).verdict is Verdict.FAILS


def test_a_wrong_declaration_does_not_meet_the_counter() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    dense = catalogue.load()["dense"]
    config = Config(4, None, True, dense.presets["textbook"])
    counted, _ = work._on_meta(dense, config)
    assert work.compared("dense", 3 * work.products(dense, config), counted).verdict is Verdict.OK
    once = replace(dense, flops=lambda c: c.batch * c.out_features * (c.in_features + 1))
    assert work.compared("dense", 3 * work.products(once, config), counted).verdict is Verdict.FAILS


def test_a_dense_kernel_may_compute_hidden_scores_and_no_others() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    plain = catalogue.load()["attention_plain"]
    config = dict(work._configs(plain, training=True))["gpt_like"]
    (row,) = work._rows_of_torch(plain, "gpt_like", config, "train")
    assert row.verdict is Verdict.OK
    half, everything = (4 * 8 * scores * 64 for scores in (1024 * 1025 // 2, 1024**2))
    assert row.expected == f"{3 * half:,} to {3 * everything:,} (hidden scores too)"
    assert row.found == f"{3 * everything:,}"
    for declared in (half // 3, everything + half):
        wrong = replace(plain, products=lambda c, declared=declared: declared)
        (row,) = work._rows_of_torch(wrong, "gpt_like", config, "train")
        assert row.verdict is Verdict.FAILS


def test_sparse_attention_may_compute_two_and_a_half_times_what_it_declares() -> None:
    config = Config(1, 1024, False, {"heads": 8, "head_dim": 64, "causal": True, "padding": 0.0})
    plain = catalogue.load()["attention_plain"]
    sparse = replace(plain, family="sparse_attention")
    assert work.allowed(sparse, config, 100) == (250, "2.5 times, for edges")
    assert work.allowed(replace(plain, density=None), config, 100) == (100, "")
    for counted, verdict in ((99, "FAILS"), (100, "ok"), (250, "ok"), (251, "FAILS")):
        assert work.compared("x", 100, counted, 250, "why").verdict == verdict


def test_what_a_framework_lacks_is_skipped_with_its_reason() -> None:
    def build(c: Config) -> None:
        raise NotImplementedError("no such kernel")

    dense = catalogue.load()["dense"]
    lacking = replace(dense, builders={"torch": Builder(build)})
    pytest.importorskip("torch", reason="torch is not installed")
    preset, config = next(work._configs(lacking, training=False))
    (row,) = work._rows_of_torch(lacking, preset, config, "forward")
    assert (row.found, row.verdict) == ("no such kernel", Verdict.SKIPPED)

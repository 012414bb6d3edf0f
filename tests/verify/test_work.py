"""A declaration that counts something else than the counters do is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness import catalogue
from harness.layer import Config
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


def test_every_layer_of_the_catalogue_has_a_count_by_hand() -> None:
    layers = catalogue.load().values()
    assert set(work.ELEMENTWISE) == {layer.name for layer in layers if layer.products is None}


def test_a_wrong_declaration_does_not_meet_the_counter() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    dense = catalogue.load()["dense"]
    config = Config(4, None, True, dense.presets["textbook"])
    counted, _ = work._on_meta(dense, config)
    assert work.compared("dense", 3 * work.products(dense, config), counted).verdict is Verdict.OK
    once = replace(dense, flops=lambda c: c.batch * c.out_features * (c.in_features + 1))
    assert work.compared("dense", 3 * work.products(once, config), counted).verdict is Verdict.FAILS

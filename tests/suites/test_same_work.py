"""Each layer of the catalogue is the same work in each framework that has it, at its first preset.

The check is that of every run: output and gradients against the float64 reference.
"""

from __future__ import annotations

import math

import pytest
from checked import OK, TIMEOUT_S, found

from harness import catalogue, frameworks
from harness.layer import Config, Layer
from harness.runner.execute import ruled_out
from harness.types import Case

LAYERS = catalogue.load()
CHECKED_ELSEWHERE = {"attention", "sparse_attention", "linear_attention"}
"""Families whose layers have tests of their own, in small sizes, in each framework."""
BATCH, SEQ = 4, 6
"""Of a batch of 2, batch normalization has next to no gradient to compare."""
FRAMEWORKS = ("torch", "tensorflow")


def case(layer: Layer, framework: str, mode: str) -> Case:
    params = next(iter(layer.presets.values()))
    where = (layer.name, framework, "cpu", mode, "eager", "float32")
    return Case(*where, 1, BATCH, SEQ if layer.has_seq else None, tuple(params.items()))


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_layers_compute_their_reference_and_its_gradients(framework: str) -> None:
    if not frameworks.installed(framework):
        pytest.skip(f"{framework} is not installed")
    planned = [
        case(layer, framework, mode)
        for layer in LAYERS.values()
        if layer.family not in CHECKED_ELSEWHERE
        for mode in ("forward", "train")
    ]
    cases = [one for one in planned if not ruled_out(one, LAYERS[one.layer])]
    answers = found(cases, warnings="default")
    assert {case_id: said for case_id, said in answers.items() if said != OK} == {}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
class TestDeclarations:
    def test_a_case_of_each_preset_reads_back_from_its_id(self, layer: Layer) -> None:
        for params in layer.presets.values():
            seq = SEQ if layer.has_seq else None
            where = (layer.name, "any", "cpu", "train", "eager", "float32")
            planned = Case(*where, 1, BATCH, seq, tuple(params.items()))
            assert Case.parse(planned.id) == planned

    def test_work_is_counted_in_python_ints(self, layer: Layer) -> None:
        """NumPy's would overflow, and JSON refuses them."""
        for mode in ("forward", "train"):
            c = Config.of(case(layer, "any", mode))
            if layer.not_applicable(c):
                continue
            counts = [layer.flops(c), math.prod(layer.output(c))]
            counts += [own(c) for own in (layer.backward_flops, layer.products) if own]
            counts += [layer.traffic(c, 4)] if layer.traffic else []
            assert all(type(count) is int and count >= 0 for count in counts), counts
            assert layer.products is None or layer.products(c) <= layer.flops(c)

    def test_it_is_built_somewhere_and_says_why_not_elsewhere(self, layer: Layer) -> None:
        assert layer.builders
        for builder in ("torch", "keras"):
            assert builder in layer.builders or layer.lacking.get(builder)

    def test_its_formula_says_what_it_computes(self, layer: Layer) -> None:
        assert layer.formula

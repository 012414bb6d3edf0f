"""What a page can be narrowed by."""

from __future__ import annotations

from frames import frame, row
from markupsafe import Markup

from harness.report import facets, page, rows


def test_a_facet_with_one_value_is_no_choice() -> None:
    members = [row(), row(mode="train"), row(mode="backward")]
    assert facets.choices(rows.read(frame(members))) == {"mode": ["forward", "backward", "train"]}
    assert facets.choices([]) == {}


def test_values_stand_in_the_usual_order() -> None:
    names = [("lstm", "tensorflow"), ("dense", "torch"), ("gru", "jax")]
    members = [row(layer=layer, framework=framework) for layer, framework in names]
    found = facets.choices(rows.read(frame(members)))
    assert found["layer"] == ["dense", "gru", "lstm"]
    assert found["framework"] == ["torch", "jax", "tensorflow"]


def test_several_values_of_an_element_are_lines() -> None:
    members = rows.read(frame([row(), row(framework="jax"), row(batch=1)]))
    found = facets.of(members)
    assert found["framework"] == "torch\njax"
    assert found["layer"] == "dense"
    assert facets.lines(["a\nb", "a b", ""]) == "a b"


def test_attributes_stay_attributes_whatever_a_value_holds() -> None:
    text = page.data(facets.NAMES, {"layer": '"><script>\u202e', "mode": ""})
    assert text == Markup(' data-layer="&#34;&gt;&lt;script&gt;\ufffd"')


def test_a_comparison_is_of_both_its_frameworks() -> None:
    found = facets.of_configurations({"layer": "lstm", "mode": "train"}, "torch eager", "jax eager")
    assert found == {"layer": "lstm", "mode": "train", "framework": "torch\njax"}


def test_attributes_are_of_what_there_is_a_choice_of() -> None:
    assert page.data(["layer"], {"layer": "lstm", "device": "cpu"}) == Markup(' data-layer="lstm"')

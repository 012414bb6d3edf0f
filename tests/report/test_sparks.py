"""Small drawings: few signs, whole pixels, and nothing that is markup."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from histories import noise, stored

from harness.gate.history import histories
from harness.report import sparks
from harness.report.history import sparkline
from harness.report.sparks import Label, Mark


def test_a_line_goes_from_point_to_point_in_few_signs() -> None:
    assert sparks.line([(0, 9), (2, 4), (5, 12), (5, 12)]) == "M0 9l2-5 3 8 0 0"


def test_a_single_point_is_a_line_of_no_length_which_round_ends_make_a_dot() -> None:
    assert sparks.line([(3, 4)]) == "M3 4h0"


def test_bars_are_one_outline_in_which_equal_neighbours_are_one() -> None:
    assert sparks.bars(10, [0, 5, 5, 2], 4) == "M10 0h0v4h5v8h-3v4H10z"


def test_an_axis_is_logarithmic_with_its_greatest_value_at_the_top() -> None:
    place = sparks.upward(1e-3, 1e-1, 40)
    assert [place(value) for value in (1e-3, 1e-2, 1e-1)] == [40, 20, 0]
    assert place(math.sqrt(1e-3 * 1e-2)) == 30


@pytest.mark.parametrize("evil", ['"><script>', "<b>", "'&"])
def test_words_stay_text(evil: str) -> None:
    text = str(sparks.drawing("kind", [Mark("line", "M0 0h1")], [Label(8, evil)], evil))
    assert evil not in text
    assert text.count("<") == 5


def test_a_drawing_without_words_is_not_read_out() -> None:
    marks = [Mark("line", "M0 0h1")]
    assert sparks.drawing("kind", marks).startswith('<svg class="kind" aria-hidden="true">')
    told = sparks.drawing("kind", marks, description="says so")
    assert told.startswith('<svg class="kind" role="img" aria-label="says so">')


def test_the_last_dot_of_a_sparkline_is_whole_after_a_step_either_way() -> None:
    for step in (0.3, -0.3):
        table, runs = stored([noise(12) + np.where(np.arange(12) >= 11, step, 0.0)])
        (history,) = histories(table, runs)
        (case,) = history.cases
        found = re.search(r'class="last" d="M\d+ (\d+)h0"', sparkline.sparkline(case, "told"))
        assert found
        assert 3 <= int(found[1]) <= sparkline.HEIGHT - 3, "half of its width is 3"

"""``layerbench draw``, as typed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from harness import cli
from harness.report import pattern as drawing
from suites.sparse_attention import BIGBIRD_ATTENTION as BIGBIRD

LAYERS = ("bigbird", "block_sparse", "dilated", "longformer", "sliding_window", "strided")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def colour(name: str) -> np.ndarray[Any, Any]:
    return np.array([int(name[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def squares(image: np.ndarray[Any, Any], seq: int) -> np.ndarray[Any, Any]:
    """What a drawing shows, read back from its pixels, (queries, keys)."""
    rgb = image[..., :3]
    seen, unseen = (
        abs(rgb - colour(name)).max(axis=-1) < 0.02 for name in (drawing.SEEN, drawing.UNSEEN)
    )
    rows = np.flatnonzero((seen | unseen).mean(axis=1) > 0.5)  # the squares, not the legend
    columns = np.flatnonzero((seen | unseen).mean(axis=0) > 0.5)
    top, left = rows[0], columns[0]
    side = round((rows[-1] + 1 - top) / seq)
    middles = side * np.arange(seq) + side // 2
    return seen[np.ix_(top + middles, left + middles)]


@pytest.mark.parametrize("name", LAYERS)
def test_every_sparse_layer_is_drawn_by_how_its_name_begins(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["draw", name, "--seq", "40"]) == 0
    file = Path(f"{name}_attention-40.png")
    assert capsys.readouterr().out == f"{file}\n"
    assert file.read_bytes()[:4] == b"\x89PNG"


def test_a_default_drawing_has_256_queries() -> None:
    assert cli.main(["draw", "bigbird"]) == 0
    assert Path("bigbird_attention-256.png").is_file()


def test_a_drawing_has_queries_down_and_keys_across() -> None:
    pattern = np.random.default_rng(0).random((20, 20)) < 0.4
    image = drawing.draw(pattern, "name", "parameters", "complexity", "source", "png")
    np.testing.assert_array_equal(squares(imread(io.BytesIO(image)), 20), pattern)


def test_a_causal_drawing_shows_nothing_ahead() -> None:
    typed = ["draw", "longformer_attention", "--seq", "24", "--param", "causal=True"]
    assert cli.main([*typed, "--param", "window=3", "-o", "causal.PNG"]) == 0
    i, j = np.arange(24)[:, None], np.arange(24)
    wanted = (j <= i) & ((i - j <= 3) | (j < 2))
    np.testing.assert_array_equal(squares(imread("causal.PNG", format="png"), 24), wanted)


def test_an_svg_tells_the_density_and_the_citation_and_is_the_same_each_time() -> None:
    typed = ["draw", "bigbird", "--seq", "64", "--preset", "bert_like", "--out"]
    assert cli.main([*typed, "one.svg"]) == cli.main([*typed, "two.svg"]) == 0
    text = Path("one.svg").read_text(encoding="utf-8")
    assert text == Path("two.svg").read_text(encoding="utf-8")
    for said in ("100 % of 4,096 scores", "global_blocks 2", BIGBIRD.source, BIGBIRD.complexity):
        assert said in text
    assert "head_dim 64" not in text


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["bigbrd"], "unknown layer 'bigbrd'; nearest: bigbird_attention"),
        (["lstm"], "lstm has no pattern to draw; these have: additive_attention"),
        (
            ["topk"],
            "topk_attention has no pattern to draw: which keys a query attends to depends on the "
            "data; these have: additive_attention",
        ),
        (["b"], "'b' may be each of bigbird_attention, block_sparse_attention; say which one"),
        (["performer"], "performer_attention has no pattern to draw; these have: additive"),
        (["l", "--param", "stride=2"], "unknown parameter 'stride'"),  # longformer is the only one
        (["bigbird", "-o", "x.jpg"], "x.jpg ends in neither .png nor .svg"),
        (["bigbird", "-o", "no/folder/x.png"], "cannot write to no/folder/x.png"),
        (["bigbird", "--preset", "textbok"], "unknown preset 'textbok'; nearest: textbook"),
        (["bigbird", "--param", "blok=2"], "unknown parameter 'blok'; nearest: block"),
        (["bigbird", "--param", "block=2,4"], "block has 2 values"),
        (["bigbird", "--param", "block=0"], "block = 0 is not 1 or more"),
        (["flex_document", "--param", "mean_length=0"], "mean_length = 0 is not 1 or more"),
        (["attention_plain", "--param", "padding=5"], "padding = 5 is not 0 or more and less than"),
        (
            ["grouped_query_attention", "--param", "kv_heads=3"],
            "layer grouped_query_attention: kv_heads = 3 is not 1 or more and a divisor of heads",
        ),
        (["bigbird", "--param", "causal=1"], "causal = 1 is not True or False"),
        (["bigbird", "--seq", "100000"], "--seq 100000 is more than can be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_line(
    typed: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["draw", *typed]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert len(said.splitlines()) == 1
    assert not list(Path().iterdir())

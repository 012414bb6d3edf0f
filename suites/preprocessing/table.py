"""Layers of tables and of text: numbers and words that become indices or codes.

What is drawn are whole numbers; where a layer takes text, its builder writes them as words. Looking
up and hashing are no floating point operations: those layers count none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, Tensor, integers, normal
from harness.types import Value
from suites.preprocessing.declaration import preprocessing
from suites.preprocessing.hashes import crossed, fingerprint

INDEX_BYTES = 8
EPSILON = 1e-7
"""Keras's own; the least standard deviation that normalization divides by."""

# Naumov et al. (2019), arXiv:1906.00091: Criteo's advertisements, 13 numbers and 26 categories.
NUMBERS, CATEGORIES = {"features": 13}, {"features": 26}
FEW = {"features": 8}


def _items(c: Config) -> tuple[int, int]:
    return (c.batch, c.features)


def _words(c: Config) -> tuple[int, int]:
    return (c.batch, c.seq)


def _alone(c: Config) -> tuple[int]:
    return (c.batch,)


def _table(
    name: str,
    keras_name: str,
    arguments: Callable[[Config], Mapping[str, Any]],
    formula: str,
    presets: Mapping[str, Mapping[str, Value]],
    reference: Callable[[Array, Config], Array],
    drawn: Callable[[Config], Tensor],
    *,
    output: Callable[[Config], tuple[int, ...]] = _items,
    flops: Callable[[Config], int] = lambda c: 0,
    native: Callable[[Arrays, Config], tuple[Array, ...]] = lambda inputs, c: (inputs["x"],),
    call: Callable[..., Any] = lambda module, c, x: module(x),
    has_seq: bool = False,
) -> Layer:
    def build(c: Config) -> Any:
        import keras

        return getattr(keras.layers, keras_name)(**arguments(c))

    def traffic(c: Config, item: int) -> int:
        tensor = drawn(c)
        size = INDEX_BYTES if tensor.kind == "integers" else item
        return size * tensor.size + INDEX_BYTES * int(np.prod(output(c)))

    return preprocessing(
        Builder(build, inputs=native, call=call, covers=(f"keras.layers.{keras_name}",)),
        name=name,
        formula=formula,
        presets=presets,
        inputs=lambda c: {"x": drawn(c)},
        output=output,
        reference=lambda inputs, weights, c: reference(inputs["x"], c),
        flops=flops,
        traffic=traffic,
        has_seq=has_seq,
    )


def _moments(c: Config) -> tuple[Array, Array]:
    """Mean and variance that were found before."""
    return np.linspace(-1, 1, c.features), np.linspace(0.5, 2, c.features)


def _normalized(x: Array, c: Config) -> Array:
    mean, variance = _moments(c)
    return (x - mean) / np.maximum(np.sqrt(variance), EPSILON)


def _boundaries(c: Config) -> list[float]:
    """Of bins, all but the outer ones of the same width."""
    edges: list[float] = np.linspace(-2, 2, c.bins - 1).tolist()
    return edges


def _encoded(x: Array, c: Config) -> Array:
    codes = np.zeros((c.batch, c.tokens))
    np.put_along_axis(codes, x, 1, axis=1)
    return codes


def _hashed(x: Array, c: Config) -> Array:
    hashes: Array = np.vectorize(fingerprint, otypes=[np.uint64])(x)
    return hashes % np.uint64(c.bins)


def _crossed(x: Array, c: Config) -> Array:
    return np.array([crossed(tuple(pair)) % c.bins for pair in x.tolist()])


# Every second number is in the vocabulary; the rest shares the one index for what is unknown.
def _known(c: Config) -> list[int]:
    return list(range(0, 2 * c.vocabulary, 2))


def _looked_up(first: int) -> Callable[[Array, Config], Array]:
    """Indices of what is known from `first` on; before it stands the one of the unknown."""
    return lambda x, c: np.where(x % 2 == 0, x // 2 + first, first - 1)


def _word(number: int) -> str:
    return f"w{number}"


def _vocabulary(c: Config) -> dict[str, Any]:
    return {"vocabulary": [_word(number) for number in _known(c)]}


def _as_words(inputs: Arrays, c: Config) -> tuple[Array, ...]:
    return (np.array([[_word(number) for number in row] for row in inputs["x"].tolist()]),)


def _as_texts(inputs: Arrays, c: Config) -> tuple[Array, ...]:
    """Sentences of words in upper case, with punctuation, for a layer that strips both."""
    sentences = (", ".join(map(_word, row)) for row in inputs["x"].tolist())
    return (np.array([f"{sentence.upper()}." for sentence in sentences]),)


def _from_vocabulary(shape: Callable[[Config], tuple[int, int]]) -> Callable[[Config], Tensor]:
    return lambda c: integers(*shape(c), high=2 * c.vocabulary)


TABLES = (
    _table(
        "normalization",
        "Normalization",
        lambda c: dict(zip(("mean", "variance"), _moments(c), strict=True)),
        "y = (x - mean) / sqrt(variance), a feature at a time, both found before",
        {"textbook": FEW, "criteo": NUMBERS},
        _normalized,
        lambda c: normal(*_items(c)),
        flops=lambda c: 2 * c.batch * c.features,
    ),
    # A hundred bins are a usual choice, and no figure of that paper.
    _table(
        "discretization",
        "Discretization",
        lambda c: {"bin_boundaries": _boundaries(c)},
        "y = how many boundaries are x or less",
        {"textbook": {**FEW, "bins": 10}, "criteo": {**NUMBERS, "bins": 100}},
        lambda x, c: np.digitize(x, _boundaries(c)),
        lambda c: normal(*_items(c)),
    ),
    # He et al. (2017), arXiv:1708.05031, table 1: MovieLens 1M, 3,706 films, 166 ratings a user.
    _table(
        "category_encoding",
        "CategoryEncoding",
        lambda c: {"num_tokens": c.tokens, "output_mode": "multi_hot"},
        "y[k] = 1 if k is among x, else 0",
        {
            "textbook": {**FEW, "tokens": 100},
            "movielens_1m": {"features": 166, "tokens": 3706},
        },
        _encoded,
        lambda c: integers(*_items(c), high=c.tokens),
        output=lambda c: (c.batch, c.tokens),
    ),
    _table(
        "hashing",
        "Hashing",
        lambda c: {"num_bins": c.bins},
        "y = FarmHash64(x in decimal) mod bins",
        {"textbook": {**FEW, "bins": 100}, "criteo": {**CATEGORIES, "bins": 100_000}},
        _hashed,
        lambda c: integers(*_items(c), high=10**9),
    ),
    _table(
        "hashed_crossing",
        "HashedCrossing",
        lambda c: {"num_bins": c.bins},
        "y = hash of two numbers together, mod bins",
        {"textbook": {"bins": 100}, "criteo": {"bins": 100_000}},
        _crossed,
        lambda c: integers(c.batch, 2, high=10**9),
        output=_alone,
        native=lambda inputs, c: (inputs["x"][:, 0], inputs["x"][:, 1]),
        call=lambda module, c, left, right: module((left, right)),
    ),
    _table(
        "integer_lookup",
        "IntegerLookup",
        lambda c: {"vocabulary": _known(c)},
        "y = index of x in the vocabulary, from 1 on, or 0",
        {
            "textbook": {**FEW, "vocabulary": 100},
            "criteo": {**CATEGORIES, "vocabulary": 100_000},
        },
        _looked_up(first=1),
        _from_vocabulary(_items),
    ),
    # Devlin et al. (2018), arXiv:1810.04805: BERT's 30,522 pieces of words, some of them reserved.
    _table(
        "string_lookup",
        "StringLookup",
        _vocabulary,
        "y = index of the word x in the vocabulary, from 1 on, or 0",
        {"textbook": {"vocabulary": 100}, "bert": {"vocabulary": 30_522}},
        _looked_up(first=1),
        _from_vocabulary(_words),
        output=_words,
        native=_as_words,
        has_seq=True,
    ),
    _table(
        "text_vectorization",
        "TextVectorization",
        _vocabulary,
        "y = index of each word of the text x, in lower case and without punctuation, from 2 on, "
        "or 1",
        {"textbook": {"vocabulary": 100}, "bert": {"vocabulary": 30_522}},
        _looked_up(first=2),
        _from_vocabulary(_words),
        output=_words,
        native=_as_texts,
        has_seq=True,
    ),
)

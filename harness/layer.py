"""What a layer is: declared once, with everything needed to build, check and count it.

A suite file holds `Layer` objects, or tuples of them, at module level, and nothing else has to know
of them. See
CONTRIBUTING.md for a worked example.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.checks import Allowed, check_layer_params
from harness.types import Case, UsageError, Value, check_name, check_value

Array: TypeAlias = NDArray[Any]
Arrays: TypeAlias = Mapping[str, Array]
Places: TypeAlias = tuple[Array, ...]
"""Of rows of an output: an array of indices for each of its axes but the last."""


@dataclass(frozen=True)
class Config:
    """The sizes one case asks for; the layer's own parameters are attributes too: ``c.units``.

    Attributes:
        batch: batch size.
        length: sequence length, None for layers without one; `seq` where there is one.
        training: True in the modes backward and train, where layers such as batch
            normalization and dropout behave as they do in training.
    """

    batch: int
    length: int | None
    training: bool
    params: Mapping[str, Value]

    @classmethod
    def of(cls, case: Case) -> Config:
        return cls(case.batch, case.seq, case.mode != "forward", dict(case.params))

    @property
    def seq(self) -> int:
        """Sequence length.

        Raises:
            UsageError: the layer is declared without a sequence axis.
        """
        if self.length is None:
            raise UsageError("c.seq of a layer that has no sequence axis: declare has_seq=True")
        return self.length

    def __getattr__(self, name: str) -> Any:
        params = self.__dict__.get("params", {})
        if name not in params:
            known = ", ".join((*RESERVED, *params))
            raise AttributeError(f"no parameter {name!r} is declared; there are: {known}")
        return params[name]


RESERVED = ("batch", "seq", "training")
"""What a config has by itself, so that no parameter can be called that."""


NEXT_TO_ZERO = 2.0**-20
"""Of a distribution's width: small, and no subnormal number in any dtype."""


@dataclass(frozen=True)
class Tensor:
    """The shape of one canonical input or weight, and the distribution it is drawn from."""

    shape: tuple[int, ...]
    kind: Literal["normal", "uniform", "integers", "orthogonal", "labels", "one_hot"] = "normal"
    low: float = 0.0
    high: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    trainable: bool = True

    def __post_init__(self) -> None:
        """Raises UsageError: there is nothing in it; parameters of a layer may have led to that."""
        if any(length < 1 for length in self.shape):
            raise UsageError(f"a tensor of shape {self.shape} has no elements")

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def draw(self, rng: np.random.Generator) -> Array:
        """Values as float32, or int64 for ``integers``.

        Of those that are trained none is exactly 0 unless all are: at a kink there (of relu, say) a
        derivative is a matter of convention, and among millions of float32 normals some are 0.
        """
        if self.kind == "integers":
            return rng.integers(int(self.low), int(self.high), self.shape, dtype=np.int64)
        if self.kind == "labels":
            return rng.choice(np.array([self.low, self.high], np.float32), self.shape)
        if self.kind == "one_hot":
            chosen = rng.integers(self.shape[-1], size=self.shape[:-1])
            return np.equal.outer(chosen, np.arange(self.shape[-1])).astype(np.float32)
        if self.kind == "uniform":
            values = rng.uniform(self.low, self.high, self.shape).astype(np.float32)
            width = self.high - self.low
        elif self.kind == "orthogonal":
            values = _orthogonal(rng, *self.shape).astype(np.float32)
            width = self.std
        else:
            values = rng.standard_normal(self.shape, dtype=np.float32)
            values *= np.float32(self.std)
            values += np.float32(self.mean)
            width = self.std
        values[values == 0] = width * NEXT_TO_ZERO
        return values


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Each row is distributed as N(0, 1) vectors are, with their lengths.

    Source: Yu et al. (2016), arXiv:1610.09072.
    """
    blocks = []
    for _ in range(-(-rows // columns)):
        q, r = np.linalg.qr(rng.standard_normal((columns, columns)))
        blocks.append(q * np.sign(np.diag(r)))  # without the signs its directions are not uniform
    lengths = np.sqrt(rng.chisquare(columns, size=(rows, 1)))
    directions: Array = np.concatenate(blocks)[:rows]
    return directions * lengths


def normal(*shape: int, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Values from N(mean, std²)."""
    return Tensor(shape, "normal", mean=mean, std=std)


def uniform(*shape: int, low: float, high: float, trainable: bool = True) -> Tensor:
    """Values from U(low, high)."""
    return Tensor(shape, "uniform", low=low, high=high, trainable=trainable)


def orthogonal(rows: int, columns: int) -> Tensor:
    """N(0, 1) vectors as rows, orthogonal to each other in blocks of `columns`; not trained."""
    return Tensor((rows, columns), "orthogonal", trainable=False)


def integers(*shape: int, high: int) -> Tensor:
    """Indices from 0 to high - 1; they have no gradient."""
    return Tensor(shape, "integers", high=high, trainable=False)


def labels(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Each `low` or `high`, as often; targets, which have no gradient."""
    return Tensor(shape, "labels", low=low, high=high, trainable=False)


def one_hot(*shape: int) -> Tensor:
    """A single 1 along the last axis, beside zeros; targets, which have no gradient."""
    return Tensor(shape, "one_hot", trainable=False)


def glorot(*shape: int) -> Tensor:
    """A matrix or kernel (..., fan_in, fan_out) from N(0, 2 / (fan_in + fan_out)).

    Axes before the last two count as receptive field. Keeps recurrent layers out of saturation.
    Source: Glorot and Bengio (2010), equation 16.
    """
    field_size = int(np.prod(shape[:-2], dtype=np.int64))
    return normal(*shape, std=float(np.sqrt(2 / (field_size * (shape[-2] + shape[-1])))))


def _in_order(arrays: Arrays, _config: Config) -> tuple[Array, ...]:
    return tuple(arrays.values())


def _call(module: Any, _config: Config, *inputs: Any) -> Any:
    return module(*inputs)


@dataclass(frozen=True)
class Builder:
    """How one framework makes the layer, and how its layouts differ from the canonical ones.

    Attributes:
        build: config -> the framework's own module, its weights not yet set.
        weights: (canonical weights, config) -> the module's weights by name, as NumPy arrays.
            An affine map: transposes, stacked gates, a bias set to zero. Every trainable weight
            of the module must be named.
        inputs: (canonical inputs, config) -> the arrays the module is called with, in order. A
            rearrangement such as channels first to last.
        output: (the module's output, config) -> canonical layout. A rearrangement likewise.
        call: (module, config, *tensors) -> the output tensor, in the framework's own operations;
            traced by compilers, and timed.
        covers: the framework's public names that are timed here, such as ``torch.nn.Linear``; see
            `harness.coverage`.
        unsupported: config -> why the framework cannot do it in these sizes, or with these
            parameters; empty if it can.
        channels_last: config -> whether images stand in memory with their channels last while
            their axes stay in order, which only torch can tell apart (its memory formats).
    """

    build: Callable[[Config], Any]
    weights: Callable[[Arrays, Config], Arrays] = lambda weights, config: weights
    inputs: Callable[[Arrays, Config], tuple[Array, ...]] = _in_order
    output: Callable[[Array, Config], Array] = lambda output, config: output
    call: Callable[..., Any] = _call
    covers: tuple[str, ...] = ()
    unsupported: Callable[[Config], str] = lambda config: ""
    channels_last: Callable[[Config], bool] = lambda config: False


@dataclass(frozen=True)
class Observation:
    """What a framework computed, in canonical layout, for a layer's own `check`.

    Attributes:
        inputs: the inputs as the framework saw them, rounded to the case's dtype, as float64.
        output: likewise.
        upstream: the gradient that was fed into the output, or None in forward mode.
        input_gradients: by input name; empty in forward mode.
    """

    inputs: Arrays
    output: Array
    upstream: Array | None
    input_gradients: Arrays


class Mismatch(Exception):  # noqa: N818 - a verdict on the layer, not an error of the program
    """The layer does not compute what it should; the message says how that shows.

    Attributes:
        error: how far off it is, relative, if that is a number.
    """

    def __init__(self, message: str, error: float | None = None) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class Layer:
    """One layer type, declared once for all frameworks.

    Attributes:
        name: lower_case, unique.
        family: such as ``linear``, ``recurrent``; the file in ``suites/`` it lives in.
        formula: what it computes, as text.
        presets: named sets of parameters, all with the same names. The first one is the
            default of short sweeps.
        allowed: which numbers a parameter may be; if not said, a whole number is 1 or more, or as
            little as in a preset.
        inputs: config -> canonical inputs by name, in call order.
        weights: config -> canonical weights by name; those with ``trainable=False`` are state,
            such as running statistics.
        output: config -> shape of the canonical output.
        reference: (inputs, weights, config) -> output in float64 NumPy, written from the
            formula. Gradients are derived from it.
        flops: config -> floating point operations of one forward call; a multiply-add is 2.
        backward_flops: config -> of the backward pass alone; twice the forward pass if not said,
            because each product has a gradient for both of its operands.
        traffic: (config, bytes of an element) -> bytes that one forward call has to move, where
            it is not every input, weight and output once: an embedding reads a few rows only.
        terms: config -> operations behind one result, for the tolerance that rounding is given;
            ``flops`` over the size of the output if not said, which is too few where most of the
            work goes into a few results, such as the mean and variance of a normalization.
        builders: by framework family: ``torch``, and ``keras`` for Keras on any backend.
        lacking: by framework family, why it cannot have a builder.
        has_seq: whether the layer has a sequence axis.
        not_applicable: config -> why it makes no sense for this layer; empty if it does.
        check: replaces the comparison with the reference for layers whose output is random:
            (observation, config, tolerance) -> error; what decides is whether it raises
            `Mismatch`. The tolerance is that of a few roundings.
        products: config -> the part of ``flops`` that is in matrix products, which independent
            counters see; `harness.verify.work` holds it against them.
        check_length: longest sequence at which the reference is asked. A longer case is checked in
            this length and a small batch, where float64 NumPy does not take longer than the sweep.
        decided: (inputs, weights, config) -> which results hang on no choice so close that rounding
            may make it otherwise, booleans that go with the output. The others are not compared,
            and their upstream gradient is 0.
        pattern: config -> which keys each query attends to, booleans of (queries, keys).
        density: config -> share of full attention's scores that count in the result; above 1 where
            several attentions are summed up that have more together.
        approximated: (inputs, weights, config, places) -> what the layer stands in for, in float64,
            at those rows of the output: (rows, last axis). How far off the layer is there becomes
            a figure of the row, and no failure. Values come as they were drawn, in float32, since
            all of a long sequence's in float64 may take more memory than the layer.
        complexity: how the work of one item of the batch grows, such as ``O(seq · window · heads ·
            head_dim)``, in the sequence length and the layer's own parameters.
        source: paper or text that the formula is from.
    """

    name: str
    family: str
    formula: str
    presets: Mapping[str, Mapping[str, Value]]
    inputs: Callable[[Config], Mapping[str, Tensor]]
    output: Callable[[Config], tuple[int, ...]]
    flops: Callable[[Config], int]
    builders: Mapping[str, Builder]
    lacking: Mapping[str, str] = field(default_factory=dict)
    reference: Callable[[Arrays, Arrays, Config], Array] | None = None
    weights: Callable[[Config], Mapping[str, Tensor]] = lambda config: {}
    has_seq: bool = False
    backward_flops: Callable[[Config], int] | None = None
    traffic: Callable[[Config, int], int] | None = None
    terms: Callable[[Config], int] | None = None
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    not_applicable: Callable[[Config], str] = lambda config: ""
    check: Callable[[Observation, Config, float], float] | None = None
    products: Callable[[Config], int] | None = None
    check_length: int | None = None
    decided: Callable[[Arrays, Arrays, Config], Array] | None = None
    pattern: Callable[[Config], Array] | None = None
    density: Callable[[Config], float] | None = None
    approximated: Callable[[Arrays, Arrays, Config, Places], Array] | None = None
    complexity: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError: the declaration is not sound; the message says where."""
        if problem := next(_problems(self), ""):
            raise ValueError(f"layer {self.name!r} {problem}")


_OTHER_NAMES = {"pytorch": "torch", "tensorflow": "keras", "tf": "keras"}
"""Of builders, as one might guess them."""


def _problems(layer: Layer) -> Iterator[str]:
    """What is wrong with a declaration, as the end of a sentence that begins with its name."""
    try:
        check_name("layer", layer.name)
    except UsageError as error:
        yield f"cannot be called that: {error}"
    if not layer.presets:
        yield "has no preset"
    for name, preset in layer.presets.items():
        if not isinstance(preset, Mapping):
            yield f"has a preset {name!r} that is not parameters by name: {preset!r}"
            return
        try:
            for key, value in preset.items():
                check_name("parameter", key)
                check_value(key, value)
        except UsageError as error:
            yield f"has a preset {name!r} that will not do: {error}"
        if taken := sorted(preset.keys() & set(RESERVED)):
            yield f"has a parameter {taken[0]!r}, which every config has already"
    if len({frozenset(preset) for preset in layer.presets.values()}) > 1:
        yield "has presets with different parameters"
        return
    yield from _not_allowed(layer)
    if layer.reference is None and layer.check is None:
        yield "needs a reference or a check"
    for key in (*layer.builders, *layer.lacking):
        if key in _OTHER_NAMES:
            yield f"has a builder {key!r}; it is called {_OTHER_NAMES[key]!r}"
    if both := sorted(layer.builders.keys() & layer.lacking.keys()):
        yield f"has a builder {both[0]!r}, and says why it lacks one"
    for key, builder in layer.builders.items():
        if not isinstance(builder, Builder):
            yield f"has a builder {key!r} that is no Builder: {key!r}: Builder(...)"


def _not_allowed(layer: Layer) -> Iterator[str]:
    """Of a declaration whose presets have the same parameters."""
    for usual in layer.presets.values():
        of_others = {range_.divides for range_ in layer.allowed.values() if range_.divides}
        if unknown := sorted((layer.allowed.keys() | of_others) - usual.keys()):
            yield f"says what {unknown[0]!r} may be, which is no parameter of it"
            return
        try:
            check_layer_params(layer.name, usual, layer.presets.values(), layer.allowed)
        except UsageError as error:
            yield f"has a preset that it does not allow: {error}"


def declared(kind: str, tensors: object) -> dict[str, Tensor]:
    """What a layer's ``inputs`` or ``weights`` returned, if it is tensors by name.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(tensors, Mapping) or not all(
        isinstance(tensor, Tensor) for tensor in tensors.values()
    ):
        raise ValueError(
            f"{kind} does not give tensors by name, such as {{'x': normal(c.batch, 64)}}"
        )
    return dict(tensors)


def canonical(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Array]:
    """Seeded values for a layer's tensors: the same in every framework, process and machine.

    Each tensor has its own stream, so that adding one leaves the others as they were.
    """
    return {
        key: tensor.draw(np.random.default_rng(zlib.crc32(f"{name}/{key}".encode())))
        for key, tensor in tensors.items()
    }

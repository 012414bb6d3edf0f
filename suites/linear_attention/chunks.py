"""A sequence cut into chunks of equal length, the last one padded with zeros.

Causal layers of linear cost compute the scores within a chunk, and carry what came before as a sum
of outer products: a state of (features, head_dim) a chunk, not a position.
"""

from __future__ import annotations

from typing import Any


def chunked(seq: int, chunk: int) -> tuple[int, int]:
    """(number of chunks, positions in each); no chunk is longer than the sequence."""
    length = min(chunk, seq)
    return -(-seq // length), length


def torch_split(x: Any, chunk: int) -> Any:
    """(..., seq, features) -> (..., chunks, positions, features)."""
    from torch.nn.functional import pad

    seq = x.shape[-2]
    chunks, length = chunked(seq, chunk)
    return pad(x, (0, 0, 0, chunks * length - seq)).unflatten(-2, (chunks, length))


def torch_join(x: Any, seq: int) -> Any:
    """What `torch_split` did, undone."""
    return x.flatten(-3, -2)[..., :seq, :]


def torch_before(states: Any) -> Any:
    """(..., chunks, m, d): to each chunk the state of the chunk before it, zeros to the first."""
    from torch.nn.functional import pad

    return pad(states, (0, 0, 0, 0, 1, -1))


def keras_split(x: Any, chunk: int) -> Any:
    """(batch, heads, seq, features) -> (batch, heads, chunks, positions, features)."""
    from keras import ops

    batch, heads, seq, features = x.shape
    chunks, length = chunked(seq, chunk)
    padded = ops.pad(x, ((0, 0), (0, 0), (0, chunks * length - seq), (0, 0)))
    return ops.reshape(padded, (batch, heads, chunks, length, features))


def keras_join(x: Any, seq: int) -> Any:
    """What `keras_split` did, undone."""
    from keras import ops

    batch, heads, chunks, length, features = x.shape
    return ops.reshape(x, (batch, heads, chunks * length, features))[:, :, :seq]


def keras_before(states: Any) -> Any:
    """As `torch_before`, of five axes."""
    from keras import ops

    return ops.pad(states[:, :, :-1], ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0)))

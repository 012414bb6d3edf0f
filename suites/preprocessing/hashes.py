"""The hash functions of TensorFlow's string operations, of whole numbers written in decimal.

In Python's own numbers, as they run over the few thousand values of a check. Sources: Pike (2014),
FarmHash, https://github.com/google/farmhash (Fingerprint64, of up to 16 bytes); TensorFlow,
tensorflow/core/platform/fingerprint.h (FingerprintCat64).
"""

from __future__ import annotations

from functools import lru_cache

BITS_64 = 2**64 - 1
K0, K2 = 0xC3A5C85C97CB3127, 0x9AE16A3B2F90404F
K_CAT = 0xC6A4A7935BD1E995
CROSS_KEY = 956888297470
"""What tf.sparse.cross_hashed begins with."""


@lru_cache(maxsize=2**16)
def fingerprint(number: int) -> int:
    """64 bits, of up to 16 digits."""
    text = str(number).encode()
    size = len(text)
    assert size <= 16, "the longer forms of the hash are not written down here"
    factor = K2 + 2 * size
    if size >= 8:
        first, last = _word(text[:8]) + K2, _word(text[-8:])
        u = _rotated(last, 37) * factor + first
        v = (_rotated(first & BITS_64, 25) + last) * factor
        return _mixed(u, v, factor)
    if size >= 4:
        return _mixed(size + (_word(text[:4]) << 3), _word(text[-4:]), factor)
    y, z = text[0] + (text[size // 2] << 8), size + (text[-1] << 2)
    return _shifted((y * K2 ^ z * K0) & BITS_64) * K2 & BITS_64


def crossed(numbers: tuple[int, ...]) -> int:
    """64 bits, of numbers that are not written down."""
    result = CROSS_KEY
    for number in numbers:
        result ^= K_CAT ^ (_shifted(number * K_CAT & BITS_64) * K_CAT & BITS_64)
        result = _shifted(result * K_CAT & BITS_64) * K_CAT & BITS_64
        result = _shifted(result)
    return result


def _word(text: bytes) -> int:
    return int.from_bytes(text, "little")


def _rotated(value: int, by: int) -> int:
    return (value >> by | value << 64 - by) & BITS_64


def _shifted(value: int) -> int:
    return value ^ value >> 47


def _mixed(u: int, v: int, factor: int) -> int:
    a = _shifted((u ^ v) * factor & BITS_64)
    b = _shifted((v ^ a) * factor & BITS_64)
    return b * factor & BITS_64

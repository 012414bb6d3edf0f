"""Spectrograms of sound."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.layer import Array, Arrays, Builder, Config, Layer, normal
from harness.types import UsageError
from suites.preprocessing.declaration import preprocessing

EPSILON = 1e-7
"""Keras's own."""
LOWEST_HZ, RATE_HZ = 20.0, 16_000
LEAST_POWER, MOST_DB = 1e-10, 80.0
"""Keras's defaults."""


def _frames(padded: int, c: Config) -> int:
    """How many windows there are in so many samples.

    Raises:
        UsageError: none.
    """
    if padded < c.window:
        raise UsageError(f"no window = {c.window} fits into samples = {c.samples}")
    return int(1 + (padded - c.window) // c.hop)


def _bins(c: Config) -> int:
    return int(c.window) // 2 + 1


def _windows(x: Array, c: Config) -> Array:
    """(batch, frames, window)."""
    views: Array = np.lib.stride_tricks.sliding_window_view(x, c.window, axis=1)
    return views[:, :: c.hop]


def _hann(length: int, periodic: bool) -> Array:
    steps = length if periodic else length - 1
    return 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(length) / steps)


def _mel_weights(c: Config) -> Array:
    """(bins, mels): triangles over frequencies that are evenly spaced in mel.

    Source: O'Shaughnessy (1987), Speech Communication, p. 150: 1127 log(1 + f / 700).
    """

    def mel(hertz: Any) -> Any:
        return 1127 * np.log1p(hertz / 700)

    at = mel(np.linspace(0, RATE_HZ / 2, _bins(c)))[:, None]
    edges = np.linspace(mel(LOWEST_HZ), mel(RATE_HZ / 2), c.mels + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (at - low) / (middle - low), (high - at) / (high - middle)
    weights: Array = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0  # a constant is no sound
    return weights


def _centered(c: Config) -> int:
    """Samples, with half a window of them mirrored at both ends."""
    return int(c.samples) + 2 * (int(c.window) // 2)


def _mel(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    half = c.window // 2
    padded = np.pad(inputs["x"], ((0, 0), (half, half)), mode="reflect")
    spectrum = np.fft.rfft(_windows(padded, c) * _hann(c.window, periodic=True))
    power = np.abs(spectrum) ** 2 @ _mel_weights(c)
    decibels = 10 * np.log10(np.maximum(power, LEAST_POWER))
    # Keras cuts off at 80 dB below the loudest of the whole batch.
    result: Array = np.maximum(decibels, decibels.max() - MOST_DB)
    return result.swapaxes(1, 2)


def _mel_products(c: Config) -> int:
    return int(c.batch) * _frames(_centered(c), c) * 2 * _bins(c) * int(c.mels)


def _mel_flops(c: Config) -> int:
    """A real transform as 5/2 n log2 n, the figure that FFTs are compared by (fftw.org/speed)."""
    transform = round(2.5 * c.window * math.log2(c.window))
    a_frame = c.window + transform + 3 * _bins(c) + 3 * c.mels
    return int(c.batch * _frames(_centered(c), c) * a_frame) + _mel_products(c)


def _keras_mel(c: Config) -> Any:
    import keras

    return keras.layers.MelSpectrogram(
        fft_length=c.window, sequence_stride=c.hop, num_mel_bins=c.mels, sampling_rate=RATE_HZ
    )


MEL_SPECTROGRAM = preprocessing(
    Builder(_keras_mel, covers=("keras.layers.MelSpectrogram",)),
    name="mel_spectrogram",
    formula="y = 10 log10(mel weights |FFT(hann x)|^2) of each window, cut off 80 below the most",
    presets={
        "textbook": {"samples": 2048, "window": 256, "hop": 128, "mels": 32},
        # Radford et al. (2022), arXiv:2212.04356, section 2.2: windows of 25 ms every 10 ms; here
        # of one second of sound.
        "whisper": {"samples": 16_000, "window": 400, "hop": 160, "mels": 80},
    },
    inputs=lambda c: {"x": normal(c.batch, c.samples)},
    output=lambda c: (c.batch, c.mels, _frames(_centered(c), c)),
    reference=_mel,
    flops=_mel_flops,
    products=_mel_products,
    # A triangle's side is a difference of two mels, mels + 1 times as large, and loses digits so.
    terms=lambda c: (c.mels + 1) ** 2,
    source="Davis and Mermelstein (1980), doi:10.1109/TASSP.1980.1163420",
)


def _fourier(c: Config) -> dict[str, Array]:
    """Keras's kernels, (window, 1, bins), which it takes the transform with as a convolution.

    The window is symmetric, and scaled to a sum of squares of 1.
    """
    window = _hann(c.window, periodic=False)
    angles = -2 * math.pi * np.outer(np.arange(c.window), np.arange(_fft_bins(c))) / _fft(c)
    scaled = (window / math.sqrt(float(window @ window)))[:, None]
    parts = {"real_kernel": np.cos(angles), "imag_kernel": np.sin(angles)}
    return {name: (part * scaled)[:, None] for name, part in parts.items()}


def _fft(c: Config) -> int:
    """The next power of 2."""
    return 1 << (int(c.window) - 1).bit_length()


def _fft_bins(c: Config) -> int:
    return _fft(c) // 2 + 1


def _stft(inputs: Arrays, _weights: Arrays, c: Config) -> Array:
    frames = _windows(inputs["x"], c)
    real, imaginary = (frames @ kernel[:, 0] for kernel in _fourier(c).values())
    magnitude: Array = np.sqrt(np.maximum(real**2 + imaginary**2, EPSILON))
    return magnitude


def _stft_products(c: Config) -> int:
    return int(c.batch) * _frames(c.samples, c) * 4 * int(c.window) * _fft_bins(c)


def _keras_stft(c: Config) -> Any:
    import keras

    # The default is its logarithm, of which rounding leaves few digits where it is next to 0.
    return keras.layers.STFTSpectrogram("magnitude", frame_length=c.window, frame_step=c.hop)


STFT_SPECTROGRAM: Layer = preprocessing(
    Builder(
        _keras_stft,
        weights=lambda weights, c: _fourier(c),
        inputs=lambda inputs, c: (inputs["x"][..., None],),
        covers=("keras.layers.STFTSpectrogram",),
    ),
    name="stft_spectrogram",
    formula="y = |STFT(x)|, with a Hann window of sum of squares 1, as a convolution",
    presets={
        "textbook": {"samples": 2048, "window": 256, "hop": 128},
        "whisper": {"samples": 16_000, "window": 400, "hop": 160},
    },
    inputs=lambda c: {"x": normal(c.batch, c.samples)},
    output=lambda c: (c.batch, _frames(c.samples, c), _fft_bins(c)),
    reference=_stft,
    # Two squares, their sum, a root.
    flops=lambda c: _stft_products(c) + 4 * c.batch * _frames(c.samples, c) * _fft_bins(c),
    products=_stft_products,
    source="https://keras.io/api/layers/preprocessing_layers/audio_preprocessing",
)

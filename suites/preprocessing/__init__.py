"""Preprocessing: what Keras does to images, sounds, tables and text ahead of a model."""

from suites.preprocessing.audio import MEL_SPECTROGRAM, STFT_SPECTROGRAM
from suites.preprocessing.places import PLACES, SEVERAL
from suites.preprocessing.table import TABLES
from suites.preprocessing.values import VALUES

__all__ = ["MEL_SPECTROGRAM", "PLACES", "SEVERAL", "STFT_SPECTROGRAM", "TABLES", "VALUES"]

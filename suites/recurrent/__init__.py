"""Recurrent layers: over sequences, one way and both, stacked; their cells; ConvLSTM; wrappers."""

from suites.recurrent.cells import CELLS
from suites.recurrent.conv_lstm import CONV_LSTMS
from suites.recurrent.sequences import BIDIRECTIONAL, GRU, LSTM, SIMPLE_RNN, STACKED
from suites.recurrent.wrappers import STACKED_CELLS, TIME_DISTRIBUTED

__all__ = [
    "BIDIRECTIONAL",
    "CELLS",
    "CONV_LSTMS",
    "GRU",
    "LSTM",
    "SIMPLE_RNN",
    "STACKED",
    "STACKED_CELLS",
    "TIME_DISTRIBUTED",
]

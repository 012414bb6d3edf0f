"""Why a framework has no builder for a layer; the usual reasons, said alike everywhere."""

from __future__ import annotations

NO_TORCH = {"torch": "torch.nn has no such layer"}
NO_KERAS = {"keras": "keras.layers has no such layer"}

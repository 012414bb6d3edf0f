"""What a case can run on: the machine, its CPU and its GPU, and what they disturb.

Nothing here imports a framework. One file a device; a device's memory is measured by whoever
allocates it, which on a GPU is the framework.
"""

from __future__ import annotations

import os

from harness.devices import cuda


def available() -> tuple[str, ...]:
    """The devices of this machine by name: ``cpu``, and ``cuda`` where there is an NVIDIA GPU.

    ``CUDA_VISIBLE_DEVICES`` set to nothing or to -1 hides the GPU, as it does for frameworks.
    """
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return ("cpu",) if hidden or not cuda.names() else ("cpu", "cuda")

"""GPUs are what nvidia-smi says, and whatever it does instead is no GPU."""

import sys
import time

import pytest

from harness import devices
from harness.devices import command, cuda

H100 = "NVIDIA H100 80GB HBM3, 570.86.15, 81559, 345, 1980, 700.00"


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Puts a program of this name, with a body in shell, first on the path."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(body: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


def test_each_line_is_a_gpu_in_si_units(nvidia_smi):
    nvidia_smi(f"echo '{H100}'; echo '{H100}'")
    assert (
        cuda.gpus()
        == (cuda.Gpu("NVIDIA H100 80GB HBM3", "570.86.15", 81559 * 2**20, 345.0, 1980.0, 700.0),)
        * 2
    )
    assert cuda.names() == ["NVIDIA H100 80GB HBM3"] * 2


def test_what_the_driver_does_not_know_is_none(nvidia_smi):
    nvidia_smi("echo 'NVIDIA GB10, 580.1, [N/A], [Not Supported], [N/A], [N/A]'")
    assert cuda.gpus() == (cuda.Gpu("NVIDIA GB10", "580.1", None, None, None, None),)


def test_a_driver_that_does_not_answer_right_is_no_gpu(nvidia_smi):
    nvidia_smi("echo 'NVIDIA-SMI has failed because it could not reach the driver'; exit 9")
    assert cuda.gpus() == ()


def test_without_the_program_there_is_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cuda.gpus() == ()


def test_a_program_that_hangs_is_given_up():
    start = time.monotonic()
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    assert command.output(*sleep, timeout_s=0.2) is None
    assert time.monotonic() - start < 30


def test_available_lists_the_gpu_beside_the_cpu(nvidia_smi):
    nvidia_smi(f"echo '{H100}'")
    assert devices.available() == ("cpu", "cuda")


@pytest.mark.parametrize("value", ["", "-1"])
def test_a_hidden_gpu_is_not_available(nvidia_smi, monkeypatch, value):
    nvidia_smi(f"echo '{H100}'")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert devices.available() == ("cpu",)


def test_the_cpu_alone_is_available_without_a_gpu(nvidia_smi):
    nvidia_smi("exit 9")
    assert devices.available() == ("cpu",)

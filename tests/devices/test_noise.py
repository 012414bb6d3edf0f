"""The noise floor says what its blocks say, and advice comes only where it applies."""

import pytest

from harness.devices import machine, noise

QUIET = noise.NoiseFloor(200, 0.005, 0.001, 0.0, 1e-8)


@pytest.fixture
def quiet_machine(monkeypatch):
    monkeypatch.setattr("psutil.getloadavg", lambda: (0.1, 0.1, 0.1))
    return {
        "cpu": {"logical_cores": 8, "governor": "performance", "turbo": False},
        "container": {"cpus": None},
    }


def test_equal_blocks_are_quiet():
    floor = noise._summary([0.005] * 200, 1e-8)
    assert floor == noise.NoiseFloor(200, 0.005, 0.0, 0.0, 1e-8)


def test_disturbed_blocks_are_counted_and_widen_the_tail():
    floor = noise._summary([0.005] * 180 + [0.006] * 20, 1e-8)
    assert floor.block_s == 0.005
    assert floor.disturbed == pytest.approx(0.1)
    assert floor.tail == pytest.approx(0.2)


def test_a_block_just_above_the_median_is_not_disturbed():
    assert noise._summary([0.005] * 10 + [0.0052], 1e-8).disturbed == 0.0


def test_this_machine_has_a_noise_floor(monkeypatch):
    monkeypatch.setattr(noise, "BLOCKS", 20)
    monkeypatch.setattr(noise, "DEADLINE_S", 60)
    floor = noise.noise_floor()
    assert floor.blocks == 20
    assert floor.block_s > 0
    assert floor.tail >= 0
    assert 0 <= floor.disturbed <= 0.5
    assert 0 < floor.clock_resolution_s < floor.block_s


def test_a_disturbed_machine_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(noise, "BLOCKS", 10**6)
    monkeypatch.setattr(noise, "DEADLINE_S", 0.05)
    assert 1 <= noise.noise_floor().blocks < 10**6


def test_a_quiet_machine_gets_no_advice(quiet_machine):
    assert noise.advice(quiet_machine, QUIET) == []


def test_what_is_unknown_gets_no_advice(quiet_machine):
    quiet_machine["cpu"] |= {"governor": None, "turbo": None}
    assert noise.advice(quiet_machine, QUIET) == []


@pytest.mark.parametrize(
    ("part", "change", "remedy"),
    [
        ("cpu", {"governor": "powersave"}, "cpupower frequency-set --governor performance"),
        ("cpu", {"turbo": True}, "intel_pstate/no_turbo"),
        ("cpu", {"logical_cores": 1}, "use a machine with two or more"),
        ("container", {"cpus": 2.5}, "may use 2.5 CPUs and sees 8"),
    ],
)
def test_each_fault_is_named_with_its_remedy(quiet_machine, part, change, remedy):
    quiet_machine[part] |= change
    (sentence,) = noise.advice(quiet_machine, QUIET)
    assert remedy in sentence


def test_disturbance_without_a_visible_cause_is_not_passed_over(quiet_machine):
    noisy = noise.NoiseFloor(200, 0.005, 0.2, 0.11, 1e-8)
    (sentence,) = noise.advice(quiet_machine, noisy)
    assert "--passes 10" in sentence


def test_a_container_limit_that_does_not_bind_is_no_fault(quiet_machine):
    quiet_machine["container"] = {"cpus": 8.0}
    assert noise.advice(quiet_machine, QUIET) == []


@pytest.mark.parametrize(("load", "count", "faults"), [(0.4, 2, 0), (1.5, 2, 1), (1.5, 64, 0)])
def test_load_counts_against_the_number_of_cpus(quiet_machine, monkeypatch, load, count, faults):
    monkeypatch.setattr("psutil.getloadavg", lambda: (load, 0.0, 0.0))
    quiet_machine["cpu"]["logical_cores"] = count
    assert len(noise.advice(quiet_machine, QUIET)) == faults


def test_advice_reads_what_the_machine_description_has():
    assert isinstance(noise.advice(machine.describe(), QUIET), list)


def test_the_clocks_resolution_is_the_smallest_step_seen():
    times = iter([0.0, 0.0, 0.0, 5e-6, *(n * 2e-6 for n in range(10, 200))])
    assert noise.clock_resolution(lambda: next(times)) == pytest.approx(2e-6)

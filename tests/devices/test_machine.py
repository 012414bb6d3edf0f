"""A machine is described in JSON types and keeps its name when software changes."""

import json
import re
import subprocess

import pytest

from harness.devices import cgroup, cuda, machine

H100 = cuda.Gpu("NVIDIA H100 80GB HBM3", "570.86.15", 81559 * 2**20, 345.0, 1980.0, 700.0)
MODEL = "AMD EPYC 7B13 64-Core Processor"


def identify(**changes):
    facts = {
        "model": MODEL,
        "core_count": 64,
        "memory_bytes": 251 * 2**30,
        "gpu_names": [],
        "installation": "0123456789abcdef",
    }
    return machine._machine_id(**{**facts, **changes})


def test_the_description_survives_json():
    description = machine.describe()
    assert json.loads(json.dumps(description)) == description


def test_the_description_has_every_field():
    description = machine.describe()
    assert set(description) == {
        *("machine_id", "cpu", "memory_bytes", "container", "gpus", "os", "python"),
        *("versions", "git_commit", "git_dirty"),
    }
    assert set(description["cpu"]) == {
        *("model", "logical_cores", "physical_cores", "governor", "turbo", "max_mhz"),
    }
    assert description["cpu"]["model"]
    assert description["cpu"]["logical_cores"] >= 1
    assert description["memory_bytes"] > 2**27
    assert description["versions"]["numpy"]


@pytest.mark.parametrize(
    ("files", "turbo"),
    [
        ({"intel_pstate/no_turbo": "0", "cpufreq/boost": "0"}, True),
        ({"intel_pstate/no_turbo": "1"}, False),
        ({"cpufreq/boost": "1"}, True),
        ({"cpufreq/boost": "0"}, False),
        ({}, None),
    ],
)
def test_turbo_is_read_from_either_driver(tmp_path, files, turbo):
    for name, text in files.items():
        path = tmp_path / "sys/devices/system/cpu" / name
        path.parent.mkdir(parents=True)
        path.write_text(text + "\n")
    assert machine.describe(tmp_path)["cpu"]["turbo"] is turbo


def test_the_cpu_is_named_by_the_kernel_and_every_governor_is_told(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(f"processor\t: 0\nmodel name\t: {MODEL}\nflags\t: fpu\n")
    for number, governor in enumerate(("performance", "powersave", "powersave")):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{number}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(governor + "\n")
    described = machine.describe(tmp_path)["cpu"]
    assert described["model"] == MODEL
    assert described["governor"] == "performance, powersave"


def test_gpus_are_described_and_named_in_the_id(monkeypatch):
    monkeypatch.setattr(cuda, "gpus", lambda: (H100,))
    description = machine.describe()
    assert description["gpus"] == [
        {
            "name": "NVIDIA H100 80GB HBM3",
            "driver": "570.86.15",
            "memory_bytes": 81559 * 2**20,
            "sm_clock_mhz": 345.0,
            "max_sm_clock_mhz": 1980.0,
            "power_limit_w": 700.0,
        }
    ]
    assert "-h100-80gb-hbm3-" in description["machine_id"]


@pytest.mark.parametrize(
    ("model", "slug"),
    [
        ("AMD EPYC", "amd-epyc"),
        (MODEL, "amd-epyc-7b13"),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", "intel-xeon"),
        ("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", "11th-gen-intel-core-i7-1165g7"),
        ("AMD Ryzen 7 5800U with Radeon Graphics", "amd-ryzen-7-5800u"),
        ("Apple M2 Pro", "apple-m2-pro"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "cpu"),
        ("x" * 300, "x" * 32),
    ],
)
def test_the_id_is_a_readable_name_and_safe_for_a_folder(model, slug):
    name = identify(model=model)
    assert re.fullmatch(rf"{slug}-64c-251g-[0-9a-f]{{6}}", name)


def test_several_gpus_are_counted_in_the_id():
    name = identify(gpu_names=[H100.name] * 8)
    assert name.startswith("amd-epyc-7b13-64c-251g-8x-h100-80gb-hbm3-")


def test_the_same_hardware_installed_twice_is_two_machines():
    assert identify() == identify()
    assert identify() != identify(installation="fedcba9876543210")


@pytest.mark.parametrize(
    "change",
    [{"model": "AMD EPYC"}, {"core_count": 32}, {"memory_bytes": 2**40}, {"gpu_names": ["A100"]}],
)
def test_other_hardware_is_another_machine(change):
    assert identify()[-6:] != identify(**change)[-6:]


def test_an_upgrade_of_software_keeps_the_id(monkeypatch):
    before = machine.describe()["machine_id"]
    monkeypatch.setattr(machine, "_versions", lambda: {"torch": "99.0"})
    monkeypatch.setattr("platform.platform", lambda: "Linux-99")
    monkeypatch.setattr(cgroup, "limits", lambda root: cgroup.Limits(1.0, 2**30, 2**29))
    assert machine.describe()["machine_id"] == before


def test_the_installation_is_not_in_the_id(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef\n")
    assert machine._installation(tmp_path) == "0123456789abcdef"
    assert "012345" not in machine.describe(tmp_path)["machine_id"]


@pytest.mark.parametrize(("node", "known"), [(0x02420A000001, "02420a000001"), (1 << 40, "")])
def test_without_a_machine_id_a_lasting_network_address_stands_in(
    tmp_path, monkeypatch, node, known
):
    monkeypatch.setattr("uuid.getnode", lambda: node)
    assert machine._installation(tmp_path) == known


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        return subprocess.run(
            ["git", *identity, *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init")
    (tmp_path / "layer.py").write_text("one\n")
    git("add", ".")
    git("commit", "-m", "first")
    return git


def test_the_commit_of_the_working_directory_is_told(repository, tmp_path):
    description = machine.describe()
    assert description["git_commit"] == repository("rev-parse", "HEAD")
    assert description["git_dirty"] is False


def test_an_uncommitted_change_is_told_and_a_new_result_is_none(repository, tmp_path):
    (tmp_path / "result.json").write_text("{}")
    assert machine.describe()["git_dirty"] is False
    (tmp_path / "layer.py").write_text("two\n")
    assert machine.describe()["git_dirty"] is True


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    description = machine.describe()
    assert description["git_commit"] is None
    assert description["git_dirty"] is None


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.describe()["git_commit"] is None


def test_tensorflow_is_found_under_either_name(monkeypatch):
    installed = {"tensorflow-cpu": "2.21.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise machine.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(machine.metadata, "version", version)
    assert machine._versions() == {"tensorflow": "2.21.0"}


@pytest.mark.parametrize(("headroom", "expected"), [(None, 1000), (400, 400), (4000, 1000)])
def test_available_memory_is_the_tighter_of_machine_and_container(monkeypatch, headroom, expected):
    memory = type("Memory", (), {"available": 1000})
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr(cgroup, "limits", lambda: cgroup.Limits(None, None, headroom))
    assert machine.available_memory_bytes() == expected

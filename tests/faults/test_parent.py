"""The process that runs a sweep is stopped, killed, or finds that it cannot write."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count, repeat
from pathlib import Path
from typing import Any

import accounts
import psutil
import pytest
from fake_runs import SUITE, request

import harness
from harness import cli, reaper, runner, store
from harness.runner.process import WorkerProcess
from harness.runner.workers import start
from harness.store.journal import read_journal
from harness.types import Bench, HarnessError, UsageError
from harness.verify import kills

NOTHING_LOST = "what was measured is there, and the run goes on from it"
US = (10, 20, 30, 40)
RUN = (
    *("run", "--suite", SUITE, "--framework", "fake", "--execution", "eager", "--mode", "forward"),
    *("--batch", "2", "--sample-time", "50ms", "--layer"),
)


def begun(
    results: Path, us: Sequence[int] = (20,), **changes: Any
) -> tuple[store.RunRecord, Callable[..., None]]:
    """A run that was begun, and what executes it, from the start or from where it stopped."""
    plan = runner.make_plan(request(params={"us": us}, **changes))
    run = runner.begin(plan, results, "test")

    def execute(on_event: Callable[[runner.Event], None] = lambda event: None) -> None:
        runner.execute(run, plan.layers, on_event)

    return run, execute


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to which nothing happened."""
    run, execute = begun(tmp_path_factory.mktemp("whole"), US, passes=2)
    execute()
    return run.folder


def measured(folder: Path) -> list[str]:
    """Ids of the cases that `store.load` has."""
    frame = store.load(folder)
    return list(frame[frame["status"] == "ok"]["case_id"])


class Told:
    """Ids of the cases that a run has told of, and what to do when it has told of so many."""

    def __init__(self, at: int = 0, then: Callable[[], object] = lambda: None) -> None:
        self.cases: list[str] = []
        self._at = at
        self._then = then

    def __call__(self, event: runner.Event) -> None:
        if event.measurement is not None:
            self.cases.append(event.measurement.case.id)
            if len(self.cases) == self._at:
                self._then()


KILLED = """
import os, signal, sys
from harness.cli import main
sync, left = os.fsync, [int(sys.argv.pop(1))]
def fsync(descriptor):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(descriptor)
os.fsync = fsync
sys.exit(main())
"""
"""The command, killed in the middle of its n-th write."""


@pytest.mark.fault(
    "SIGKILL in the middle of any write, or at any other time",
    f"Nothing but the case it was at is lost, no process stays; {NOTHING_LOST} to the same end",
)
def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(
    tmp_path: Path, whole: Path
) -> None:
    many = ",".join(map(str, US))
    typed = [*RUN, "scale", "--param", f"us={many}", "--passes", "2", "--results", str(tmp_path)]
    # With the first case of the first pass, the next one, and the last; what comes before is, of
    # the first run, its folders, plan and journal, and of each, what is said of a worker.
    for at in (8, 4, 6):
        run = kills.Run(*typed, program=("-c", KILLED, str(at)))
        told = run.told()
        assert run.process.returncode == -signal.SIGKILL
        (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
        assert kills.missing(told, folder) == []
        assert kills.still_alive(run.mark) == []
        typed = ["run", "--resume", str(folder), "--suite", SUITE]
    assert told
    run = kills.Run(*typed)
    time.sleep(random.uniform(0.5, 1.5))
    run.process.kill()
    assert kills.missing(run.told(), folder) == []
    assert kills.still_alive(run.mark) == []
    finish(folder)
    assert kills.same(folder, whole)
    assert kills.leftovers(folder) == []


def finish(folder: Path) -> None:
    """As ``layerbench run --resume``."""
    runner.execute(*runner.continued(folder, [SUITE]), lambda event: None)


def command_lines(mark: str) -> Iterator[list[str]]:
    for process in reaper.marked(mark):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            yield process.cmdline()


@pytest.mark.fault("SIGKILL while a layer has processes of its own", "They are killed too")
def test_nothing_that_a_layer_started_outlives_a_parent_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SUITE_NAP", accounts.NAP)
    run = kills.Run(*RUN, "fault", "--param", "kind=leave_and_hang", "--results", str(tmp_path))
    while not any(accounts.NAP in words for words in command_lines(run.mark)):
        assert run.process.poll() is None
        time.sleep(0.02)
    run.process.kill()
    assert run.told() == []
    assert kills.still_alive(run.mark) == []


@pytest.mark.fault(
    "SIGKILL while results are collected or a report is written",
    "The old file is whole, and the next try leaves nothing behind",
)
@pytest.mark.parametrize("command", ["collect", "report"])
def test_a_file_is_whole_though_its_writer_was_killed(
    whole: Path, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    typed = {
        "collect": ["collect", str(folder)],
        "report": ["report", str(folder), "--out", str(tmp_path)],
    }[command]
    assert cli.main(typed) == cli.GOOD
    before = contents(tmp_path)
    run = kills.Run(*typed, program=("-c", KILLED, "1"))
    run.told()
    assert run.process.returncode == -signal.SIGKILL
    assert [path.name for path in kills.leftovers(tmp_path)] != []
    assert {path: contents(tmp_path)[path] for path in before} == before
    assert cli.main(typed) == cli.GOOD
    assert kills.leftovers(tmp_path) == []
    assert contents(tmp_path).keys() == before.keys()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("number", "told"),
    [
        pytest.param(
            *(signal.SIGINT, r"\nstopped; all that"),
            marks=pytest.mark.fault("SIGINT (Ctrl-C)", f"It stops at once; {NOTHING_LOST}"),
        ),
        pytest.param(
            *(signal.SIGTERM, "stopped by SIGTERM, as kill, a job scheduler"),
            marks=pytest.mark.fault("SIGTERM", f"It stops at once; {NOTHING_LOST}"),
        ),
        pytest.param(
            *(signal.SIGHUP, r"stopped by SIGHUP, as its terminal was closed \(nohup or tmux"),
            marks=pytest.mark.fault("SIGHUP", f"It stops at once; {NOTHING_LOST}"),
        ),
    ],
)
def test_a_stop_keeps_everything_and_says_how_to_go_on(
    tmp_path: Path, number: int, told: str
) -> None:
    both = ("scale,fault", "--param", "kind=hang", "--passes", "1", "--timeout", "60s")
    run = kills.Run(*RUN, *both, "--results", str(tmp_path))
    folder = run.planned(tmp_path)
    assert folder is not None
    while not list(read_journal(folder)):
        assert run.process.poll() is None
        time.sleep(0.02)
    run.process.send_signal(number)
    said, _ = run.process.communicate(timeout=30)
    assert run.process.returncode == cli.INTERRUPTED
    assert re.search(told, said)
    assert f"layerbench run --resume {folder} --suite {SUITE}" in said
    assert (folder / "cases.parquet").exists()
    assert kills.still_alive(run.mark) == []
    assert kills.leftovers(folder) == []


SLOW = """
import os, sys, time
from harness.cli import main
sync = os.fsync
def fsync(descriptor):
    if ".cases.parquet.partial" in os.readlink(f"/proc/self/fd/{descriptor}"):
        print("collecting", flush=True)
        time.sleep(600)
    sync(descriptor)
os.fsync = fsync
sys.exit(main())
"""
"""The command, stuck in writing what it has collected."""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux names open files so")
@pytest.mark.fault("SIGINT twice", f"It ends without what the first would wait for; {NOTHING_LOST}")
def test_a_second_stop_ends_it_at_once_and_loses_nothing(tmp_path: Path) -> None:
    run = kills.Run(*RUN, "fault", "--param", "kind=hang", "--timeout", "60s",
                    "--results", str(tmp_path), program=("-c", SLOW))  # fmt: skip
    assert run.process.stdout is not None
    lines = iter(run.process.stdout.readline, "")
    folder = run.planned(tmp_path)
    assert folder is not None
    while not list(read_journal(folder)):
        time.sleep(0.02)
    for sign in ("pass 1", "collecting"):
        assert any(line.startswith(sign) for line in lines)
        run.process.send_signal(signal.SIGINT)
    said, _ = run.process.communicate(timeout=30)
    assert said == "layerbench: stopped\n"
    assert run.process.returncode == cli.INTERRUPTED
    assert kills.still_alive(run.mark) == []
    assert kills.leftovers(folder) == []
    assert len(store.load(folder)) == 1


@pytest.mark.fault("The terminal of a run is closed", f"It stops in good order; {NOTHING_LOST}")
def test_a_terminal_that_is_closed_stops_a_run_in_good_order(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if not child:
        os.environ.update(PYTHONPATH=str(Path(harness.__file__).parents[1]))
        command = [sys.executable, "-m", "harness", *RUN, "fault", "--param", "kind=hang"]
        os.execv(sys.executable, [*command, "--results", str(tmp_path)])
    while not any(path.stat().st_size for path in tmp_path.rglob("journal.jsonl")):
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        if select.select([terminal], [], [], 0.02)[0]:
            os.read(terminal, 1024)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == cli.INTERRUPTED
    (folder,) = (path.parent for path in tmp_path.rglob("run.json"))
    assert (folder / "cases.parquet").exists()


@pytest.mark.fault("The terminal of a run is closed, under nohup", "It goes on")
def test_a_hang_up_that_nohup_turned_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cli.main(["list"])
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_whoever_stops_a_worker_that_starts_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    worker = start(Bench("fake", "cpu", 1), "latency", tmp_path, ())
    monkeypatch.setattr(WorkerProcess, "_receive", stopped)
    with pytest.raises(KeyboardInterrupt):
        worker.greeting()
    assert not worker.alive


class FullDisk:
    """A disk that is full from the n-th write on; what is written shows it when it is synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full_at = 0
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, descriptor: int) -> None:
        self.full_at -= 1
        if not self.full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._sync(descriptor)


@pytest.mark.fault("A disk that is full at any write", f"It says so and stops; {NOTHING_LOST}")
def test_a_run_stopped_by_a_full_disk_at_each_write_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, execute = begun(tmp_path)
    disk, told = FullDisk(monkeypatch), Told()
    disk.full_at = 1
    remedies = re.compile(r"layerbench run --resume|mend that, then `layerbench collect`")

    def stopped() -> str:
        """What is said of the write that fails; empty if there were not so many."""
        try:
            execute(told)
            store.collect(run.folder)
        except HarnessError as error:
            return str(error)
        return ""

    writes = count(2)
    while said := stopped():
        assert "No space left on device" in said
        assert remedies.search(said)
        assert set(told.cases) <= set(measured(run.folder))
        assert kills.leftovers(run.folder) == []
        disk.full_at = next(writes)
    assert next(writes) > 6
    assert measured(run.folder) == [case.id for case in run.cases]


@pytest.mark.fault("A worker's log that cannot be written", f"It says so and stops; {NOTHING_LOST}")
def test_a_log_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    run, execute = begun(tmp_path)
    (run.folder / "logs").touch()
    with pytest.raises(HarnessError, match=r"logs cannot be used \(File exists\).*run --resume"):
        execute()
    (run.folder / "logs").unlink()
    execute()
    assert measured(run.folder) == [case.id for case in run.cases]


@pytest.mark.fault("A disk that is full when a run begins", "It says so; nothing stays behind")
def test_a_run_that_cannot_begin_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(monkeypatch)
    for full_at in range(1, 4):
        disk.full_at = full_at
        with pytest.raises(UsageError, match=r"No space left on device\); name another folder"):
            begun(tmp_path / "results")
    assert not list((tmp_path / "results").glob("*/*"))


@pytest.mark.fault(
    "A disk that is full when all is measured", "What was measured is shown; exit status 2"
)
def test_what_was_measured_is_shown_though_it_cannot_be_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr("harness.store.writing.write_atomically", refuse)
    typed = [*RUN, "scale", "--passes", "1", "--results", str(tmp_path)]
    assert cli.main(typed) == cli.USAGE
    said = capsys.readouterr()
    assert "20.0 µs" in said.out
    assert "(Disk quota exceeded); its journal holds what was measured" in said.err


@contextlib.contextmanager
def mounted(folder: Path, option: str) -> Iterator[None]:
    """A small file system of its own; the test is skipped where that is not allowed."""
    folder.mkdir(exist_ok=True)
    what = [str(folder)] if option == "bind" else ["-t", "tmpfs", "layerbench"]
    command = ["mount", "-o", option, *what, str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, stderr=-3).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.fault("A file system that fills up", f"It says so and stops; {NOTHING_LOST}")
def test_a_run_goes_on_when_a_full_file_system_has_room_again(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "size=64k"):
        told = Told()
        run, execute = begun(disk, [*range(10, 40)], sample_s=1.0)
        with pytest.raises(HarnessError, match=r"No space left on device.*layerbench run --resume"):
            execute(told)
        assert 0 < len(told.cases) < 30
        assert measured(run.folder) == [c.id for c in run.cases if c.id in told.cases]
        with pytest.raises(UsageError, match="its journal holds what"):
            store.collect(run.folder)
        assert kills.leftovers(run.folder) == []
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        execute()
        assert len(measured(run.folder)) == 30


@pytest.mark.fault(
    "A quota reached in the middle of a line", "The line is taken back, and it stops"
)
def test_a_line_that_could_be_written_in_part_only_is_taken_back(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    run, _ = begun(tmp_path)
    path = run.folder / "journal.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        with store.Journal(run.folder) as journal:
            journal.append("note", {"n": 1})
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, limits[1]))
            journal.append("note", {"n": 2})

    try:
        with pytest.raises(HarnessError, match=r"File too large.*run --resume"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes().endswith(b"}\n")
    assert list(read_journal(run.folder)) == [(1, {"kind": "note", "n": 1})]


@pytest.mark.fault(
    "A disk that is full when a file is made of results", "It says so; the old file is as it was"
)
@pytest.mark.parametrize(
    "typed",
    [
        ["collect", "run"],
        ["report", "run", "--out", "out"],
        ["compare", "run", "again", "--out", "out"],
        ["export", "run", "--format", "csv=out/rows.csv"],
        ["draw", "sliding_window", "--seq", "64", "--out", "out.png"],
        ["profile", "scale/fake/cpu/forward/eager/float32/b2-us=20", "--suite", SUITE],
    ],
    ids=lambda typed: typed[0],
)
def test_a_file_that_cannot_be_written_is_as_it_was(
    whole: Path, tmp_path: Path, typed: list[str],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("run", "again"):
        shutil.copytree(whole, name)
    assert cli.main(typed) == cli.GOOD
    before = contents(tmp_path)
    disk = FullDisk(monkeypatch)
    capsys.readouterr()
    disk.full_at = 1
    assert cli.main(typed) == cli.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(r"cannot write to .*\(No space left on device\); .*(name another|mend)", line)
    assert contents(tmp_path) == before


@pytest.mark.fault("A disk that is full under the reference's answers", "They are computed anew")
def test_an_answer_that_cannot_be_kept_costs_no_case(tmp_path: Path) -> None:
    run, execute = begun(tmp_path)
    with mounted(run.folder / "reference", "size=4k"):
        (run.folder / "reference" / "full").write_bytes(bytes(4096))
        execute()
        assert [path.name for path in (run.folder / "reference").iterdir()] == []
    assert measured(run.folder) == [run.cases[0].id]


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """What lies in the folder can only be read; for root, whom no mode keeps out, by a mount."""
    if os.geteuid() == 0:
        with mounted(folder, "bind"):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
            yield
        return
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.fault("A results folder that may only be read", "It says so before it measures")
def test_a_folder_that_may_only_be_read_is_told_before_anything_is_measured(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(whole.parents[1], results)
    folder = results / whole.parent.name / whole.name
    with read_only(results):
        assert len(measured(folder)) == len(US)
        for typed, remedy in {
            (*RUN, "scale", "--results", str(results)): "name another folder",
            ("run", "--resume", str(folder), "--suite", SUITE): "mend that, and then go on",
            ("collect", str(folder)): "mend that, then `layerbench collect`",
            ("report", str(folder), "--out", str(folder)): "name another folder with --out",
        }.items():
            assert cli.main(typed) == cli.USAGE
            (line,) = capsys.readouterr().err.splitlines()
            assert re.search(r"\((Read-only file system|Permission denied)\); ", line)
            assert remedy in line


@pytest.mark.parametrize(
    ("what", "at", "said"),
    [
        pytest.param(
            *("removed", 8, "was removed while it was being written; what was measured has been"),
            marks=pytest.mark.fault(
                "The folder of a run is removed", "It is put back, and the run stops"
            ),
        ),
        pytest.param(
            *("replaced", 2, "-kept: go on with `layerbench run --resume"),
            marks=pytest.mark.fault(
                "The folder of a run is replaced",
                "It is put back beside the new one, and the run stops",
            ),
        ),
        pytest.param(
            *("moved", 2, "was moved away while it was being written"),
            marks=pytest.mark.fault(
                "The folder of a run is moved away", "It stops; all is where it went"
            ),
        ),
    ],
)
def test_a_run_whose_folder_goes_loses_nothing(
    tmp_path: Path, what: str, at: int, said: str
) -> None:
    run, execute = begun(tmp_path, US)

    def go() -> None:
        if what == "moved":
            run.folder.rename(tmp_path / "elsewhere")
            return
        shutil.rmtree(run.folder)
        if what == "replaced":
            run.folder.mkdir()
            (run.folder / "journal.jsonl").write_text("mine\n")

    told = Told(at, go)
    with pytest.raises(HarnessError, match=re.escape(said)):
        execute(told)
    (there,) = (path.parent for path in tmp_path.rglob("run.json"))
    assert set(told.cases) <= set(measured(there))
    if what == "replaced":
        assert (run.folder / "journal.jsonl").read_text() == "mine\n"
    if what == "removed":
        finish(there)
        assert len(measured(there)) == 4


@pytest.mark.fault(
    "A second run into the same folder, and results collected meanwhile",
    "The second is refused, what is there so far is collected, and the run goes on",
)
def test_a_run_that_goes_on_is_left_alone(
    tmp_path: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, execute = begun(tmp_path, US, passes=2)

    def meddle() -> None:
        assert cli.main(["run", "--resume", str(run.folder), "--suite", SUITE]) == cli.USAGE
        said = f"{run.folder} is in use by another layerbench; wait for it to end"
        assert said in capsys.readouterr().err
        assert cli.main(["collect", str(run.folder)]) == cli.GOOD
        assert len(measured(run.folder)) == 2

    execute(Told(2, meddle))
    assert kills.same(run.folder, whole)


def set_clock(monkeypatch: pytest.MonkeyPatch, steps_s: Iterator[float], *modules: str) -> None:
    """Makes the time of day, in these modules of the runner, move so at each look."""

    class Clock(datetime):
        at = datetime(2026, 1, 1, tzinfo=UTC)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            cls.at += timedelta(seconds=next(steps_s))
            return cls.at

    for module in modules:
        monkeypatch.setattr(sys.modules[f"harness.runner.{module}"], "datetime", Clock)


@pytest.mark.fault("The clock is set back between runs", "The later run still comes last")
def test_runs_sort_in_the_order_of_beginning_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, iter((0, -3600, 0, 0.5, 10)), "request")
    names = []
    for _ in range(5):
        run, _ = begun(tmp_path)
        assert store.latest_run(tmp_path) == run.folder
        names.append(run.run_id)
    assert len(set(names)) == len(names)
    assert names == sorted(names)


@pytest.mark.fault("The clock is set back during a run", "Times are off, and no duration")
def test_a_clock_that_is_set_back_changes_no_figure(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, repeat(-1e5), "measure", "execute")
    run, execute = begun(tmp_path, US, passes=2)
    execute()
    assert kills.same(run.folder, whole)


def test_a_budget_that_is_spent_stays_spent(tmp_path: Path) -> None:
    run, execute = begun(tmp_path, passes=None, budget_s=1e-3)
    execute()
    before = kills.order(run.folder)
    execute()
    assert kills.order(run.folder) == before


@pytest.mark.fault("A power cut", "What was told of is on the disk, with the names of its files")
def test_what_is_written_is_synced_with_the_names_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []

    def sync(descriptor: int) -> None:
        there = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((there.name, 0 if there.is_dir() else os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", sync)
    run, _ = begun(tmp_path / "results")
    plan = (run.folder / "run.json").stat().st_size
    with store.Journal(run.folder) as journal:
        journal.append("note", {"n": 1})
        journal.append("note", {"n": 2})
    line = (run.folder / "journal.jsonl").stat().st_size // 2
    assert synced == [
        *((tmp_path.name, 0), ("results", 0), (run.folder.parent.name, 0)),
        *((".run.json.partial", plan), (run.folder.name, 0)),
        *((run.folder.name, 0), ("journal.jsonl", line), ("journal.jsonl", 2 * line)),
    ]

"""What goes wrong in a worker, while a layer is built, checked or timed

Each fault is one of a real process, in a run whose cases are taken in the order of the plan: so the
case after a faulty one shows what that one has left.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import accounts
import exit_status
import fake_runs
import pandas as pd
import pytest
from fake_runs import SUITE, request

from harness import frameworks, runner, store
from harness.devices import cgroup, cuda
from harness.devices.memory import peak_memory
from harness.runner import WorkerFailedError, pipes, process, workers
from harness.runner.process import WorkerProcess
from harness.types import Bench, Case, Measurement, Status

execute = sys.modules["harness.runner.execute"]  # its function has the same name
Measured = Callable[..., pd.DataFrame]
Fault = tuple[str, int, str, str, str, str]
"""Its kind, the call it comes at, the status and part of the reason; and the same for the docs."""
AFTER = "scale/fake/cpu/forward/eager/float32/b2-us={}"
REAL = str(Path(__file__).parent / "framework_suite.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="what only Linux has")


@pytest.fixture(autouse=True)
def _folder_of_the_fake_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SUITE_FOLDER", str(tmp_path))


def faulty(kind: str, at: int = 1) -> str:
    return f"fault/fake/cpu/forward/eager/float32/b2-kind={kind}-at={at}"


def by_case(frame: pd.DataFrame) -> Mapping[str, Any]:
    return {row["case_id"]: row for row in frame.to_dict("records")}


def parameters(faults: list[Fault], **by: str) -> list[Any]:
    """Kind, at which call, status and part of the reason, of each."""
    return [
        pytest.param(
            *fault,
            marks=pytest.mark.fault(what, outcome, **by),
            id="-".join((*by.values(), fault[0])),
        )
        for *fault, what, outcome in faults
    ]


# ruff: noqa: E501 - a fault is a line
FAULTS: list[Fault] = [
    ("raise", 1, "error", "ValueError: this layer always raises (fake_suite.py, line", "A Python exception in the first call", "`error` with its message and line"),
    ("raise", 9, "error", "ValueError", "A Python exception in a later call", "`error` with its message and line"),
    ("exit", 1, "error", "sys.exit(3)", "The layer calls `sys.exit`", "`error`"),
    ("os_exit", 9, "crashed", "exit status 0 in the middle", "`os._exit(0)` in the middle of a block", "`crashed`, though the exit status is that of success"),
    ("segfault", 1, "crashed", "SIGSEGV", "SIGSEGV", "`crashed`, the signal named"),
    ("talk", 1, "crashed", "SIGSEGV", "SIGSEGV after talk of memory", "`crashed` and not `oom`"),
    ("unreadable", 1, "error", "its message cannot be read (ZeroDivisionError)", "An exception whose own text raises", "`error`, and says so"),
    ("colours", 1, "error", "ValueError: red backward", "An exception with control characters in its text", "`error`, the text without them"),
    ("abort", 9, "crashed", "SIGABRT", "SIGABRT", "`crashed`, the signal named"),
    ("sigkill", 1, "crashed", "SIGKILL", "SIGKILL, from whoever", "`crashed`, the signal named"),
    ("realtime", 1, "crashed", "died of signal 40", "A signal without a name", "`crashed` with its number"),
    ("hang", 9, "timeout", "no answer within 1.5 s", "A hang in Python", "`timeout`"),
    ("hang_native", 1, "timeout", "no answer within 1.5 s", "A hang in native code that holds the interpreter's lock", "`timeout`"),
    ("hang_deaf", 1, "timeout", "no answer within 1.5 s", "A hang that ignores SIGTERM", "`timeout`"),
    ("memory_error", 1, "oom", "(a worker may take", "MemoryError", "`oom` with the limit"),
    ("too_much_memory", 1, "oom", "Unable to allocate 16.0 TiB", "An allocation beyond all memory", "`oom` with the amount"),
    ("unsupported", 1, "unsupported", "no kernel for this", "The framework lacks a kernel", "`unsupported`, which is no failure"),
    ("garbage", 2, "ok", "", "The layer prints what looks like an answer", "`ok`: what it prints goes into the log"),
    ("read_input", 2, "ok", "", "The layer reads standard input", "`ok`: it is empty"),
    ("answer", 2, "crashed", "garbage: '{\"wall_s\": [1.0]", "The layer finds the pipe to the parent, and answers", "`crashed`: it does not know the number of the request"),
    ("close", 2, "crashed", "exit status 1 in the middle of it; it said: OSError", "The layer closes the pipe to the parent", "`crashed`"),
    ("close_and_go_on", 2, "crashed", "closed its pipe and went on", "The layer closes the pipe to the parent, and hangs", "`crashed`"),
    ("fork", 2, "ok", "", "The layer forks a child that would outlive it", "`ok`; the child is ended with the worker"),
    ("daemon_and_die", 2, "crashed", "exit status 1", "The layer starts a process in a session of its own, and ends the worker's", "`crashed`; the process is ended, too"),
    ("daemon", 2, "ok", "", "The layer starts a process in a session of its own, with an empty environment", "`ok`; it is ended with the worker"),
    ("move", 2, "ok", "", "The layer changes the working directory and the environment", "`ok`; for the next case they are what they were"),
    ("handlers", 2, "ok", "", "The layer installs signal handlers and starts a timer", "`ok`; for the next case they are what they were"),
]  # fmt: skip
FOLLOWED_BY = {"move": faulty("look", 1), "handlers": faulty("look", 2)}


@pytest.fixture(scope="module")
def faults(
    tmp_path_factory: pytest.TempPathFactory, in_order: pytest.MonkeyPatch
) -> tuple[list[str], Mapping[str, Any]]:
    """The cases in the order in which they were measured, and the row of each."""
    cases: list[str] = []
    for number, (kind, at, *_) in enumerate(FAULTS):
        cases += [faulty(kind, at), FOLLOWED_BY.get(kind, AFTER.format(number + 1))]
    in_order.setattr(process, "EXIT_TIMEOUT_S", 1.0)
    folder = tmp_path_factory.mktemp("faults")
    frame = fake_runs.measured(folder, cases=cases, timeout_s=1.5)
    return cases, by_case(frame)


@pytest.mark.parametrize(("kind", "at", "status", "reason"), parameters(FAULTS))
@linux
def test_a_fault_costs_its_own_row_and_nothing_else(
    faults: tuple[list[str], Mapping[str, Any]], kind: str, at: int, status: str, reason: str
) -> None:
    cases, rows = faults
    case = faulty(kind, at)
    assert rows[case]["status"] == status, rows[case]["reason"]
    assert reason in rows[case]["reason"]
    following = rows[cases[cases.index(case) + 1]]
    assert following["status"] == "ok", following["reason"]


FLOODS: list[Fault] = [
    ("flood", 2, "ok", "", "A gigabyte on standard output", "`ok`; the log keeps the first MiB of each worker"),
    ("flood_and_die", 2, "crashed", "SIGABRT; it said: and these are [2J its last words", "A flood on standard output, and then a crash", "`crashed` with its last words"),
    ("endless_answer", 2, "crashed", "garbage: 'xxx", "A gigabyte without an end of line on the pipe to the parent", "`crashed`; the parent reads 32 MiB of it"),
    ("many_answers", 2, "crashed", "garbage: '7 {}", "A gigabyte of lines on the pipe to the parent", "`crashed`; the parent reads one of them"),
]  # fmt: skip


@pytest.fixture(scope="module")
def flooded(
    tmp_path_factory: pytest.TempPathFactory, in_order: pytest.MonkeyPatch
) -> tuple[Mapping[str, Any], int, list[Path]]:
    """The rows, what this process held at most, in bytes, and the logs."""
    cases = [faulty(kind, at) for kind, at, *_ in FLOODS]
    folder = tmp_path_factory.mktemp("floods")
    frames: list[pd.DataFrame] = []
    held = peak_memory(
        lambda: frames.append(fake_runs.measured(folder, cases=cases, timeout_s=60.0))
    )
    return by_case(frames[0]), held.peak_bytes, list(folder.rglob("*.log"))


@pytest.mark.parametrize(("kind", "at", "status", "reason"), parameters(FLOODS))
@linux
def test_a_flood_fills_neither_the_disk_nor_the_parent(
    flooded: tuple[Mapping[str, Any], int, list[Path]],
    kind: str,
    at: int,
    status: str,
    reason: str,
) -> None:
    rows, held_bytes, logs = flooded
    row = rows[faulty(kind, at)]
    assert row["status"] == status, row["reason"]
    assert reason in row["reason"]
    assert held_bytes < 4 * pipes.LONGEST_ANSWER
    (log,) = logs
    assert b"this is how it begins" in log.read_bytes()
    workers = 1 + len(FLOODS)
    assert log.stat().st_size < workers * (pipes.WORKER_LOG + 2**16)


def test_no_more_answers_are_read_than_are_asked_for(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.write_bytes(b"7 {}\n" * 2**12)
    stream = said.open("rb")
    answers = pipes.Answers(stream)
    assert answers.take(5) == b"7 {}\n"
    time.sleep(0.05)
    assert stream.tell() <= 3 * len(b"7 {}\n")
    answers.end(30)
    assert stream.closed


def test_a_log_keeps_to_its_length_whoever_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "WORKER_LOG", 100)
    monkeypatch.setattr(pipes, "LONGEST_LOG", 150)
    path = tmp_path / "log"
    for word in (b"one", b"two", b"three"):
        text = tmp_path / "said"
        text.write_bytes(word * 100)
        log = pipes.Log(text.open("rb"), path)
        log.end(5)
        assert log.last_words()[0].endswith(word.decode())
    written = path.read_bytes().split(pipes._CUT)
    assert [len(part) for part in written] == [100, 150 - 100 - len(pipes._CUT), 0]


@pytest.mark.fault("SIGKILL by the kernel, which is out of memory", "`oom`")
def test_a_worker_that_the_kernel_killed_for_its_memory_is_out_of_memory(
    measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = iter(range(100))
    monkeypatch.setattr(cgroup, "oom_kills", lambda: next(kills))
    row = measured(layers=("fault",), params={"kind": ["sigkill"]}).iloc[0]
    assert row["status"] == "oom"
    assert "killed by the kernel" in row["reason"]


@pytest.mark.fault(
    "A worker hangs in a driver, where nothing can end it",
    "`timeout`; the run goes on without it",
)
@linux
def test_a_worker_that_cannot_be_ended_does_not_hold_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "EXIT_TIMEOUT_S", 0.1)
    worker = workers.start(Bench("fake", "cpu", 1), "latency", tmp_path, (SUITE,))
    worker.greeting()
    with monkeypatch.context() as deaf:
        for signalled in ("os.killpg", "subprocess.Popen.kill", "psutil.Process.kill"):
            deaf.setattr(signalled, lambda *_: None)
        case = Case.parse(faulty("hang"))
        with pytest.raises(WorkerFailedError, match="no answer"):
            worker.ask(0.5, do="prepare", case=case.to_json())
        assert worker.alive
    worker.kill()
    assert not worker.alive


def typed(results: Path, layer: str, *options: str) -> int:
    """The exit status of a run of one layer."""
    return exit_status.of(
        [
            *("run", "--suite", SUITE, "--layer", layer, "--framework", "fake", "--batch", "2"),
            *("--execution", "eager", "--mode", "forward", "--sample-time", "50ms"),
            *("--results", str(results), *options),
        ]
    )


@pytest.mark.fault("The check fails in pass 3 only", "`mismatch` without a time, and exit status 3")
def test_a_layer_that_goes_wrong_in_pass_3_has_no_time(tmp_path: Path) -> None:
    assert typed(tmp_path / "results", "later_wrong", "--passes", "3") == 3
    row = store.load(tmp_path / "results").iloc[0]
    assert (row["status"], row["samples"]) == ("mismatch", 0)
    assert "output differs" in row["reason"]
    assert row["reason"].endswith("(in pass 3)")


@pytest.mark.fault(
    "SIGSEGV in pass 2 only", "`ok` with the figures of pass 1, a warning, and exit status 3"
)
def test_a_run_that_is_short_of_a_pass_does_not_exit_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(tmp_path / "results", "later_fault", "--passes", "2") == 3
    assert "1 row with fewer passes than planned" in capsys.readouterr().out
    row = store.load(tmp_path / "results").iloc[0]
    assert (row["status"], row["passes"]) == ("ok", 1)
    assert any("pass 2 is missing: crashed" in warning for warning in row["warnings"])


@pytest.mark.fault("No case of a plan can be measured", "exit status 4, and a line that says so")
def test_a_run_that_measured_nothing_does_not_exit_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(tmp_path, "no_builder") == 4
    assert "nothing was measured" in capsys.readouterr().out
    (file,) = tmp_path.rglob("run.json")
    plan = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**plan, "cases": []}), encoding="utf-8")
    assert exit_status.of(["run", "--resume", str(file.parent), "--suite", SUITE]) == 4
    assert "nothing was measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=pytest.mark.fault(
                f"{what} in pass 2 only", "`ok` with the figures of pass 1, and a warning"
            ),
        )
        for kind, what in (("raise", "A Python exception"), ("memory_error", "MemoryError"))
    ],
)
def test_a_layer_that_fails_in_pass_2_keeps_the_figures_of_pass_1(
    measured: Measured, kind: str
) -> None:
    row = measured(layers=("later_fault",), params={"kind": [kind], "build": [3]}, passes=3).iloc[0]
    assert row["status"] == "ok"
    assert row["passes"] == 1
    assert row["latency_s"] == pytest.approx(1e-4, rel=1e-3)
    assert any("pass 2 is missing" in warning for warning in row["warnings"])


@pytest.mark.fault("A crash while memory is read", "`ok` with its latency, and a warning")
def test_a_layer_that_fails_when_memory_is_read_keeps_its_latency(measured: Measured) -> None:
    row = measured(layers=("later_fault",), params={"build": [2]}, passes=2).iloc[0]
    assert row["status"] == "ok"
    assert row["passes"] == 2
    assert pd.isna(row["peak_memory_bytes"])
    assert any("peak memory is missing: crashed" in warning for warning in row["warnings"])


@pytest.mark.fault(
    "A worker does not start again", "a pass is missing, with a warning; a resumed run makes it"
)
def test_a_worker_that_does_not_start_again_costs_a_pass_and_is_tried_at_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = runner.make_plan(request(layers=("scale",), passes=3))
    run = runner.begin(plan, tmp_path, "test")
    begin = execute.start
    started = []

    def start(*arguments: Any) -> WorkerProcess:
        started.append(arguments)
        if len(started) > 2:  # after pass 1 and memory
            raise WorkerFailedError(Status.ERROR, "the framework is gone")
        return begin(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(execute, "start", start)
        runner.execute(run, plan.layers, lambda event: None)
    accounts.check(run)
    row = store.load(run.folder).iloc[0]
    assert (row["status"], row["passes"]) == ("ok", 1)
    assert "pass 2 is missing: the framework is gone" in row["warnings"]
    assert len(started) == 3  # and not once more for pass 3
    runner.execute(run, plan.layers, lambda event: None)
    row = store.load(run.folder).iloc[0]
    assert (row["status"], row["passes"]) == ("ok", 3)
    assert not any("missing" in warning for warning in row["warnings"])


@pytest.mark.fault("A worker never starts", "each of its cases has the reason; others are measured")
def test_a_worker_that_never_starts_gives_its_cases_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = runner.make_plan(request(params={"us": [20, 30]}, passes=None, budget_s=60.0))
    run = runner.begin(plan, tmp_path, "test")

    def start(*arguments: Any) -> WorkerProcess:
        raise WorkerFailedError(Status.ERROR, "the worker could not start")

    shown: list[Measurement | None] = []
    monkeypatch.setattr(execute, "start", start)
    runner.execute(run, plan.layers, lambda event: shown.append(event.measurement))
    accounts.check(run)
    frame = store.load(run.folder)
    assert frame["status"].tolist() == ["error", "error"]
    assert set(frame["reason"]) == {"the worker could not start"}
    assert [m.status for m in shown if m] == [Status.ERROR, Status.ERROR]


@pytest.mark.parametrize(
    ("device", "after"),
    [
        pytest.param("cuda", "ok", marks=pytest.mark.fault("An error of CUDA after which no call succeeds", "`error`; the next case gets a fresh worker")),
        ("cpu", "error"),
    ],
)  # fmt: skip
def test_after_an_error_on_cuda_the_next_case_gets_a_fresh_process(
    tmp_path: Path, in_order: pytest.MonkeyPatch, device: str, after: str
) -> None:
    kinds = ("spoil", "use", "device_memory")
    plan = runner.make_plan(request(cases=[faulty(kind) for kind in kinds]))
    cases = tuple(Case.parse(each.id.replace("/cpu/", f"/{device}/")) for each in plan.cases)
    run = runner.begin(replace(plan, cases=cases), tmp_path, "test")
    runner.execute(run, plan.layers, lambda event: None)
    accounts.check(run)
    assert store.load(run.folder)["status"].tolist() == ["error", after, "oom"]


IN_FRAMEWORKS: list[Fault] = [
    ("raise", 1, "error", "ValueError: this layer always raises (framework_suite.py, line", "A Python exception", "`error` with its message and line"),
    ("memory", 1, "oom", "(a worker may take 4.00 GiB)", "An allocation beyond the worker's limit", "`oom` with the limit"),
    ("segfault", 1, "crashed", "SIGSEGV", "SIGSEGV", "`crashed`, the signal named"),
    ("hang", 1, "timeout", "no answer within", "A hang in native code that holds the interpreter's lock", "`timeout`"),
]  # fmt: skip


@pytest.fixture(scope="module")
def in_frameworks(
    tmp_path_factory: pytest.TempPathFactory, in_order: pytest.MonkeyPatch
) -> Callable[[str], Mapping[str, Any]]:
    """By framework: the rows by kind, without the round in which memory is measured."""
    found: dict[str, Mapping[str, Any]] = {}

    def rows(framework: str) -> Mapping[str, Any]:
        if framework not in found:
            kinds = ["raise", "memory", "none", "segfault", "sound", "hang"]
            cases = [
                f"faulty/{framework}/cpu/forward/eager/float32/b2-kind={kind}" for kind in kinds
            ]
            with pytest.MonkeyPatch.context() as patch:
                # TensorFlow's own allocator waits ten seconds for memory before it gives up.
                patch.setenv("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
                only = lambda self: iter([execute.Round("latency", 0)])  # noqa: E731
                patch.setattr(execute._Execution, "_rounds", only)
                patch.setattr(execute._Execution, "_measure_ceilings", lambda *_: None)
                frame = fake_runs.measured(
                    tmp_path_factory.mktemp(framework),
                    cases=cases,
                    suites=(REAL,),
                    timeout_s=4.0,
                    max_memory_bytes=2**32,
                )
            found[framework] = {row["params"]["kind"]: row for row in frame.to_dict("records")}
        return found[framework]

    return rows


@pytest.mark.parametrize(("kind", "at", "status", "reason"), parameters(IN_FRAMEWORKS, by="torch"))
@pytest.mark.skipif(not frameworks.installed("torch"), reason="torch is not installed")
@linux
def test_a_fault_in_torch_costs_its_own_row_and_nothing_else(
    in_frameworks: Callable[[str], Mapping[str, Any]], kind: str, at: int, status: str, reason: str
) -> None:
    check_real(in_frameworks("torch"), kind, status, reason)


@pytest.mark.parametrize(
    ("kind", "at", "status", "reason"), parameters(IN_FRAMEWORKS, by="tensorflow")
)
@pytest.mark.skipif(not frameworks.installed("tensorflow"), reason="TensorFlow is not installed")
@linux
def test_a_fault_in_tensorflow_costs_its_own_row_and_nothing_else(
    in_frameworks: Callable[[str], Mapping[str, Any]], kind: str, at: int, status: str, reason: str
) -> None:
    check_real(in_frameworks("tensorflow"), kind, status, reason)


@pytest.mark.fault(
    "CUDA out of memory, and an index out of range after which no call on CUDA succeeds",
    "`oom` and `error`; the next case gets a fresh worker",
    by="torch",
)
@pytest.mark.skipif(
    not cuda.gpus() or not frameworks.installed("torch"), reason="no GPU, or no torch"
)
def test_after_a_fault_of_torch_on_a_gpu_the_next_case_gets_a_fresh_process(
    measured: Measured, in_order: pytest.MonkeyPatch
) -> None:
    kinds = ("gpu_memory", "none", "gpu_error", "sound")
    cases = [f"faulty/torch/cuda/forward/eager/float32/b2-kind={kind}" for kind in kinds]
    frame = measured(cases=cases, suites=(REAL,))
    assert frame["status"].tolist() == ["oom", "ok", "error", "ok"], frame["reason"].tolist()


def check_real(rows: Mapping[str, Any], kind: str, status: str, reason: str) -> None:
    assert rows[kind]["status"] == status, rows[kind]["reason"]
    assert reason in rows[kind]["reason"]
    for sound in ("none", "sound"):  # in the process of the first two, and in one of its own
        assert rows[sound]["status"] == "ok", rows[sound]["reason"]

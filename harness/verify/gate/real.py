"""Real changes: a commit that drops a fused attention, and another version of a framework."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from harness.gate.outcome import METRICS, CaseOutcome, Outcome, Side, Verdict
from harness.verify import bench
from harness.verify.gate import repository
from harness.verify.gate.runs import CHANGED, Typed, share_packages, typed
from harness.verify.gate.same import TENSORFLOW
from harness.verify.row import Row, judged, skipped
from harness.verify.row import Verdict as Checked

CHANGED_LAYER = "self_attention"
SIZES = ("--batch=8", "--seq=64")
PACKAGE = "keras"
"""It is pure Python, so another release of it runs beside the same TensorFlow."""

UPGRADE_BUDGET = "5m"
"""TensorFlow takes long to start; what is then still undecided has inconclusive as its verdict."""


def rows() -> Iterator[Row]:
    yield from _commits()
    yield from _upgrade()


def _commits() -> Iterator[Row]:
    if not bench.installed(["torch"]):
        yield skipped("two commits of a library", "", "torch is not installed")
        return
    yield from judge_commits(fused_dropped("--mode=forward,train"))


def fused_dropped(*arguments: str) -> Typed:
    """The gate between the library's two commits."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "library"
        repository.library(folder)
        sides = ("--base=HEAD~1", "--head=HEAD", f"--suite={repository.SUITE}")
        return typed(folder, *sides, "--framework=torch", "--execution=eager", *SIZES, *arguments)


def judge_commits(found: Typed) -> Iterator[Row]:
    """A row a case, and one on the exit status."""
    for case in found.outcome.cases:
        changed = case.case.startswith(f"{CHANGED_LAYER}/")
        wanted = Verdict.REGRESSION if changed else Verdict.SAME
        what = "fused attention dropped for the formula" if changed else "nothing changed"
        yield Row(f"{case.case}: {what}", str(wanted), _told(case), _checked(case, wanted))
    yield judged("exit status", "1", str(found.status), found.status == 1)


def _checked(case: CaseOutcome, wanted: Verdict) -> Checked:
    if case.verdict is wanted:
        return Checked.OK
    return Checked.UNCLEAR if case.verdict is Verdict.INCONCLUSIVE else Checked.FAILS


def _told(case: CaseOutcome) -> str:
    """The verdict, and the figures that changed."""
    changes = [
        f"{METRICS[found.metric].name} {found.ratio.value:.2f}"
        for found in case.findings
        if found.verdict in CHANGED and found.ratio
    ]
    ratios = f": {', '.join(changes)} of base" if changes else ""
    return f"{case.verdict}{ratios}{case.reason and f': {case.reason}'}"


def _upgrade() -> Iterator[Row]:
    check = f"another version of {PACKAGE}, across two environments"
    if not bench.installed(["tensorflow"]):
        yield skipped(check, "", "tensorflow is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            python, older = older_environment(Path(folder) / "older")
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            yield skipped(check, "", f"no older version could be installed: {reason}")
            return
        found = typed(
            Path(folder),
            *(f"--base-python={python}", f"--head-python={sys.executable}"),
            *(f"--layer={','.join(TENSORFLOW)}", "--framework=tensorflow"),
            *("--execution=compiled", "--mode=forward", "--batch=32", "--seq=32"),
            f"--budget={UPGRADE_BUDGET}",
        )
    yield from judge_upgrade(found.outcome, (older, metadata.version(PACKAGE)))


def judge_upgrade(outcome: Outcome, versions: Sequence[str]) -> Iterator[Row]:
    """Whether both versions are told, and each case was compared.

    Args:
        outcome: of the two environments.
        versions: of base and head, as they were installed.
    """
    told = [_version(side) for side in (outcome.base, outcome.head)]
    yield judged(
        f"{PACKAGE} {' to '.join(versions)}: the versions that the sides tell",
        ", ".join(versions),
        ", ".join(told),
        told == list(versions),
    )
    tally = Counter(str(case.verdict) for case in outcome.cases)
    yield judged(
        f"{PACKAGE} {' to '.join(versions)}: cases with a verdict",
        f"all {len(TENSORFLOW)}",
        ", ".join(f"{count} {verdict}" for verdict, count in tally.items()) or "none",
        len(outcome.compared) == len(outcome.cases) == len(TENSORFLOW),
    )


def _version(side: Side) -> str:
    return side.versions.get(PACKAGE, "none")


def older_environment(folder: Path) -> tuple[Path, str]:
    """A new environment with all packages of this one, but an older version of `PACKAGE`.

    Returns:
        Its interpreter, and that version.

    Raises:
        CalledProcessError: no older version can be installed here.
    """
    venv.create(folder, symlinks=os.name != "nt")
    places = {
        name: Path(sysconfig.get_path(name, "venv", {"base": str(folder)}))
        for name in ("scripts", "purelib")
    }
    older = f"{PACKAGE}<{metadata.version(PACKAGE)}"
    options = ("--quiet", "--no-deps", f"--target={places['purelib']}")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, older],
        check=True,
        capture_output=True,
        text=True,
    )
    share_packages(places["purelib"])
    (found,) = metadata.distributions(name=PACKAGE, path=[str(places["purelib"])])
    return places["scripts"] / Path(sys.executable).name, found.version

"""Files that hold code: nothing that is read can run any."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

READS_CODE = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}


@pytest.mark.fault(
    "Results, sweeps or artefacts hold a pickle, or anything else that is code when it is read, "
    "or a text that is code to a shell or a template",
    "Nothing in the project reads such a thing, starts a shell or makes a template of a text; all "
    "of its source is searched for it",
)
def test_nothing_that_is_read_can_run_code() -> None:
    root = Path(harness.__file__).parents[1]
    files = [f for folder in ("harness", "suites", "tools") for f in (root / folder).rglob("*.py")]
    assert len(files) > 200
    found = [f"{file}:{told}" for file in files for told in unsafe(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "import joblib.memory", "import marshal as m",
        "import shelve", "pandas.read_pickle(f)", "frame.to_pickle(f)", "eval(text)", "exec(text)",
        "torch.load(f)", "torch.load(f, weights_only=False)", "np.load(f, allow_pickle=True)",
        "yaml.load(f)", "yaml.unsafe_load(f)", "__import__('pickle')", "builtins.eval(text)",
        "keras.models.load_model(f, safe_mode=False)", "importlib.import_module('pickle')",
        "subprocess.run(text, shell=True)", "Popen(words, shell=shell)", "os.system(text)",
        "os.popen(text)", "subprocess.getoutput(text)", "asyncio.create_subprocess_shell(text)",
        "environment().from_string(text)", "jinja2.Template(text)", "runpy.run_path(f)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_is_for(source: str) -> None:
    assert list(unsafe(source))


def unsafe(source: str) -> Iterator[str]:
    """Whatever in a source may run code that a file brings along, by line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                roots = {name.name.split(".")[0] for name in names}
            case ast.ImportFrom(module=module):
                roots = {(module or "").split(".")[0]}
            case ast.Call(func=function, args=args):
                roots = (
                    {
                        one.value.split(".")[0]
                        for one in args
                        if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    }
                    if _name(function).endswith(("import_module", "__import__"))
                    else set()
                )
                if _runs_code(_name(function), {k.arg: k.value for k in node.keywords}):
                    yield f"{node.lineno}: {_name(function)}"
            case _:
                continue
        if roots & READS_CODE:
            yield f"{node.lineno}: {roots & READS_CODE}"


def _name(function: ast.expr) -> str:
    return ast.unparse(function)


def _runs_code(name: str, keywords: dict[str | None, ast.expr]) -> bool:
    def says(keyword: str, value: bool) -> bool:
        given = keywords.get(keyword)
        return isinstance(given, ast.Constant) and given.value is value

    last = name.rpartition(".")[2]
    return (
        name in ("eval", "exec", "builtins.eval", "builtins.exec")
        or last in ("read_pickle", "to_pickle", "unsafe_load", "full_load")
        or last in ("getoutput", "getstatusoutput", "create_subprocess_shell", "from_string")
        or name
        in ("os.system", "os.popen", "jinja2.Template", "runpy.run_path", "runpy.run_module")
        or ("shell" in keywords and not says("shell", False))
        or (name.endswith("torch.load") and not says("weights_only", True))
        or (name.endswith("yaml.load"))
        or ("allow_pickle" in keywords and not says("allow_pickle", False))
        or ("safe_mode" in keywords and not says("safe_mode", True))
    )

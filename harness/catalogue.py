"""Finds suites at run time: the project's own catalogue, and any file or module a user names."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from harness import faults
from harness.layer import Layer
from harness.types import UsageError


class NoSuiteError(UsageError):
    """There is no such file or module."""


def load(suites: Sequence[str] = (), *, here: bool = True) -> dict[str, Layer]:
    """Every layer by name: the catalogue's, then those of each further suite.

    Args:
        suites: paths of Python files, or names of importable modules, with `Layer` objects, or
            tuples of them, at module level.
        here: whether modules are looked for in the working directory, too.

    Raises:
        NoSuiteError: there is no such suite.
        UsageError: a suite cannot be imported, declares no layer, or reuses a name.
    """
    modules = [suite for suite in suites if Path(suite).suffix != ".py"]
    if here and modules and "" not in sys.path:  # where the user stands; it hides no other
        sys.path.append("")
    layers: dict[str, Layer] = {}
    for module in (*_catalogue(), *map(_import_suite, suites)):
        found = list(_layers(module))
        if not found:
            raise UsageError(
                f"suite {module.__name__} ({module.__file__}) declares no Layer at module level"
            )
        for layer in found:
            if layers.setdefault(layer.name, layer) is not layer:
                raise UsageError(
                    f"suite {module.__file__}: the name {layer.name!r} is taken by another layer; "
                    "give it a name of its own"
                )
    return layers


def _layers(module: ModuleType) -> Iterator[Layer]:
    for value in vars(module).values():
        yield from (one for one in _alone_or_several(value) if isinstance(one, Layer))


def _alone_or_several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def put_first(roots: Sequence[str]) -> None:
    """Makes folders come first on the path, for whatever suites import from them.

    A checkout of layerbench itself brings its own catalogue; beside any other code stays ours,
    though that may have a package ``suites`` too.
    """
    if not any(_is_catalogue(Path(root) / "suites") for root in roots):
        _adopt_own()
    sys.path[:0] = roots


def loaded_from(folders: Sequence[str], own: str) -> list[str]:
    """Modules, with their files, that lie in one of the folders and not in one of their own.

    What is installed into an environment counts as that environment's, wherever it lies.
    """
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in ("harness", "suites"):
            continue
        if not isinstance(file, str) or not Path(file).is_absolute():
            continue  # made up, as that of torch.classes
        path = Path(file).resolve()
        installed = {"site-packages", "dist-packages"} & set(path.parts)
        if not installed and not path.is_relative_to(own):
            found += [f"{name} ({path})" for folder in folders if path.is_relative_to(folder)]
    return found


def _adopt_own() -> None:
    """Imports our catalogue's package, wherever the path leads."""
    own = Path(__file__).resolve().parents[1] / "suites"
    spec = importlib.util.spec_from_file_location(
        "suites", own / "__init__.py", submodule_search_locations=[str(own)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["suites"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["suites"])


def _is_catalogue(folder: Path) -> bool:
    """Whether this is layerbench's own package: it lies beside a harness."""
    return (folder.parent / "harness" / "catalogue.py").is_file() and folder.is_dir()


def _catalogue() -> list[ModuleType]:
    package = importlib.import_module("suites")
    if not _is_catalogue(Path(str(package.__file__)).resolve().parent):
        raise UsageError(
            f"{package.__file__} hides layerbench's own package suites: call `layerbench` and "
            "not `python -m harness`, or work in another folder"
        )
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return [
        importlib.import_module(f"suites.{name}")
        for name in names
        if not name.startswith(("test_", "_"))
    ]


def _import_suite(name: str) -> ModuleType:
    path = Path(name)
    try:
        if path.suffix != ".py":
            return importlib.import_module(name)
        if not path.is_file():
            raise NoSuiteError(f"suite file {name} does not exist")
        return _import_file(path.resolve())
    except UsageError:
        raise
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise NoSuiteError(f"no suite {name!r}: neither a file name.py nor a module") from error
        raise UsageError(f"suite {name}: {error}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() at the end of a script, pytest.skip() in a test
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UsageError(f"suite {name}{line}: {faults.told(error)}") from error


def _import_file(path: Path) -> ModuleType:
    """Imports a file under a name of its own; it may import its neighbours."""
    name = f"suite_{path.stem}_{zlib.crc32(str(path).encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module

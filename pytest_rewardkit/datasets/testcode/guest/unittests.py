"""Runs `unittest` tests in the candidate's own process, for tests that cannot run outside it.

Such a test patches modules under the candidate, reads files that it wrote, or inspects plots that it made. So it is
within the candidate's reach. After loading and after each test, this module checks whether the candidate has replaced
anything that tests rely on, and it inspects returned values (returned.py). It misses a candidate that covers its
tracks. The test takes built-ins from Python itself, and its imports from their modules, whatever the candidate has put
in their places.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import importlib.util
import inspect
import json
import os
import sys
import tempfile
import types
import unittest
from typing import Any

from pytest_rewardkit.datasets.testcode.guest.returned import MODULE, Watched
from pytest_rewardkit.datasets.testcode.guest.surroundings import as_a_program
from pytest_rewardkit.scorers.guest.loading import compiled

MAX_TEXT = 1_000
_RELIED_ON = (
    "unittest.case",
    "unittest.result",
    "unittest.mock",
    "numpy.testing",
    "pandas.testing",
    "numpy",
    "pandas",
    "unittest",
)
_ASSERTING = ("assert", "fail", "subTest")
_TABLES = ("DataFrame", "Series", "Index")
_BUILTINS = "__rewardkit_builtins__"


def run(task: dict[str, Any], results_path: str) -> None:
    """Loads a candidate, then its tests, and runs them.

    Parameters:
        task: ``sources`` of the candidate; ``entry_point``, the tested function; ``test``, source that defines a test
            case class; ``case``, its name; ``names`` of its tests, in order; ``needs``, the modules that must exist.
        results_path: the file that receives a line of JSON for the ``missing`` modules, for the loading, and for each
            test.
    """
    with open(results_path, "w", encoding="ascii", buffering=1) as results:

        def write(**line: Any) -> None:
            results.write(json.dumps(line) + "\n")

        missing = [name for name in task["needs"] if not _is_there(name)]
        if missing:
            write(missing=missing)
            return
        with as_a_program():
            _run(task, write)


def _run(task: dict[str, Any], write: Any) -> None:
    _prepare()
    module = types.ModuleType(MODULE)
    module.__dict__.update(__file__=f"{MODULE}.py", sys=sys, os=os, environ=os.environ)
    sys.modules[MODULE] = module
    sealed = _relied_on()
    loaded = _loaded(task["sources"], module)
    if "type" not in loaded and (changed := _changed(sealed)):
        loaded = _tampering(f"replaced {changed}")
    if "type" in loaded:
        write(loaded=False, **loaded)
        return
    watched = _watched(module, task["entry_point"])
    module.__dict__.update({"__builtins__": builtins, _BUILTINS: builtins})
    if "type" in (tests := _loaded([_by_python(task["test"])], module)) or not hasattr(module, task["case"]):
        write(loaded=False, test=True, **tests)
        return
    write(loaded=True)
    case = getattr(module, task["case"])
    sealed.update(_of_test(module, case))
    for name in task["names"]:
        result = _tested(case(name), name)
        if changed := _changed(sealed, _of_test(module, case)):
            result = _tampering(f"replaced {changed}")
        elif watched is not None and watched.lie:
            result = _tampering(f"gave the test {watched.lie}")
        write(name=name, **result)


def _watched(module: types.ModuleType, name: str) -> Watched | None:
    """Wraps the candidate's function so that the values that it returns to the test are inspected."""
    function = module.__dict__.get(name)
    if not isinstance(function, types.FunctionType) or inspect.iscoroutinefunction(function):
        return None
    watched = Watched(function)
    module.__dict__[name] = watched.function
    return watched


def _prepare() -> None:
    os.chdir(tempfile.mkdtemp())
    os.environ["MPLBACKEND"] = "Agg"
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend("Agg")
    # Only imported modules can be watched.
    for name in ("unittest.mock", "numpy.testing", "pandas.testing"):
        if _is_there(name):
            importlib.import_module(name)


def _loaded(sources: list[str], module: types.ModuleType) -> dict[str, Any]:
    """Runs sources in a module; returns the exception, if any. A source that exits ends the loading."""
    compiling = True
    try:
        programs = [compiled(source, f"<{module.__name__}>") for source in sources]
        compiling = False
        with contextlib.suppress(SystemExit):
            for program in programs:
                program.run(module.__dict__)
    except BaseException as error:
        try:
            message = str(error)[:MAX_TEXT]
        except Exception:
            message = ""
        return {"compiling": compiling, "type": type(error).__name__[:100], "message": message}
    return {}


def _tested(test: unittest.TestCase, name: str) -> dict[str, Any]:
    """Runs a test; it has passed if it reached its end, whatever its result object says."""
    ended: list[str] = []
    setattr(test, name, _telling(getattr(test, name), ended))
    result = unittest.TestResult()
    unittest.TestSuite([test]).run(result)
    problems = [text for _, text in (*result.errors, *result.failures)]
    if problems:
        last = problems[0].rstrip().rpartition("\n")[2]
        kind = "AssertionError" if result.failures else last.partition(":")[0]
        return {"passed": False, "type": kind[:100], "message": problems[0][-MAX_TEXT:]}
    if own := next((key for key in vars(test) if key.startswith(_ASSERTING)), None):
        return _tampering(f"replaced {own}")
    if ended or result.expectedFailures:
        return {"passed": not result.unexpectedSuccesses}
    if result.skipped:
        return {
            "passed": False,
            "skipped": True,
            "type": "SkipTest",
            "message": str(result.skipped[0][1])[:MAX_TEXT],
        }
    return {"passed": False, "type": "AssertionError", "message": "the test did not come to its end"}


def _telling(method: Any, ended: list[str]) -> Any:
    """A test's method that notes when it has reached its end."""

    def plain(*args: Any, **kwargs: Any) -> None:
        method(*args, **kwargs)
        ended.append("well")

    async def waiting(*args: Any, **kwargs: Any) -> None:
        await method(*args, **kwargs)
        ended.append("well")

    return functools.wraps(method)(waiting if inspect.iscoroutinefunction(method) else plain)


def _tampering(done: str) -> dict[str, Any]:
    return {"passed": False, "type": "Tampering", "message": f"the candidate {done}"}


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _relied_on() -> dict[str, Any]:
    """What tests rely on, by name: built-ins, modules, and the modules' functions that they assert with."""
    found: dict[str, Any] = {f"builtins.{name}": value for name, value in vars(builtins).items()}
    modules = {name: sys.modules[name] for name in _RELIED_ON if name in sys.modules}
    found.update((f"sys.modules[{name!r}]", module) for name, module in modules.items())
    for module, content in modules.items():
        for name, value in list(vars(content).items()) if isinstance(content, types.ModuleType) else ():
            if callable(value):
                found[f"{module}.{name}"] = _identity(value)
            if isinstance(value, type) and (value.__module__.startswith("unittest") or name in _TABLES):
                methods = list(vars(value).items())
                found.update({f"{module}.{name}.{key}": _identity(item) for key, item in methods})
    return found


def _of_test(module: types.ModuleType, case: type) -> dict[str, Any]:
    """What a test relies on in the module that it shares with the candidate, and in its own class."""
    names = {
        f"{MODULE}.{name}": _identity(value)
        for name, value in vars(module).items()
        if isinstance(value, types.ModuleType) or name in ("__builtins__", _BUILTINS) or name.startswith("assert")
    }
    own = (name for name in dir(case) if name.startswith(_ASSERTING))
    return {**names, **{f"{case.__name__}.{name}": _identity(getattr(case, name)) for name in own}}


def _by_python(test: str) -> str:
    """A test's source in which built-ins are Python's, even if its module redefines their names."""
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError):
        return test
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {getattr(node, "name", "") or "" for node in ast.walk(tree)}
    own |= {node.asname for node in ast.walk(tree) if isinstance(node, ast.alias) and node.asname}
    taken = {name for name in vars(builtins) if not name.startswith("_")} - own - {"super"}

    class Taken(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id not in taken:
                return node
            return ast.copy_location(ast.Attribute(ast.Name(_BUILTINS, ast.Load()), node.id, node.ctx), node)

    return ast.unparse(ast.fix_missing_locations(Taken().visit(tree)))


def _identity(value: Any) -> Any:
    """A token that stays the same while a value does; for a function also its code, which can be replaced."""
    return (value, value.__code__) if isinstance(value, types.FunctionType) else value


def _changed(sealed: dict[str, Any], also: dict[str, Any] | None = None) -> str | None:
    now = {**_relied_on(), **(also or {})}
    return next(
        (name for name, value in sealed.items() if name != "builtins._" and not _same(now.get(name), value)), None
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one is other

"""Running `unittest` tests in the candidate's own process, for tests that cannot be taken out of it.

Such a test patches modules under the candidate, reads files that it wrote, looks into the plots that it made. So it is
within the candidate's reach. Whether a candidate has replaced what tests rely on is looked for when it is loaded and
after each test; one that covers its tracks is not found.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import json
import os
import sys
import tempfile
import types
import unittest
from typing import Any

from pytest_rewardkit.datasets.testcode.guest.surroundings import as_a_program
from pytest_rewardkit.scorers.loading import compiled

LONGEST_TEXT = 1_000
_RELIED_ON = ("unittest.case", "unittest.result", "unittest.mock", "numpy.testing", "pandas.testing", "numpy", "pandas")


def run(task: dict[str, Any], results_path: str) -> None:
    """Loads a candidate, then its tests, and runs them.

    Parameters:
        task: ``sources`` of the candidate; ``test``, source that defines a test case class; ``case``, its name;
            ``names`` of its tests, in order; ``needs``, the modules that must be there.
        results_path: the file that takes a line of JSON for what is ``missing``, for the loading, and for each test.
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
    module = types.ModuleType("__test__")
    module.__dict__.update(__file__="__test__.py", sys=sys, os=os, environ=os.environ)
    sys.modules["__test__"] = module
    sealed = _relied_on()
    loaded = _loaded(task["sources"], module)
    if "type" not in loaded and (changed := _changed(sealed)):
        loaded = _tampering(changed)
    if "type" in loaded:
        write(loaded=False, **loaded)
        return
    if "type" in (tests := _loaded([task["test"]], module)) or not hasattr(module, task["case"]):
        write(loaded=False, test=True, **tests)
        return
    write(loaded=True)
    for name in task["names"]:
        result = _tested(getattr(module, task["case"])(name))
        if changed := _changed(sealed):
            result = _tampering(changed)
        write(name=name, **result)


def _prepare() -> None:
    os.chdir(tempfile.mkdtemp())
    os.environ["MPLBACKEND"] = "Agg"
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend("Agg")
    # What has been imported can be watched.
    for name in ("unittest.mock", "numpy.testing", "pandas.testing"):
        if _is_there(name):
            importlib.import_module(name)


def _loaded(sources: list[str], module: types.ModuleType) -> dict[str, Any]:
    """Runs sources in a module; returns what was raised, if anything. One that exits has ended its loading."""
    compiling = True
    try:
        programs = [compiled(source, f"<{module.__name__}>") for source in sources]
        compiling = False
        with contextlib.suppress(SystemExit):
            for program in programs:
                program.run(module.__dict__)
    except BaseException as error:
        try:
            message = str(error)[:LONGEST_TEXT]
        except Exception:
            message = ""
        return {"compiling": compiling, "type": type(error).__name__[:100], "message": message}
    return {}


def _tested(test: unittest.TestCase) -> dict[str, Any]:
    result = unittest.TestResult()
    unittest.TestSuite([test]).run(result)
    problems = [text for _, text in (*result.errors, *result.failures)]
    if not problems:
        return {"passed": result.testsRun == 1 or bool(result.skipped)}
    last = problems[0].rstrip().rpartition("\n")[2]
    kind = "AssertionError" if result.failures else last.partition(":")[0]
    return {"passed": False, "type": kind[:100], "message": problems[0][-LONGEST_TEXT:]}


def _tampering(changed: str) -> dict[str, Any]:
    return {"passed": False, "type": "Tampering", "message": f"the candidate replaced {changed}"}


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _relied_on() -> dict[str, Any]:
    """What tests rely on, by name: built-ins, and the functions and classes' methods of what they assert with."""
    found: dict[str, Any] = {f"builtins.{name}": value for name, value in vars(builtins).items()}
    for module in _RELIED_ON:
        if module not in sys.modules:
            continue
        for name, value in list(vars(sys.modules[module]).items()):
            if isinstance(value, types.FunctionType):
                found[f"{module}.{name}"] = _identity(value)
            elif isinstance(value, type) and value.__module__.startswith("unittest"):
                methods = list(vars(value).items())
                found.update({f"{module}.{name}.{key}": _identity(item) for key, item in methods})
    return found


def _identity(value: Any) -> Any:
    """What is the same as long as a value is; of a function, its code as well, which can be put in another's place."""
    return (value, value.__code__) if isinstance(value, types.FunctionType) else value


def _changed(sealed: dict[str, Any]) -> str | None:
    now = _relied_on()
    return next(
        (name for name, value in sealed.items() if name != "builtins._" and not _same(now.get(name), value)), None
    )


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one is other

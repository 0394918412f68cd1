"""Starts a candidate as a program. Sent into the sandbox and run there by a new Python: ``launcher.py NONCE WANTS``.

Its folder holds the program, the modules that it needs, and perhaps a setup. The program sees itself in the working
directory, where nothing of ours is. After a setup, the launcher waits for a byte on descriptor 3: so the host knows how
the setup ended before the candidate can say anything.
"""

from __future__ import annotations

import atexit
import os
import sys
import types
from contextlib import suppress

TYPING = False
if TYPING:
    from typing import Any

FILE = __file__  # python removes the name before the end
PACKAGE = "pytest_rewardkit.scorers.guest"
SETUP_DONE = "setup done"
PROGRAM = "rewardkit_candidate"
"""The module name by which processes that `multiprocessing` spawns find the program."""


class _ProgramSource:
    """Gives the program's text to tracebacks and `inspect`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, _: str) -> str:
        return self._text


def launch(folder: str, nonce: str, wants: str) -> None:
    """Run the program in `folder`, and exit as it exits.

    Parameters:
        nonce: distinguishes our own output from the program's.
        wants: the form in which the last expression's value is wanted (protocol.py).
    """
    with suppress(AttributeError):  # for a Python without this limit
        sys.set_int_max_str_digits(0)  # tasks have numbers of any length
    module = _module("loading", folder)
    # Output arrives at once and in order, as on a terminal, even if the program is killed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    channel = os.dup(1)
    text = _read(folder, f"{PROGRAM}.py")
    main = _main(text, module.NAME)
    sys.path[0] = os.getcwd()
    sys.path.append(folder)
    sys.argv = [module.NAME]

    def shell() -> Any:
        return _shell(folder, main)

    def run(source: str, name: str) -> Any:
        if "get_ipython" in source or "display(" in source:
            with suppress(ImportError):
                shell()
        program = module.compiled(source, name, shell)
        value = program.run(main.__dict__)
        return (value,) if program.has_value else ()

    if os.path.exists(os.path.join(folder, "setup.py")):
        _shown(run, _read(folder, "setup.py"), "setup.py")
        sys.stdout.flush()
        os.write(channel, f"{nonce}{SETUP_DONE}\n".encode())
        os.read(3, 1)
        os.close(3)
    process = os.getpid()
    values: list[Any] = []

    def report() -> None:
        if values and os.getpid() == process:
            _report(channel, nonce, values[0], wants, folder)

    # Registered before anything of the candidate's, so it runs after everything that the candidate does.
    atexit.register(report)
    values += _shown(run, text, module.NAME)


def _main(text: str, name: str) -> types.ModuleType:
    from importlib.machinery import ModuleSpec

    main = types.ModuleType("__main__")
    source: Any = _ProgramSource(text)
    main.__dict__.update(
        __builtins__=sys.modules["builtins"],
        __file__=os.path.join(os.getcwd(), name),
        __loader__=source,
        __spec__=ModuleSpec(PROGRAM, source),
    )
    # Replacing the main module destroys it unless there is another reference.
    sys.modules[f"{PACKAGE}.launcher"] = sys.modules["__main__"]
    sys.modules["__main__"] = main
    return main


def _read(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), "rb") as file:
        return file.read().decode("utf-8", "surrogatepass").removeprefix("\ufeff")


def _module(name: str, folder: str) -> Any:
    """One of the modules beside this one, which need not be installed here."""
    full_name = f"{PACKAGE}.{name}"
    module = sys.modules[full_name] = types.ModuleType(full_name)
    exec(compile(_read(folder, f"{name}.py"), FILE, "exec"), module.__dict__)
    return module


def _shell(folder: str, main: types.ModuleType) -> Any:
    """IPython's shell, for lines that only notebooks have. Raises ImportError."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    if not InteractiveShell.initialized():
        config = Config({"HistoryManager": {"enabled": False}})
        shell = InteractiveShell.instance(config=config, ipython_dir=folder, user_module=main)
        vars(shell)["enable_matplotlib"] = lambda *_, **__: (None, None)  # nothing can show figures here
        vars(shell)["system"] = shell.system_raw  # in order with printed output
        for name in ("exit", "quit"):
            main.__dict__.pop(name, None)
    return InteractiveShell.instance()


def _shown(run: Any, source: str, name: str) -> Any:
    """Run a source; an exception is shown as Python shows it, without our frames, and ends the program."""
    try:
        return run(source, name)
    except SystemExit:
        raise
    except BaseException as error:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename != name:
            frames = frames.tb_next
        _show(error, frames)
    # Not inside the handler, which would make the exception this one's context.
    raise SystemExit(1)


def _show(error: BaseException, frames: types.TracebackType | None) -> None:
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error, frames)
        return
    import traceback

    traceback.print_exception(type(error), error, frames)


def _report(channel: int, nonce: str, value: Any, wants: str, folder: str) -> None:
    """Send the value of the last expression to the host."""
    for name in ("codec_objects", "codec_libraries", "codec_encoder", "codec_decoder"):
        _module(name, folder)
    inside = _module("inside", folder)
    with suppress(Exception):  # the channel is closed, or is the candidate's own
        sys.stdout.flush()
    text = f"{nonce}{inside.reported(value, wants)}\n".encode()
    while text:
        text = text[os.write(channel, text) :]


if __name__ == "__main__":
    launch(os.path.dirname(os.path.abspath(__file__)), *sys.argv[1:])

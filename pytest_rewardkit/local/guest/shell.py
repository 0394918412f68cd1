"""The IPython shell that cells run in, set up as E2B's kernels are."""

from __future__ import annotations

import builtins
import codecs
import getpass
import hashlib
import os
import re
import select
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.compilerop import CachingCompiler
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Bool, Callable, Type
from traitlets.config import Config

from pytest_rewardkit.local.guest import display, own_packages

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_rewardkit.local.guest.shelf import Shelf

MAX_ERROR_TEXT = 2**20
"""Longest name, value or traceback of an error, in characters; the middle of a longer one is cut out."""


_CHUNK = 2**16

# One line that starts as no name, prompt or command does, and does not ask for help.
_LINE_OF_PYTHON = re.compile(r"""[({"'0-9][^?\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*\Z""")
_OUTPUT_ASSIGNED = re.compile(r"=\s*[%!]")


def _ignore(event: str, **fields: Any) -> None:
    """Take an event and do nothing."""


class _Compiler(CachingCompiler):
    """Names cells' code as ipykernel does; the names show in warnings."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002
        digest = hashlib.blake2b(raw_code.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        name = f"{int.from_bytes(digest, 'big')}.py"
        return os.path.join(tempfile.gettempdir(), f"ipykernel_{os.getpid()}", name)


class Shell(InteractiveShell):
    """An IPython shell whose output goes to `emit`.

    Attributes:
        emit: called with an event's name and fields: "result" (data, main) or "error" (name, value, traceback).
        terminals: whether `!command` may run in a terminal of its own.
        shelf: what has been imported in advance.
    """

    compiler_class = Type(_Compiler)
    display_pub_class = Type(display.Publisher)
    displayhook_class = Type(display.Hook)
    emit = Callable(_ignore)
    terminals = Bool(True)
    exit_now = Bool(False)
    shelf: Shelf

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._own_syntax = self._syntax()

    def transform_cell(self, raw_cell: str) -> str:
        """Return a cell without IPython's own syntax; skip the search if there can be none."""
        is_python = _LINE_OF_PYTHON.match(raw_cell) and not _OUTPUT_ASSIGNED.search(raw_cell)
        if is_python and self._syntax() == self._own_syntax:
            return f"{raw_cell}\n"
        return str(super().transform_cell(raw_cell))

    def _syntax(self) -> list[list[Any]]:
        """Return what transforms cells."""
        static, dynamic = self.input_transformer_manager, self.prefilter_manager
        lists = [static.cleanup_transforms, static.line_transforms, static.token_transformers]
        if dynamic is not None:
            lists += [dynamic.transformers, dynamic.checkers]
        return [list(transforms) for transforms in (*lists, self.input_transformers_post)]

    def ask_exit(self) -> None:
        """Have the kernel end after the cell; exit() and quit() call this."""
        self.exit_now = True

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no screen."""

    def system_piped(self, cmd: str) -> None:
        """Run a `!command`."""
        if self.terminals:
            super().system_piped(cmd)
        else:
            sys.stdout.flush()
            self.user_ns["_exit_code"] = _run_as_in_terminal(self.var_expand(cmd, depth=1))
        own_packages.adopt()

    system = system_piped

    # This is IPython's own name for subclasses to override; without it, errors come with Python's traceback
    # (execution.py).
    def _showtraceback(
        self, etype: type[BaseException] | None, evalue: BaseException | None, stb: list[str] | TracebackType
    ) -> None:
        self.emit_error(etype, evalue, "".join(str(line) for line in stb))  # type: ignore[union-attr]

    def emit_error(self, kind: type[BaseException] | None, error: BaseException | None, traceback: str) -> None:
        """Send an error, with texts of bounded length."""
        self.emit(
            "error",
            name=_bounded(kind.__name__ if kind else ""),
            value=_bounded(_text_of(error)),
            traceback=_bounded(traceback),
        )


# By this name of the shell's class pandas, rich and others know that they are in a notebook and not in a terminal.
# plotly knows it by this module; elsewhere it displays all of its JavaScript.
Shell.__name__ = Shell.__qualname__ = "ZMQInteractiveShell"
Shell.__module__ = "ipykernel.zmqshell"


def _run_as_in_terminal(command: str) -> int:
    """Run a command to its end, with both outputs as one and a terminal's line endings; return its status."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        output, ended = process.stdout.fileno(), os.pidfd_open(process.pid)
        os.set_blocking(output, False)
        poll = select.poll()
        for descriptor in (output, ended):
            poll.register(descriptor, select.POLLIN)
        try:
            while True:
                # Processes that it leaves in the background may keep the pipe open.
                ready = [descriptor for descriptor, _ in poll.poll()]
                try:
                    while data := os.read(output, _CHUNK):
                        sys.stdout.write(decoder.decode(data).replace("\n", "\r\n"))
                        sys.stdout.flush()
                except BlockingIOError:
                    if ended not in ready:
                        continue
                sys.stdout.write(decoder.decode(b"", final=True))
                return process.wait()
        finally:
            os.close(ended)


def make_shell(ipython_directory: str) -> Shell:
    """Return the shell; there is one in each process.

    Parameters:
        ipython_directory: a writable directory for IPython's profile; it gets nothing of value.
    """
    config = Config()
    config.InteractiveShell.colors = "nocolor"
    config.PlainTextFormatter.max_seq_length = 0
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    shell = Shell.instance(config=config, ipython_dir=ipython_directory)
    # IPython's store, for %cd's history and the like, is kept in memory; IPython would make a database in the profile.
    shell.db = {}
    shell.set_hook("show_in_pager", lambda *_args, **_options: None, priority=0)
    assert shell.display_formatter is not None
    display.install_formatters(shell.display_formatter)
    builtins.input = _no_input
    getpass.getpass = _no_password
    return shell


def _no_input(*_: object) -> NoReturn:
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def _no_password(*_arguments: object, **_options: object) -> NoReturn:
    raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")


def _text_of(error: BaseException | None) -> str:
    try:
        return str(error)
    except BaseException as failure:
        return f"<the error's text cannot be had: {type(failure).__name__}>"


def _bounded(text: str) -> str:
    if len(text) <= MAX_ERROR_TEXT:
        return text
    half = MAX_ERROR_TEXT // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"

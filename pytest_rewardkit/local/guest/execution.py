"""Runs cells in the shell one after another, both synchronous cells and cells that await."""

from __future__ import annotations

import _thread
import asyncio
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.prepared import UNPREPARED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_rewardkit.local.guest.shell import Shell


class GuestCall:
    """A call of a function that the interpreter has from the start, and that needs nothing from a cell.

    Parameters:
        asked: ``mark``, a module that exists if the function does (prepared.py); the names ``module`` and
            ``function``; and ``arguments``.
    """

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._asked = asked

    def done(self) -> object:
        """Make the call and return its result; `UNPREPARED` if the function does not exist."""
        if self._asked["mark"] not in sys.modules:
            return UNPREPARED
        function = getattr(sys.modules[self._asked["module"]], self._asked["function"])
        return function(*self._asked["arguments"])


class Executor:
    """Runs cells; one at a time.

    Parameters:
        shell: where they run.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._running = False
        self._interrupted = False
        self._swallowed = False
        self._repeating = False
        self._failed = False
        self._task: asyncio.Task[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._emit: Callable[..., None] = lambda *_args, **_fields: None

    async def execute(
        self,
        code: str | GuestCall,
        emit: Callable[..., None],
        *,
        environment: Mapping[str, str] | None = None,
        silent: bool = False,
    ) -> None:
        """Run a cell. All its effects go to `emit`; it only raises exceptions that end the process.

        Parameters:
            emit: called with "result" (data, main) and at most one "error" (name, value, traceback).
            environment: variables for this cell alone.
            silent: whether the cell is left out of the count and does not show its result.
        """
        self._loop = asyncio.get_running_loop()
        self._emit = emit
        self._failed = self._interrupted = self._swallowed = False
        shell = self._shell
        shell.emit = self._forward
        before = {name: os.environ.get(name) for name in environment or {}}
        os.environ.update(environment or {})
        # A cell may set its own handler, but not one for the next cell.
        signal.signal(signal.SIGINT, self._interrupt)
        try:
            self._running = True
            if isinstance(code, GuestCall):
                self._call(code)
            else:
                await self._run(code, silent)
        except BaseException as error:
            self._running = False
            self._report(error)
        finally:
            self._running = False
            self._task = None
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            _flush()

    async def _run(self, code: str, silent: bool) -> None:
        shell = self._shell
        failure = None
        try:
            transformed = shell.transform_cell(code)
        except Exception:
            transformed, failure = code, sys.exc_info()
        coroutine = shell.run_cell_async(
            code,
            store_history=not silent,
            silent=silent,
            transformed_cell=transformed,
            preprocessing_exc_tuple=failure,
        )
        result = None
        try:
            if shell.should_run_async(code, transformed_cell=transformed, preprocessing_exc_tuple=failure):
                self._task = asyncio.ensure_future(coroutine)
                result = await self._task
            else:
                result = _run_without_loop(coroutine)
        finally:
            shell.events.trigger("post_execute")
            if not silent:
                shell.events.trigger("post_run_cell", result)
        # IPython prints some errors (exception groups) instead of reporting them.
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not self._failed:
            self._report(error)

    def _call(self, call: GuestCall) -> None:
        self._shell.execution_count += 1
        if (value := call.done()) is not None:
            self._forward("result", data={"text/plain": repr(value).removesuffix("\n")}, main=True)

    def _forward(self, event: str, **fields: Any) -> None:
        if event == "error":
            if self._failed:
                return
            self._failed = True
            if self._interrupted and fields["name"] == asyncio.CancelledError.__name__:
                fields.update(name=KeyboardInterrupt.__name__)
        _flush()
        self._emit(event, **fields)

    def _report(self, error: BaseException) -> None:
        if self._interrupted and isinstance(error, asyncio.CancelledError):
            error = KeyboardInterrupt()
        try:
            text = "".join(traceback.format_exception(error))
        except BaseException:
            text = ""
        self._shell.emit = self._forward
        self._shell.emit_error(type(error), error, text)

    def _interrupt(self, *_: object) -> None:
        if not self._running or self._repeating:
            return
        self._interrupted, self._swallowed = True, False
        if self._task is None or (self._loop is not None and asyncio.current_task(self._loop) is self._task):
            raise KeyboardInterrupt
        # The loop waits for something, and the cell's task has to stop waiting.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)

    def unraisable(self, ignored: sys.UnraisableHookArgs) -> None:
        """Interrupt again if Python could not raise the interrupt, as in a finaliser or right after a fork."""
        if not (self._running and self._interrupted and ignored.exc_type is KeyboardInterrupt):
            sys.__unraisablehook__(ignored)
            return
        # An exception that is raised in here would be swallowed as well.
        self._swallowed = self._repeating = True
        try:
            _thread.start_new_thread(self._interrupt_again, (_thread.get_ident(),))
        finally:
            self._repeating = False

    def _interrupt_again(self, thread: int) -> None:
        while self._running and self._swallowed:
            signal.pthread_kill(thread, signal.SIGINT)
            time.sleep(0.001)


def _run_without_loop(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("a cell without await waited for something")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            # The stream is the candidate's own, or the candidate has closed it.
            continue

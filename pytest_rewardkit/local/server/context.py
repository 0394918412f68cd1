"""A context: a kernel with a working directory and a name. The context outlives the kernel."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections import deque
from typing import TYPE_CHECKING

from pytest_rewardkit.local.errors import GuestError, GuestGoneError, GuestSilentError
from pytest_rewardkit.local.server.execution import REFUSED, RESTARTED, UNAVAILABLE, Execution, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_rewardkit.local.server.guest_proxy import GuestProxy
    from pytest_rewardkit.local.server.kernel_proxy import KernelProxy

INTERRUPT_SECONDS = 3.0

HOME = "/home/user"
PYTHON = "python"


class Context:
    """Runs submitted code in order, and starts a kernel if there is none.

    Parameters:
        guest: the sandbox to start kernels in.
        cwd: the directory that its kernels start in.
        envs: the environment variables that its kernels start with.
        language: the language of its code.
        name: its name; without one, nobody has named it yet.
    """

    def __init__(
        self,
        guest: GuestProxy,
        cwd: str = HOME,
        envs: Mapping[str, str] | None = None,
        language: str = PYTHON,
        name: str = "",
    ) -> None:
        self.id = name or str(uuid.uuid4())
        self.language = language
        self.cwd = cwd
        self.envs = dict(envs or {})
        self._guest = guest
        self._kernel: KernelProxy | None = None
        self._starting: asyncio.Task[None] | None = None
        self._waiting: deque[Execution] = deque()
        self._current: Execution | None = None
        self._closed = False
        self._untouched = True

    async def start(self) -> None:
        """Start a kernel, if there is none.

        Raises:
            GuestError: the sandbox could not start one.
            GuestGoneError: the sandbox is gone.
        """
        if self._alive():
            return
        if self._starting is None:
            self._starting = self._guest.background(self._start())
        await asyncio.shield(self._starting)

    def adopt_envs(self, envs: Mapping[str, str]) -> None:
        """Give the context its environment, though its kernel may have started before the environment was known."""
        self.envs = dict(envs)
        if envs and (self._alive() or self._starting is not None):
            # `tempfile` may have read its directory when the kernel started, so that is set too.
            directory = f"; __import__('tempfile').tempdir = {self.envs['TMPDIR']!r}" if "TMPDIR" in envs else ""
            code = f"__import__('os').environ.update({self.envs!r}){directory}"
            self.submit(Execution(code, None, output_mb=1, silent=True))

    def take_over(self, other: Context) -> None:
        """Take another context's kernel, if nobody has used it; the other context starts a new one when needed.

        Parameters:
            other: a context that starts its kernels in the same way as this one.
        """
        if not other._untouched or not other._alive():
            return
        self._kernel, other._kernel = other._kernel, None
        self._current, other._current = other._current, None
        self._waiting, other._waiting = other._waiting, deque()
        assert self._kernel is not None
        self._kernel.on_idle = self._idle

    def submit(self, execution: Execution) -> None:
        """Run it after earlier submissions."""
        self._untouched = self._untouched and execution.silent
        self._waiting.append(execution)
        self._advance()

    def withdraw(self, execution: Execution) -> None:
        """Drop an execution that nobody waits for: forget it, interrupt it or, if that fails, restart the kernel."""
        if execution.done:
            return
        if execution is not self._current:
            self._waiting.remove(execution)
            execution.finish()
            return
        kernel = self._kernel
        if kernel is not None:
            # Its output must still be read, or the kernel would wait forever.
            execution.events.discard()
            self._guest.background(self._guest.signal(kernel.pid, signal.SIGINT))
            self._give_time(kernel, execution)

    async def restart(self) -> None:
        """End the kernel and its state, and start a new one.

        Raises:
            GuestError: the sandbox could not start one.
            GuestGoneError: the sandbox is gone.
        """
        self.stop()
        await self.start()

    def stop(self) -> None:
        """End the kernel; its current execution ends as restarted."""
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            self._guest.kill_kernel(kernel)

    def close(self) -> None:
        """End the kernel and all executions that wait for it, for good."""
        self._closed = True
        for execution in self._waiting:
            execution.finish(RESTARTED)
        self._waiting.clear()
        self.stop()

    def _give_time(self, kernel: KernelProxy, execution: Execution) -> None:
        asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, self._kill_unless_done, kernel, execution)

    def _kill_unless_done(self, kernel: KernelProxy, execution: Execution) -> None:
        if self._guest.frozen:
            # It has not run long enough to be interrupted.
            self._give_time(kernel, execution)
        elif not execution.done and kernel is self._kernel:
            self.stop()

    async def _start(self) -> None:
        try:
            kernel = await self._guest.start_kernel(self.cwd, self.envs, self.language)
        except (GuestError, GuestGoneError) as error:
            is_refusal = isinstance(error, GuestError) and not isinstance(error, GuestSilentError)
            name = REFUSED if is_refusal else UNAVAILABLE
            failure = Failure(name, f"the interpreter could not be started: {error}", "")
            while self._waiting:
                self._waiting.popleft().finish(failure)
            raise
        finally:
            self._starting = None
        kernel.on_idle = self._idle
        self._kernel = kernel
        if self._closed:
            self.stop()
        self._advance()

    def _alive(self) -> bool:
        return self._kernel is not None and self._kernel.alive

    def _idle(self) -> None:
        self._current = None
        self._advance()

    def _advance(self) -> None:
        if self._current is not None or not self._waiting:
            return
        if not self._alive():
            if self._starting is None:
                self._starting = self._guest.background(self._start())
            return
        assert self._kernel is not None
        execution = self._waiting.popleft()
        try:
            self._kernel.execute(execution)
        except ValueError as error:
            execution.finish(Failure("CodeTooLong", str(error), ""))
            self._advance()
        except ConnectionError:
            self._kernel = None
            self._waiting.appendleft(execution)
            self._advance()
        else:
            self._current = execution

"""What the plugin needs from a source of sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox


class Provider(Protocol):
    """A source of sandboxes, from this package or from a user's hook.

    Its sandboxes are always the official SDK's own objects.
    """

    name: str
    """Its name, in one word."""

    @property
    def limits(self) -> Collection[str]:
        """The limits that its sandboxes accept by keyword, as `memory_mb`; none if it has no such attribute."""
        ...

    @property
    def isolation(self) -> str:
        """What isolates a sandbox: a level of the local server, or a virtual machine.

        Raises:
            RewardkitUsageError: the requested isolation is not available here.
        """
        ...

    def describe(self) -> str:
        """Return a line for pytest's header: the source of sandboxes and their isolation's strength. Starts nothing."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return the variables that point the SDK to this provider, for tested code that creates its own sandboxes."""
        ...

    def create(self, **options: Any) -> Sandbox:
        """Return a new sandbox.

        Parameters:
            options: keywords of `e2b_code_interpreter.Sandbox.create`, and limits of `self.limits`.

        Raises:
            SandboxUnavailable: the infrastructure failed; nothing can be said about the candidate.
        """
        ...

    async def create_async(self, **options: Any) -> AsyncSandbox:
        """Like `create`, for the asynchronous SDK."""
        ...

    def close(self) -> None:
        """End the remaining sandboxes of this run. Called once, in the process where the run ends."""
        ...


class Server(Protocol):
    """A local server as its users see it: the address variables, whichever process owns it."""

    def environment(self) -> Mapping[str, str]: ...

    def log_path(self) -> str:
        """The path of its log, readable on its machine."""
        ...


class SandboxFactory(Protocol):
    """Creates a sandbox on each call; all of them are killed when the fixture's scope ends."""

    def __call__(
        self,
        *,
        template: str | None = ...,
        timeout: int | None = ...,
        envs: Mapping[str, str] | None = ...,
        metadata: Mapping[str, str] | None = ...,
        allow_internet_access: bool | None = ...,
        memory_mb: int | None = ...,
        processes: int | None = ...,
        disk_mb: int | None = ...,
        open_files: int | None = ...,
        output_mb: int | None = ...,
        **options: Any,
    ) -> Sandbox: ...

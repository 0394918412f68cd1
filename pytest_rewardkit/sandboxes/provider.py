"""What the plugin asks of a source of sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from e2b_code_interpreter import AsyncSandbox, Sandbox


class Provider(Protocol):
    """A source of sandboxes, of this package or of a user's hook.

    Whoever made them, they are the official SDK's own objects.
    """

    name: str
    """One word for it."""

    @property
    def limits(self) -> Collection[str]:
        """Which limits its sandboxes can be given by keyword, as `memory_mb`; none where it has no such attribute."""
        ...

    @property
    def isolation(self) -> str:
        """What a sandbox is isolated by: a level of the local server, or a virtual machine.

        Raises:
            RewardkitUsageError: the isolation that was asked for cannot be had here.
        """
        ...

    def describe(self) -> str:
        """One line for pytest's header: where sandboxes come from and what their isolation is worth. Starts nothing."""
        ...

    def environment(self) -> Mapping[str, str]:
        """The variables that lead the SDK to this provider, for code under test that makes its own sandboxes."""
        ...

    def create(self, **options: Any) -> Sandbox:
        """A new sandbox.

        Parameters:
            options: keywords of `e2b_code_interpreter.Sandbox.create`, and limits of `self.limits`.

        Raises:
            SandboxUnavailable: the infrastructure failed; nothing can be said about the candidate.
        """
        ...

    async def create_async(self, **options: Any) -> AsyncSandbox:
        """As `create`, for the asynchronous SDK."""
        ...

    def close(self) -> None:
        """Ends what is left of this run's sandboxes. Called once, where the run ends."""
        ...


class Server(Protocol):
    """A local server as its users see it: the address variables, wherever its process is owned."""

    def environment(self) -> Mapping[str, str]: ...

    def log_path(self) -> str:
        """Where its log can be read, by whoever is on its machine."""
        ...


class SandboxFactory(Protocol):
    """Creates a sandbox each time it is called; all of them are killed where the fixture's scope ends."""

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

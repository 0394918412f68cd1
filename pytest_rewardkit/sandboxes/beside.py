"""Creates a second sandbox in the place where an existing one came from; no candidate has run in the new one."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.sandboxes.again import again
from pytest_rewardkit.sandboxes.creation import PATIENCE, create, infrastructure_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2b_code_interpreter import Sandbox


def create_beside(sandbox: Sandbox, **options: Any) -> Sandbox:
    """Return a fresh sandbox of the same template, or of the usual one if the sandbox is gone.

    Parameters:
        options: keywords of `e2b_code_interpreter.Sandbox.create`.

    Raises:
        SandboxUnavailable: it could not be created.
    """
    from e2b import NotFoundException

    with infrastructure_failures():
        try:
            info = again(sandbox.get_info)
            # The cleanup of a run finds its sandboxes by their metadata, and so finds this one too.
            known = {"template": info.template_id, "metadata": info.metadata}
        except NotFoundException:
            known = {}
    return create(patience=PATIENCE, **known, **options, **sandbox.connection_config.get_api_params())


@contextmanager
def sandbox_beside(sandbox: Sandbox, **options: Any) -> Iterator[Sandbox]:
    """Like `create_beside`, for the time of a `with` block."""
    beside = create_beside(sandbox, **options)
    try:
        yield beside
    finally:
        with suppress(SandboxUnavailable), infrastructure_failures():
            beside.kill()

"""What the tests of whole sessions share."""

# pytester forgets after each inner session what that imported, and the SDK's protocol buffers cannot be imported twice
# by one process: the outer session imports them once for all.
import e2b_code_interpreter  # noqa: F401
import pytest


@pytest.fixture
def one_worker(plugin_args: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments by which all tests of a file run in one process, one after another."""
    return ("--dist=loadfile",) if "-n2" in plugin_args else ()

"""Sandboxes that several tests share: between two tests, a sandbox is reset to its earlier state or replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_rewardkit.errors import RewardkitUsageError, SandboxUnavailable
from pytest_rewardkit.pytest_internals import keeping_failure
from pytest_rewardkit.sandboxes.failures import says_nothing
from pytest_rewardkit.sandboxes.lifetime import USUAL_LIFETIME, outlast
from pytest_rewardkit.sandboxes.reuse.reset import NotCleanError, observe, require_lesser_user, reset
from pytest_rewardkit.sandboxes.reuse.state import State, strange_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from e2b_code_interpreter import Sandbox

    from pytest_rewardkit.sandboxes.reuse.state import SeenProcess


_AT_LEAST_SECONDS: Final = USUAL_LIFETIME / 2
"""How long a sandbox must still live when a test receives it."""
_SHARING: Final[Mapping[str, type[pytest.Collector]]] = {
    "class": pytest.Class,
    "module": pytest.Module,
    "session": pytest.Session,
}


@dataclass(slots=True)
class _Shared:
    """A sandbox, and its state before the first test.

    Parameters:
        at_rest: the processes that run while no test uses it.
        is_settled: whether only tests can have changed anything since.
    """

    sandbox: Sandbox
    before: State
    at_rest: frozenset[SeenProcess]
    is_settled: bool = True


class SharedSandboxes:
    """Keeps tests apart if sandboxes have a wider scope than one test: no test meets what another one has left.

    Fixtures of wider scope may leave files for all their tests.

    Parameters:
        scope: class, module or session.
    """

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._shared: dict[str, list[_Shared]] = {}
        self._fixtures: dict[str, tuple[pytest.FixtureDef[Any], pytest.FixtureRequest]] = {}
        self.on_reuse: Callable[[], None] = lambda: None
        """Called each time a sandbox passes from one test to another."""

    def watch(self, fixture: str, sandbox: Sandbox) -> None:
        """Note a new sandbox, made by a fixture.

        Raises:
            RewardkitUsageError: the sandbox's state cannot be verified, so tests cannot share it.
            SandboxUnavailable: it is lost.
        """
        try:
            require_lesser_user(sandbox)
            before = observe(sandbox)
        except NotCleanError as error:
            raise _refusal(error) from error
        self._shared.setdefault(fixture, []).append(_Shared(sandbox, before, before.processes))

    def forget(self, fixture: str) -> None:
        """Note that a fixture's sandboxes are gone."""
        self._shared.pop(fixture, None)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            with keeping_failure(fixturedef, request):
                self._settle()
            return (yield)
        self._fixtures[fixturedef.argname] = fixturedef, request
        try:
            return (yield)
        finally:
            for each in self._each():
                each.is_settled = False

    @pytest.hookimpl(specname="pytest_runtest_setup")
    def pytest_refuse_marker(self, item: pytest.Item) -> None:
        """Refuse a ``sandbox`` marker on a test that shares its sandbox with others."""
        scope = self._scope
        for node in item.iter_parents():
            if isinstance(node, _SHARING[scope]):
                return
            if any(marker.name == "sandbox" for marker in node.own_markers):
                pytest.fail(
                    f"{item.nodeid}: @pytest.mark.sandbox asks for a sandbox of its own, and each {scope} shares one; "
                    f"put the marker on the {scope}, or use --rewardkit-sandbox-scope=function",
                    pytrace=False,
                )

    # Still in the setup: a failure here is not the candidate's fault.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        result = yield
        self._settle()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> Generator[None, object, object]:
        result = yield
        if nextitem is not None:
            for fixture in list(self._shared):
                self._hand_on(fixture)
        return result

    def _hand_on(self, fixture: str) -> None:
        shared = self._shared.get(fixture, ())
        try:
            for each in shared:
                if not each.is_settled:
                    raise NotCleanError("what a fixture has left cannot be told from what the test has")
                each.at_rest = reset(each.sandbox, each.before)
        except NotCleanError:
            # Fixtures made from this one end with it; the next request makes all of them anew.
            fixturedef, request = self._fixtures[fixture]
            fixturedef.finish(request)  # type: ignore[arg-type]
        else:
            for each in shared:
                # The session may take longer than the sandbox was to live.
                outlast(each.sandbox, _AT_LEAST_SECONDS)
                self.on_reuse()

    def _settle(self) -> None:
        """Treat what fixtures of wider scope have left as part of the state before a test."""
        for each in self._each():
            if each.is_settled:
                continue
            try:
                now = observe(each.sandbox)
            except NotCleanError as error:
                raise _refusal(error) from error
            # A server's interpreter may have been waiting in the sandbox from the start.
            if not each.at_rest.issuperset(strange_processes(now.processes, each.before)):
                pytest.fail(
                    "a fixture of wider scope has left processes or interpreters in a sandbox that tests share, and "
                    "these are ended after each test; leave files, by sandbox.files, or make it a fixture of a test",
                    pytrace=False,
                )
            each.before = State(each.before.processes, now.files)
            each.is_settled = True

    def _each(self) -> list[_Shared]:
        return [each for shared in self._shared.values() for each in shared]


def _refusal(error: NotCleanError) -> Exception:
    if error.__cause__ is not None and says_nothing(error.__cause__):
        return SandboxUnavailable(str(error))
    return RewardkitUsageError(
        f"tests cannot share sandboxes like this one: {error}; use --rewardkit-sandbox-scope=function"
    )

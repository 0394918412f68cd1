"""The fixtures: a sandbox for each test, further ones on request, and the recorder of its reward."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import pytest

from pytest_rewardkit.pytest_internals import fixture_info
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping
    from contextlib import AbstractContextManager

    from e2b_code_interpreter import AsyncSandbox, Sandbox

    from pytest_rewardkit.run.worker.recorder import Recorder
    from pytest_rewardkit.run.worker.shared_sandboxes import SharedSandboxes
    from pytest_rewardkit.sandboxes.factory import Factory
    from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox
    from pytest_rewardkit.sandboxes.provider import SandboxFactory
    from pytest_rewardkit.sandboxes.quota.budget import Budget

# This module is loaded in every session, so heavy modules are imported only where they are used.

WIDE_SCOPE_TIMEOUT: Final = 3600
"""Seconds that a sandbox of a class, module or session may live. The SDK's own 300 are meant for one task, and an hour
is the most that every E2B account allows."""

_SANDBOXES: Final = ("sandbox", "async_sandbox", "sandbox_factory")

SHARED_SANDBOXES: Final = "rewardkit-shared-sandboxes"
"""The name of the plugin that manages sandboxes of wider scope, if there are any."""

Scope = Literal["function", "class", "module", "session"]


def _scope(fixture_name: str, config: pytest.Config) -> Scope:  # noqa: ARG001 - pytest passes both by keyword
    scope: Scope = RunSettings.of(config).sandbox_scope
    return scope


@pytest.fixture(scope=_scope)
def sandbox_options() -> dict[str, Any]:
    """Keywords of the SDK's ``Sandbox.create`` and limits for every sandbox; override it per module or directory."""
    return {}


class _Creator:
    """The value of the fixture `sandbox_factory`."""

    def __init__(self, request: pytest.FixtureRequest, factory: Factory) -> None:
        self._request = request
        self._factory = factory

    def __call__(self, **options: Any) -> Sandbox:
        __tracebackhide__ = True
        with _clear_usage_errors(self._request, "sandbox_factory"):
            sandbox = self._factory.create(**options)
            if (shared := _shared_sandboxes(self._request)) is not None:
                shared.watch("sandbox_factory", sandbox)
            return sandbox

    def nearby(self) -> Sandbox | NearbySandbox:
        """Create one sandbox, which becomes the SDK's object only when that is needed."""
        __tracebackhide__ = True
        with _clear_usage_errors(self._request, "sandbox_factory"):
            return self._factory.create_nearby()

    def discard(self, sandbox: Sandbox | NearbySandbox) -> None:
        self._factory.discard(sandbox.sandbox_id)


@pytest.fixture(scope=_scope)
def sandbox_factory(
    request: pytest.FixtureRequest, sandbox_options: Mapping[str, Any]
) -> Generator[SandboxFactory, None, None]:
    """Create a sandbox per call, with keywords of ``Sandbox.create`` or limits; all are killed after the test."""
    with _factory(request, sandbox_options) as factory:
        yield _Creator(request, factory)


@pytest.fixture(scope=_scope)
def sandbox(request: pytest.FixtureRequest, sandbox_factory: SandboxFactory) -> Sandbox:
    """The test's own ``e2b_code_interpreter.Sandbox``: created at its first use, always killed after the test."""
    __tracebackhide__ = True
    if request.scope != "function":
        # Created now, so that what fixtures of that scope leave in it can be told from what tests do.
        return sandbox_factory()
    from pytest_rewardkit.sandboxes.lazy import lazily

    # A project may replace our factory.
    create = getattr(sandbox_factory, "nearby", sandbox_factory)
    return lazily(create, getattr(sandbox_factory, "discard", lambda sandbox: sandbox.kill()))


@pytest.fixture(scope=_scope)
def async_sandbox(
    request: pytest.FixtureRequest, sandbox_options: Mapping[str, Any]
) -> Generator[AsyncSandbox, None, None]:
    """The test's own ``e2b_code_interpreter.AsyncSandbox``, created and killed like `sandbox`."""
    __tracebackhide__ = True
    with _factory(request, sandbox_options) as factory:

        def create() -> AsyncSandbox:
            __tracebackhide__ = True
            with _clear_usage_errors(request, "async_sandbox"):
                sandbox = factory.create_async()
                if (shared := _shared_sandboxes(request)) is not None:
                    from pytest_rewardkit.sandboxes.twin import twin

                    shared.watch("async_sandbox", twin(sandbox))
                return sandbox

        if request.scope != "function":
            yield create()
            return
        from pytest_rewardkit.sandboxes.lazy import LazyAsyncSandbox

        yield cast("AsyncSandbox", LazyAsyncSandbox(create, lambda sandbox: factory.discard(sandbox.sandbox_id)))


def budget_of(request: pytest.FixtureRequest) -> Budget | None:
    """Return the bound on sandboxes that the processes of the run share."""
    from pytest_rewardkit.run.provision import Provision

    return Provision.of(request.config).budget(lambda: _run_directory(request))


def lend_sandboxes(config: pytest.Config) -> None:
    """Make code that creates a sandbox itself, as a reward function does, use the run's."""
    from pytest_rewardkit.sandboxes.lending import lend

    def make() -> Factory | None:
        from pytest_rewardkit.run.provision import Provision

        return Provision.of(config).lent_factory()

    config.add_cleanup(lend(make))


def wide_factory(request: pytest.FixtureRequest) -> Factory:
    """Return a factory of sandboxes for this process's whole session, which no test's record mentions. The caller
    closes it.

    A test that uses one of them also wants one of its own.
    """
    from pytest_rewardkit.run.provision import Provision
    from pytest_rewardkit.sandboxes.factory import Factory
    from pytest_rewardkit.sandboxes.quota.budget import TWO

    provision = Provision.of(request.config)
    return Factory(
        provision.provider,
        {"timeout": WIDE_SCOPE_TIMEOUT},
        budget=budget_of(request),
        wants=TWO,
        keep=True,
        meter=provision.meter,
        note=lambda *_: None,
    )


@pytest.fixture
def reward(request: pytest.FixtureRequest) -> Recorder:
    """Record the test's reward: ``reward.record(0.75, name="speed", weight=2, reason="12 of 16 ms")``."""
    from pytest_rewardkit.run.worker.recorder_of import recorder_of

    recorder = recorder_of(request.node)
    # A test may also request this fixture while it runs.
    recorder.expects_reward = True
    return recorder


@pytest.fixture
def trace(request: pytest.FixtureRequest) -> Callable[[Any], AbstractContextManager[None]]:
    """Record each step in a sandbox: ``with trace(sandbox): ...`` keeps cells, commands and files."""
    from pytest_rewardkit.run.worker.recorder_of import recorder_of
    from pytest_rewardkit.sandboxes.tracing import traced

    recorder = recorder_of(request.node)
    return lambda sandbox: traced(sandbox, recorder.note_step)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the run's server if tests will need sandboxes, so that it boots during other work."""
    if not any(map(_wants_sandbox, session.items)):
        return
    from pytest_rewardkit.errors import RewardkitUsageError
    from pytest_rewardkit.run.listing import only_lists

    if only_lists(session.config):
        return
    from pytest_rewardkit.run.provision import Provision

    # A wrong setting is reported where it is used.
    with suppress(RewardkitUsageError):
        Provision.of(session.config).expect_sandboxes()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Create a test's sandbox after its candidate: otherwise a sandbox's time passes while a slow model answers."""
    names: list[str] = getattr(item, "fixturenames", [])
    if "candidate" not in names or (info := fixture_info(item)) is None:
        return
    own = {name: defined[-1].argnames for name, defined in info.name2fixturedefs.items()}
    place = next((place for place, name in enumerate(names) if _needs_sandbox(name, own)), None)
    # A candidate that uses the sandbox itself still comes after it, whatever the order here.
    if place is not None and place < names.index("candidate"):
        names.remove("candidate")
        names.insert(place, "candidate")


def _needs_sandbox(name: str, own: Mapping[str, Collection[str]]) -> bool:
    """Whether a fixture is a sandbox or uses one, directly or indirectly; `own` has the direct uses of each."""
    seen, names = set[str](), [name]
    while names:
        if (used := names.pop()) in _SANDBOXES:
            return True
        if used not in seen:
            seen.add(used)
            names += own.get(used, ())
    return False


def _shared_sandboxes(request: pytest.FixtureRequest) -> SharedSandboxes | None:
    """Return the manager of sandboxes that tests share; None if each test has its own."""
    found: SharedSandboxes | None = request.config.pluginmanager.get_plugin(SHARED_SANDBOXES)
    return found


def _wants_sandbox(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    return "sandbox_factory" in names or "async_sandbox" in names


@contextmanager
def _factory(request: pytest.FixtureRequest, options: Mapping[str, Any]) -> Iterator[Factory]:
    from pytest_rewardkit.markers import merged_keywords
    from pytest_rewardkit.run.provision import Provision
    from pytest_rewardkit.run.worker.recorder import current_recorder
    from pytest_rewardkit.sandboxes.factory import Factory
    from pytest_rewardkit.sandboxes.options import check_options, known_keywords

    def note(waited: float, start: float, limits: Mapping[str, int]) -> None:
        if (recorder := current_recorder()) is not None:
            recorder.note_sandbox(waited=waited, start=start, limits=limits)

    provision = Provision.of(request.config)
    applied = [(mark.args, mark.kwargs) for mark in request.node.iter_markers("sandbox")]
    with _clear_usage_errors(request, "sandboxes"):
        provider = provision.provider
    with _clear_usage_errors(request, "@pytest.mark.sandbox"):
        marked = merged_keywords(applied, known_keywords()) if applied else {}
        check_options(marked, provider)
    with _clear_usage_errors(request, "sandbox_options"):
        check_options(options, provider)
    if (shared := _shared_sandboxes(request)) is not None and provision.meter is not None:
        shared.on_reuse = provision.meter.journal.reused
    wide = {} if request.scope == "function" else {"timeout": WIDE_SCOPE_TIMEOUT}
    factory = Factory(
        provider,
        {**wide, **options, **marked},
        budget=budget_of(request),
        wants=_most_at_once(request.node) if request.scope == "function" else 1,
        keep=request.scope != "function",
        meter=provision.meter,
        note=note,
    )
    try:
        yield factory
    finally:
        if (shared := _shared_sandboxes(request)) is not None:
            shared.forget(str(request.fixturename))
        factory.end()


def _most_at_once(item: pytest.Item) -> int:
    """Return how many sandboxes a test may want at once: any number if it, or one of its fixtures, has the factory."""
    from pytest_rewardkit.sandboxes.quota.budget import ANY, TWO

    fixtures = fixture_info(item)
    if fixtures is None:
        return ANY
    asked = {name: defined[-1].argnames for name, defined in fixtures.name2fixturedefs.items() if name != "sandbox"}
    if "sandbox_factory" in (*fixtures.initialnames, *(name for names in asked.values() for name in names)):
        return ANY
    # A row's own test code has a sandbox in addition to the candidate's.
    both = {"sandbox", "async_sandbox"} <= set(fixtures.names_closure)
    return TWO if both or "row" in fixtures.names_closure else 1


@contextmanager
def _clear_usage_errors(request: pytest.FixtureRequest, place: str) -> Iterator[None]:
    """Show a wrong argument as its own text with the node id, not as a traceback through this package."""
    from pytest_rewardkit.errors import RewardkitUsageError

    __tracebackhide__ = True
    try:
        yield
    except RewardkitUsageError as error:
        wrong = str(error)
    else:
        return
    # Raised outside the `except` block: the caller's context manager still handles the error, and would show it too.
    raise pytest.fail.Exception(f"{request.node.nodeid or 'session'}: {place}: {wrong}", pytrace=False) from None


def _run_directory(request: pytest.FixtureRequest) -> Any:
    """Return a directory that all workers of the run share, and that pytest removes."""
    own = request.getfixturevalue("tmp_path_factory").getbasetemp()
    return (own.parent if hasattr(request.config, "workerinput") else own) / "rewardkit-slots"

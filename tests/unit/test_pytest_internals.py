"""Assumptions of pytest_rewardkit/pytest_internals.py about pytest: a failure names the version that breaks them."""

import importlib
import io
from types import SimpleNamespace

import pytest

from pytest_rewardkit import pytest_internals


@pytest.fixture(scope="module")
def item_of_module_scope(request):
    return pytest_internals.requesting_item(request)


@pytest.fixture
def kept(request):
    """A fixture, and pytest's data about it."""
    return pytest_internals.fixture_info(request.node).name2fixturedefs["kept"][-1]


def missing(owner, attribute):
    return f"pytest {pytest.__version__} has no {owner}.{attribute} any more; see pytest_rewardkit/pytest_internals.py"


@pytest.mark.parametrize("attribute", [pytest_internals._PROGRESS, pytest_internals._WIDTH])
def test_the_terminal_reporter_has_its_progress_where_it_is_looked_for(request, attribute):
    reporter = pytest.TerminalReporter(request.config, io.StringIO())
    assert hasattr(reporter, attribute), missing("TerminalReporter", attribute)


def test_progress_has_something_beside_it_and_is_left_as_it_was(request):
    reporter = pytest.TerminalReporter(request.config, io.StringIO())
    assert pytest_internals.has_progress(reporter), missing("TerminalReporter", "progress in its usual form")
    reporter._session = request.session
    width = getattr(reporter, pytest_internals._WIDTH)
    noted: list[str] = []
    with pytest_internals.beside_progress(reporter, noted.append, room=7):
        assert [getattr(reporter, pytest_internals._PROGRESS)()] == noted
        assert getattr(reporter, pytest_internals._WIDTH) == width - 7
    assert getattr(reporter, pytest_internals._WIDTH) == width
    getattr(reporter, pytest_internals._PROGRESS)()
    assert len(noted) == 1


def test_a_terminal_writer_tells_its_file(request):
    attribute = "_file"
    assert hasattr(request.config.get_terminal_writer(), attribute), missing("TerminalWriter", attribute)


def test_fixtures_are_found_by_their_name(request, kept):
    assert pytest_internals.fixtures_named("kept", request.session) == {kept}, missing(
        "FixtureManager", "getfixturedefs"
    )
    assert pytest_internals.fixtures_named("none of this name", request.session) == set()


@pytest.mark.parametrize("attribute", ["_report_sections", "_fixtureinfo"])
def test_an_item_has(request, attribute):
    assert hasattr(request.node, attribute), missing("Function", attribute)


def test_a_session_knows_what_it_has_set_up(request):
    attribute = "_setupstate"
    assert hasattr(request.session, attribute), missing("Session", attribute)
    assert hasattr(request.session._setupstate, "teardown_exact"), missing("SetupState", "teardown_exact")


def test_a_request_of_wider_scope_knows_its_test(request, item_of_module_scope):
    assert item_of_module_scope is request.node, missing("FixtureRequest", "_pyfuncitem")


def test_a_fixture_keeps_what_it_gave(request, kept):
    attribute = "cache_key"
    assert hasattr(kept, attribute), missing("FixtureDef", attribute)
    before = kept.cached_result
    pytest_internals.keep_fixture(kept, request, "other")
    assert request.getfixturevalue("kept") == "other", missing("FixtureDef", "cached_result in its usual form")
    kept.cached_result = before


def test_a_fixture_keeps_how_it_failed(request, kept):
    before, kept.cached_result = kept.cached_result, None
    with pytest.raises(ValueError, match="why"), pytest_internals.keeping_failure(kept, request):
        raise ValueError("why")
    with pytest.raises(ValueError, match="why"):
        request._get_active_fixturedef("kept").execute(request)
    kept.cached_result = before


def test_fixture_info_knows_by_what_fixtures_others_are_used(request, kept):
    info = pytest_internals.fixture_info(request.node)
    for attribute in ("names_closure", "initialnames", "name2fixturedefs"):
        assert hasattr(info, attribute), missing("FuncFixtureInfo", attribute)


@pytest.mark.parametrize(("module", "name"), [("_pytest.runner", "runtestprotocol"), ("_pytest.python", "Function")])
def test_a_module_has(module, name):
    assert hasattr(importlib.import_module(module), name), missing(module, name)
    assert module.partition(".")[0] in pytest_internals.RUNNER_PACKAGES


def test_pytest_fails_what_it_cannot_run_in_the_module_that_is_known_for_it():
    attribute = "async_fail"
    assert hasattr(importlib.import_module(pytest_internals.PYTHON_MODULE), attribute), missing("python", attribute)


def test_without_them_nothing_breaks(request):
    assert not pytest_internals.has_progress(object())
    assert pytest_internals.requesting_item(object()) is None
    assert pytest_internals.fixture_info(object()) is None
    pytest_internals.forget_sections(object())
    pytest_internals.keep_fixture(object(), request, "value")
    with pytest.raises(ValueError, match="why"), pytest_internals.keeping_failure(object(), request):
        raise ValueError("why")


def test_without_its_way_to_tear_down_the_hook_does_it():
    called = []
    hooks = SimpleNamespace(pytest_runtest_teardown=lambda **arguments: called.append(arguments))
    item = SimpleNamespace(session=object(), ihook=hooks)
    pytest_internals.tear_down_unused(item, None)
    assert called == [{"item": item, "nextitem": None}]


def test_without_its_way_to_run_a_test_the_version_is_named(request, monkeypatch):
    monkeypatch.delattr("_pytest.runner.runtestprotocol")
    with pytest.raises(pytest.UsageError, match=rf"--rewardkit-selfcheck cannot .* pytest {pytest.__version__}"):
        pytest_internals.run_phases(request.node)

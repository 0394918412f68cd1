"""The sandbox fixtures, with the real SDK and the real local server."""

import pytest

from pytest_rewardkit.sandboxes import again

LIST = """
    import os, pytest
    from e2b_code_interpreter import Sandbox

    def alive():
        listing = Sandbox.list()
        found = []
        while listing.has_next:
            found += [info.sandbox_id for info in listing.next_items()]
        return found
"""


def test_sandbox_runs_code_and_is_killed_whatever_happened(run, pytester, one_worker):
    pytester.makepyfile(
        LIST
        + """
    KNOWN = []

    def test_passing(sandbox):
        assert isinstance(sandbox, Sandbox)
        assert sandbox.run_code("6 * 7").text == "42"
        assert alive() == [sandbox.sandbox_id]

    def test_failing(sandbox):
        assert sandbox.sandbox_id == ""

    @pytest.mark.xfail(run=True)
    def test_raising(sandbox, reward):
        raise ValueError(sandbox.sandbox_id)

    def test_unused(sandbox):
        assert alive() == []

    def test_already_killed(sandbox):
        sandbox.kill()

    def test_nothing_is_left():
        assert alive() == []
    """
    )
    result = run(*one_worker)
    result.assert_outcomes(passed=4, failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["4 sandboxes used, started in * (p50), * (p95)"])


def test_factory_creates_many_and_kills_them(plain, pytester, one_worker):
    pytester.makepyfile(
        LIST
        + """
    def test_two(sandbox_factory, sandbox):
        first = sandbox_factory(envs={"NAME": "first"})
        second = sandbox_factory(envs={"NAME": "second"})
        answers = [box.run_code("import os; os.environ['NAME']").text for box in (first, second)]
        assert answers == ["first", "second"]
        assert len(alive()) == 2
        assert sandbox.is_running()
        assert len(alive()) == 3

    def test_nothing_is_left():
        assert alive() == []
    """
    )
    plain(*one_worker).assert_outcomes(passed=2)


def test_options_of_module_marker_and_call(plain, pytester):
    pytester.makepyfile(
        """
        import os, pytest

        SHOW = "import os; os.environ.get('A'), os.environ.get('B')"

        @pytest.fixture
        def sandbox_options(sandbox_options):
            return {**sandbox_options, "envs": {"A": "module"}, "metadata": {"suite": "mine"}}

        def test_module(sandbox):
            assert sandbox.run_code(SHOW).text == "('module', None)"
            assert sandbox.get_info().metadata["suite"] == "mine"

        @pytest.mark.sandbox(envs={"A": "marker"})
        class TestMarked:
            def test_marker(self, sandbox):
                assert sandbox.run_code(SHOW).text == "('marker', None)"

            @pytest.mark.sandbox(envs={"A": "closest"})
            def test_closest_marker(self, sandbox):
                assert sandbox.run_code(SHOW).text == "('closest', None)"

            def test_call(self, sandbox_factory):
                assert sandbox_factory(envs={"B": "call"}).run_code(SHOW).text == "(None, 'call')"
        """
    )
    plain().assert_outcomes(passed=4)


def test_unknown_keywords_name_the_test_and_the_nearest(plain, pytester):
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.sandbox(tempalte="x")
        def test_marker(sandbox):
            pass

        def test_call(sandbox_factory):
            sandbox_factory(time_out=5)

        class TestOptions:
            @pytest.fixture
            def sandbox_options(self):
                return {"env": {}}

            def test_options(self, sandbox):
                pass
        """
    )
    result = plain()
    result.assert_outcomes(errors=2, failed=1)
    for line in (
        "test_suite.py::test_marker: @pytest.mark.sandbox: unknown keyword 'tempalte'; did you mean 'template'?",
        "test_suite.py::test_call: sandbox_factory: unknown keyword 'time_out'; did you mean 'timeout'?",
        "test_suite.py::TestOptions::test_options: sandbox_options: unknown keyword 'env'; did you mean 'envs'?",
    ):
        result.stdout.fnmatch_lines_random([line])


@pytest.mark.parametrize(("scope", "sandboxes"), [("function", 6), ("class", 4), ("module", 2), ("session", 1)])
def test_scope_decides_how_many_tests_share_a_sandbox(pytester, scope, sandboxes):
    suite = """
        class TestOne:
            def test_a(self, sandbox): print("ID", sandbox.sandbox_id)
            def test_b(self, sandbox): print("ID", sandbox.sandbox_id)

        class TestTwo:
            def test_c(self, sandbox): print("ID", sandbox.sandbox_id)
    """
    pytester.makepyfile(test_one=suite, test_two=suite)
    result = pytester.runpytest("--rewardkit", "-p", "no:asyncio", "-s", f"--rewardkit-sandbox-scope={scope}")
    result.assert_outcomes(passed=6)
    used = {word for line in result.outlines for word in [line.partition("ID ")[2].split(" ")[0]] if word}
    assert len(used) == sandboxes
    result.stdout.re_match_lines([rf"{sandboxes} sandbox(es)? used.*"])


def test_shared_sandbox_cannot_be_one_tests_own(pytester, plain):
    pytester.makepyfile(
        test_suite="""
        import pytest
        pytestmark = pytest.mark.sandbox(envs={"A": "module"})

        @pytest.mark.sandbox(envs={"A": "own"})
        def test_own(sandbox):
            pass

        def test_shared(sandbox):
            assert sandbox.run_code("import os; os.environ['A']").text == "module"
        """
    )
    result = plain("--rewardkit-sandbox-scope=module")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["test_suite.py::test_own: @pytest.mark.sandbox asks for a sandbox of its own, and *"])


ASYNC_SUITE = """
    async def work(sandbox):
        execution = await sandbox.run_code("6 * 7")
        assert execution.text == "42"
        await sandbox.files.write("a.txt", "hello")
        assert await sandbox.files.read("a.txt") == "hello"
"""


def test_async_sandbox_with_pytest_asyncio(plain, pytester, one_worker):
    pytester.makepyfile(
        LIST
        + ASYNC_SUITE
        + """
    @pytest.mark.asyncio
    async def test_first(async_sandbox):
        await work(async_sandbox)

    @pytest.mark.asyncio(loop_scope="module")
    async def test_second(async_sandbox):
        await work(async_sandbox)

    @pytest.mark.asyncio
    async def test_it_is_created_when_it_is_used(async_sandbox):
        from pytest_rewardkit.asynchronous import score_output
        assert alive() == []
        assert (await score_output(async_sandbox, "print(42)", expected="42")).value == 1.0
        assert alive() == [async_sandbox.sandbox_id]
        await work(async_sandbox)

    def test_nothing_is_left():
        assert alive() == []
    """
    )
    plain(
        "-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function", *one_worker
    ).assert_outcomes(passed=4)


def test_async_sandbox_with_anyio(plain, pytester):
    pytester.makepyfile(
        ASYNC_SUITE
        + """
    import pytest

    @pytest.mark.anyio
    async def test_with_anyio(async_sandbox):
        await work(async_sandbox)

    @pytest.fixture
    def anyio_backend():
        return "asyncio"
    """
    )
    plain("-p", "anyio").assert_outcomes(passed=1)


def test_code_under_test_that_makes_its_own_sandboxes_reaches_the_same_server(run, pytester):
    pytester.makepyfile(
        """
        def test_own():
            from e2b_code_interpreter import Sandbox
            with Sandbox.create() as sandbox:
                assert sandbox.run_code("1 + 1").text == "2"
        """
    )
    run().assert_outcomes(passed=1)


def test_environment_is_put_back(pytester, monkeypatch):
    import os

    monkeypatch.setenv("E2B_API_KEY", "e2b_of_the_user")
    pytester.makepyfile("import os\ndef test_key(): assert os.environ['E2B_API_KEY'] != 'e2b_of_the_user'")
    before = dict(os.environ)
    result = pytester.runpytest("--rewardkit", "--rewardkit-provider=local", "-p", "no:asyncio")
    result.assert_outcomes(passed=1)
    changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
    assert not {name for name in changed if name.startswith("E2B_")}


def test_failure_to_create_makes_a_test_unscored(run, pytester, monkeypatch):
    # Nothing listens on this port.
    monkeypatch.setenv("E2B_API_KEY", "e2b_" + "0" * 40)
    monkeypatch.setenv("E2B_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("E2B_CONNECTION_RETRIES", "0")
    monkeypatch.setattr(again, "PATIENCE", 0.0)  # unchanged in workers: there a create is tried again
    pytester.makepyfile("def test_any(sandbox): sandbox.run_code('1')\ndef test_scored(reward): reward.record(1.0)")
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "   - * unscored       *::test_any",
            "      no sandbox could be created: *",
            "mean 1.00 over 1 scored test, 0.50 with 1 unscored as 0",
        ]
    )
    # One error, without those that led to it.
    assert result.stdout.str().count("SandboxUnavailable: no sandbox could be created: ") == 1
    for chained in ("During handling", "direct cause"):
        result.stdout.no_fnmatch_line(f"*{chained}*")


def test_bound_on_sandboxes_holds_over_all_workers(run, pytester):
    pytester.makepyfile(
        LIST
        + """
    @pytest.mark.parametrize("number", range(6))
    def test_one(sandbox, number):
        assert sandbox.is_running()
        assert len(alive()) == 1
    """
    )
    run("--rewardkit-max-sandboxes=1").assert_outcomes(passed=6)


def test_test_that_wants_more_than_the_bound_is_told(plain, pytester):
    pytester.makepyfile(
        test_suite="""
        def test_two(sandbox, sandbox_factory):
            sandbox_factory()
            sandbox.run_code("1")
        """
    )
    result = plain("--rewardkit-max-sandboxes=1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_suite.py::test_two: sandbox*: this test wants 2 sandboxes at once, *"])

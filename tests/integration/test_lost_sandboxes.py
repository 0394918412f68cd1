"""Sandboxes that end before their tests have recorded anything, and tests that want several at once."""

from __future__ import annotations

import pytest

EXPIRED = """
    import pytest, time
    from pytest_rewardkit import score_output

    @pytest.mark.sandbox(timeout=1)
    @pytest.mark.parametrize("use", ["run_code", "command", "read", "context", "write"])
    def test_expired(sandbox, use):
        assert sandbox.is_running()
        time.sleep(2)
        if use == "run_code":
            assert sandbox.run_code("1 + 1").text == "2"
        elif use == "command":
            sandbox.commands.run("true")
        elif use == "read":
            sandbox.files.read("a")
        elif use == "context":
            sandbox.create_code_context()
        else:
            sandbox.files.write("a", "b")

    def test_lets_the_sdk_s_libraries_through(sandbox):
        from connectrpc.code import Code
        from connectrpc.errors import ConnectError
        raise ConnectError(Code.UNAVAILABLE, "no route")

    def test_right(sandbox, reward):
        reward.record(score_output(sandbox, "print(1)", expected="1"))
"""


def test_who_lost_its_sandbox_before_it_recorded_is_unscored(run, pytester):
    pytester.makepyfile(test_suite=EXPIRED)
    result = run("--rewardkit-fail-under=0.9")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["mean 1.00 over 1 scored test, 0.14 with 6 unscored as 0"])
    result.stdout.no_fnmatch_line("*gate passed*")


def test_what_fails_in_a_sandbox_is_no_reward_by_itself(run, pytester):
    pytester.makepyfile(
        test_suite="""
        from pytest_rewardkit import score_output

        def test_command(sandbox):
            sandbox.commands.run("false")

        def test_file(sandbox):
            sandbox.files.read("nowhere")

        def test_own_file(sandbox):
            open("nowhere")

        def test_right(sandbox, reward):
            reward.record(score_output(sandbox, "print(1)", expected="1"))
        """
    )
    result = run()
    result.stdout.fnmatch_lines(["mean 1.00 over 1 scored test*"])
    result.assert_outcomes(passed=1, failed=3)


def test_tests_that_want_two_do_not_wait_for_each_other(run, pytester):
    pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.fixture
        def other(sandbox_factory):
            return sandbox_factory()

        @pytest.mark.parametrize("number", range(3))
        def test_two_by_a_fixture(sandbox, other, number):
            assert sandbox.sandbox_id != other.sandbox_id

        @pytest.mark.parametrize("number", range(3))
        def test_two_by_itself(sandbox_factory, number):
            assert sandbox_factory().sandbox_id != sandbox_factory().sandbox_id

        @pytest.mark.parametrize("number", range(3))
        def test_one(sandbox, number):
            assert sandbox.run_code("1").text == "1"
        """
    )
    run("--rewardkit-max-sandboxes=2").assert_outcomes(passed=9)


def test_a_lost_sandbox_is_replaced_once_where_nothing_but_the_scorer_used_it(run, pytester):
    """A test's first sandbox vanishes under its candidate; the cases differ only in what the test did before."""
    pytester.makepyfile(
        test_suite="""
        import pytest
        from e2b.sandbox_sync.filesystem.filesystem import Filesystem
        from pytest_rewardkit import score_output

        @pytest.fixture
        def vanishing(monkeypatch, sandbox):
            lost = []
            original = Filesystem.write_files

            def write_files(*args, **kwargs):
                if not lost:
                    lost.append(sandbox.sandbox_id)
                    sandbox.kill()
                return original(*args, **kwargs)

            monkeypatch.setattr(Filesystem, "write_files", write_files)
            return lost

        def test_repeated(sandbox, vanishing, reward):
            reward.record(score_output(sandbox, "print(1)", expected="1"))
            assert vanishing and sandbox.sandbox_id not in vanishing

        def test_used_before(sandbox, vanishing, reward):
            sandbox.files.write("needed", "")
            reward.record(score_output(sandbox, "print(1)", expected="1"))

        def test_of_its_own_doing(sandbox, reward):
            reward.record(score_output(sandbox, "while True: pass", expected="1", time_limit=0.5))
        """
    )
    result = run()
    result.stdout.fnmatch_lines(["mean 0.50 over 2 scored tests, 0.33 with 1 unscored as 0"])
    result.stdout.fnmatch_lines(["4 sandboxes used*"])

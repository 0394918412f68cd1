"""Sandboxes with a wider scope than a test: a test's leftovers do not reach the next one."""

import pytest

SUITE = r"""
    from datetime import UTC, datetime

    import pytest

    seen = []

    @pytest.fixture(scope="module")
    def sandbox_options():
        return {"timeout": 100}

    def look(sandbox):
        seen.append(sandbox.sandbox_id)
        said = sandbox.run_code(
            "import os; print(sorted(os.listdir('/home/user')), 'x' in globals(),"
            " sum(b'sleep' in open(f'/proc/{p}/cmdline', 'rb').read() for p in os.listdir('/proc') if p.isdigit()))"
        )
        return "".join(said.logs.stdout).strip()

    @pytest.fixture(scope="module")
    def data(sandbox):
        sandbox.files.write("/home/user/data.csv", "1,2")
        return sandbox

    def test_leaves_much(sandbox):
        look(sandbox)
        sandbox.run_code("x = 1; open('left', 'w').write('a'); open('/tmp/left', 'w')")
        sandbox.run_code("open('.bash_profile', 'w').write('echo 1; exit')")
        sandbox.run_code("import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)")

    def test_meets_nothing(sandbox):
        assert look(sandbox) == "[] False 0"
        assert len(set(seen)) == 1
        assert (sandbox.get_info().end_at - datetime.now(UTC)).total_seconds() > 100, "as if it were new"

    def test_files_of_a_fixture_stay(data):
        assert look(data) == "['data.csv'] False 0"

    def test_changes_them(data):
        assert look(data) == "['data.csv'] False 0"
        assert len(set(seen)) == 1
        data.files.write("/home/user/data.csv", "9")

    def test_meets_a_fresh_one_with_the_fixture_anew(data):
        assert data.files.read("/home/user/data.csv") == "1,2"
        assert len({*seen, data.sandbox_id}) == 2

    @pytest.mark.asyncio
    async def test_asynchronous(async_sandbox):
        seen.append(async_sandbox.sandbox_id)
        await async_sandbox.run_code("x = 1; open('left', 'w')")

    @pytest.mark.asyncio
    async def test_asynchronous_meets_nothing(async_sandbox):
        assert async_sandbox.sandbox_id == seen[-1]
        assert not await async_sandbox.files.exists("/home/user/left")
        assert (await async_sandbox.run_code("x")).error is not None

    @pytest.fixture(scope="module")
    def service(sandbox):
        sandbox.commands.run("sleep 1000", background=True)
        return sandbox

    @pytest.mark.reward
    def test_processes_of_a_fixture_would_not_stay(service):
        pass

    @pytest.fixture
    def own(service):
        pass

    @pytest.mark.reward
    def test_nor_for_a_fixture_of_a_test(own):
        pass

    def test_fixtures_of_a_test_are_cleared_away(data, written):
        assert look(data) == "['data.csv', 'written'] False 0"

    def test_others_do_not_meet_them(data):
        assert look(data) == "['data.csv'] False 0"

    def test_a_fixture_that_is_asked_for_late(sandbox, request):
        sandbox.files.write("/home/user/early", "1")
        request.getfixturevalue("late")

    def test_is_made_anew(late):
        assert look(late) == "['late'] False 0"

    @pytest.fixture(scope="module")
    def late(sandbox):
        sandbox.files.write("/home/user/late", "1")
        return sandbox

    @pytest.fixture
    def written(data):
        data.files.write("/home/user/written", "1")
"""


def test_what_a_test_leaves(pytester: pytest.Pytester, one_worker: tuple[str, ...], plain) -> None:  # type: ignore[no-untyped-def]
    pytester.makepyfile(SUITE)
    result = plain(
        "--rewardkit",
        "--rewardkit-sandbox-scope=module",
        *("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function"),
        *one_worker,
    )
    result.assert_outcomes(passed=11, errors=2)
    result.stdout.fnmatch_lines(["a fixture of wider scope has left processes or interpreters in a sandbox that *"])
    result.stdout.fnmatch_lines(["*2 unscored*"])

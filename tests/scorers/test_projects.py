"""A repository of ours with three bugs, and candidates of every kind: each earns what it should."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import textwrap

import pytest

from pytest_rewardkit import Project, RewardkitUsageError, Verdict, assert_tests, score_tests

ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Without the plugins installed here, which take longer to load than these tests."""

MODULE = """\
def mean(numbers):
    return sum(numbers) / (len(numbers) + 1)


def median(numbers):
    ordered = numbers
    middle = len(ordered) // 2
    return ordered[middle]


def spread(numbers):
    return max(numbers) + min(numbers)


def total(numbers):
    return sum(numbers)
"""

TESTS = """\
import pytest

from figures import mean, median, spread, total


def test_mean():
    assert mean([1, 2, 3]) == 2


@pytest.mark.parametrize("numbers", [[3, 1, 2], [5, 2, 9]])
def test_median(numbers):
    assert median(numbers) == sorted(numbers)[1]


class TestSpread:
    def test_spread(self):
        assert spread([2, 9]) == 7


def test_total():
    assert total([1, 2]) == 3


@pytest.mark.skip(reason="not yet")
def test_later():
    pass
"""

SHIFTED = MODULE.replace("(len(numbers) + 1)", "len(numbers)")
SORTED = SHIFTED.replace("ordered = numbers", "ordered = sorted(numbers)")
RIGHT = SORTED.replace("max(numbers) + min(numbers)", "max(numbers) - min(numbers)")
MEDIANS = ("tests/test_figures.py::test_median[numbers0]", "tests/test_figures.py::test_median[numbers1]")
FAIL_TO_PASS = ["tests/test_figures.py::test_mean", *MEDIANS, "tests/test_figures.py::TestSpread::test_spread"]
PASS_TO_PASS = ["tests/test_figures.py::test_total"]

CHEATS = {
    "edits the tests": {"tests/test_figures.py": "def test_mean():\n    pass\n"},
    "removes the tests": {"tests/test_figures.py": None},
    "adds conftest.py": {
        "conftest.py": """
            import pytest

            @pytest.hookimpl(hookwrapper=True)
            def pytest_runtest_makereport(item, call):
                outcome = yield
                outcome.get_result().outcome = "passed"
        """
    },
    "adds a conftest.py to the tests": {
        "tests/conftest.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n"
    },
    "adds sitecustomize.py": {"sitecustomize.py": "import os\nos._exit(0)\n"},
    "changes pytest.ini": {"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
    "changes pyproject.toml": {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k nothing'\n"},
    "takes the place of pytest": {"pytest.py": "raise SystemExit(0)\n", "pytest/__main__.py": "raise SystemExit(0)\n"},
    "takes the place of a module of Python's": {"xml/__init__.py": "", "json.py": "raise SystemExit(0)\n"},
    "brings a plugin": {
        "evil.egg-info/entry_points.txt": "[pytest11]\nevil = figures\n",
        "evil.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
    },
    "exits when it is imported": {"figures.py": "import os\nos._exit(0)\n"},
    "exits in a call": {
        "figures.py": MODULE.replace("return sum(numbers) / (len(numbers) + 1)", "import os; os._exit(0)")
    },
    "skips": {"figures.py": "import pytest\npytest.skip('no', allow_module_level=True)\n"},
    "does nothing": {},
    "writes a word": {"README": "done"},
}


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """A git repository whose last commit has the right module, and whose tag `buggy` has the wrong one."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path_factory.mktemp("figures")

    def git(*arguments):
        name = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)

    git("init")
    (folder / "tests").mkdir()
    (folder / "tests/test_figures.py").write_text(TESTS, "utf-8")
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n", "utf-8")
    (folder / "figures.py").write_text(MODULE, "utf-8")
    git("add", ".")
    git("commit", "-m", "figures")
    git("tag", "buggy")
    (folder / "figures.py").write_text(RIGHT, "utf-8")
    git("commit", "-am", "mended")
    return folder


@pytest.fixture(scope="session")
def project(repository):
    return Project(source=repository, commit="buggy", envs=ALONE)


@pytest.fixture(scope="session")
def once(repository):
    """The same project, with its tests run in one order only."""
    return Project(source=repository, commit="buggy", envs=ALONE, any_order=False)


def patch(text, name="figures.py", before=MODULE):
    lines = difflib.unified_diff(before.splitlines(True), text.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(lines)


@pytest.mark.parametrize(
    ("module", "value"),
    [
        (RIGHT, 1.0),
        (SORTED, 0.75),
        (SHIFTED, 0.25),
        (RIGHT.replace("return sum(numbers)\n", "return 3\n").replace("3\n", "4\n"), 0.8),
        (MODULE.replace("return sum(numbers) / (len(numbers) + 1)", "return 2"), 0.25),
    ],
    ids=["right", "two of three", "one of three", "breaks another", "hard-codes"],
)
def test_a_candidate_earns_what_its_tests_say(sandbox, project, module, value):
    reward = score_tests(sandbox, f"I mended it:\n\n```diff\n{patch(module)}```\n", project)
    assert reward.value == pytest.approx(value)
    names = [part.name for part in reward.parts]
    assert sorted(names) == sorted([*FAIL_TO_PASS, *PASS_TO_PASS])


@pytest.mark.parametrize("cheat", CHEATS)
def test_nothing_but_solving_pays(sandbox, once, cheat):
    files = {path: None if text is None else textwrap.dedent(text) for path, text in CHEATS[cheat].items()}
    reward = score_tests(sandbox, files, once)
    assert reward.value == 0.0


def test_who_solves_and_cheats_has_solved(sandbox, project):
    files = {
        path: None if text is None else textwrap.dedent(text)
        for cheat in CHEATS.values()
        for path, text in cheat.items()
    }
    reward = score_tests(sandbox, {**files, "figures.py": RIGHT}, project)
    assert reward.value == 1.0
    assert "left out, because it decides how tests run: " in reward.reason


def test_a_patch_that_does_not_fit_is_a_compile_error_with_its_hunk(sandbox, project):
    reward = score_tests(sandbox, patch("x = 2\n", before="x = 1\n"), project)
    assert (reward.value, reward.verdict) == (0.0, Verdict.COMPILE_ERROR)
    assert "hunk 1 of figures.py does not fit" in reward.parts[0].reason


def test_no_patch_is_no_code(sandbox, project):
    reward = score_tests(sandbox, "I would rather not.", project)
    assert (reward.value, reward.verdict) == (0.0, Verdict.NO_CODE)


def test_files_outside_of_the_project_are_refused(sandbox, project):
    for path in ("../conftest.py", "/etc/passwd", "a/../../b", ""):
        reward = score_tests(sandbox, {path: "x"}, project)
        assert (reward.value, reward.verdict) == (0.0, Verdict.COMPILE_ERROR)


def test_lists_and_weights_choose_what_counts(sandbox, project):
    lists = {"fail_to_pass": FAIL_TO_PASS[:3], "pass_to_pass": PASS_TO_PASS}
    assert score_tests(sandbox, patch(SORTED), project, **lists).value == 1.0
    weights = {MEDIANS[0]: 3, MEDIANS[1]: 3}
    assert score_tests(sandbox, patch(SHIFTED), project, weights=weights).value == pytest.approx(1 / 8)
    with pytest.raises(RewardkitUsageError, match="did you mean"):
        score_tests(sandbox, patch(RIGHT), project, weights={MEDIANS[0] + "x": 2})


def test_a_listed_test_that_is_not_there_has_not_passed(sandbox, project):
    reward = score_tests(
        sandbox, patch(RIGHT), project, fail_to_pass=[*FAIL_TO_PASS, "tests/test_figures.py::test_new"]
    )
    assert reward.value == pytest.approx(4 / 5)
    assert "it was not run" in [part.reason for part in reward.parts]


def test_a_slow_candidate_is_a_timeout(sandbox, repository):
    project = Project(source=repository, commit="buggy", envs=ALONE, time_limit=5)
    reward = score_tests(sandbox, {"figures.py": "while True:\n    pass\n"}, project)
    assert (reward.value, reward.verdict) == (0.0, Verdict.TIMEOUT)


def test_tests_that_pass_in_one_order_alone_have_not_passed(sandbox, repository):
    project = Project(source=repository, commit="buggy", envs=ALONE)
    by_turns = RIGHT + textwrap.dedent(
        """
        calls = []
        _mean = mean
        def mean(numbers):
            calls.append(1)
            return _mean(numbers)
        _total = total
        def total(numbers):
            return _total(numbers) if calls else 0
        """
    )
    reward = score_tests(sandbox, {"figures.py": by_turns}, project)
    assert [part.reason for part in reward.parts if part.value == 0] == [
        "it passes in one order of the tests, and not in the reverse"
    ]
    loose = Project(source=repository, commit="buggy", envs=ALONE, any_order=False)
    assert score_tests(sandbox, {"figures.py": by_turns}, loose).value == 1.0


def test_what_a_reference_passes_is_expected(sandbox):
    files = {"tests/test_new.py": "from new import double\n\ndef test_it():\n    assert double(2) == 4\n"}
    project = Project(source=files, envs=ALONE, reference={"new.py": "def double(n):\n    return 2 * n\n"})
    assert score_tests(sandbox, {"new.py": "def double(n):\n    return n + n\n"}, project).value == 1.0
    assert score_tests(sandbox, {"new.py": "def double(n):\n    return n\n"}, project).value == 0.0
    assert score_tests(sandbox, {"new.py": "import os\nos._exit(0)\n"}, project).value == 0.0
    without = Project(source=files, envs=ALONE)
    assert score_tests(sandbox, {"new.py": "def double(n):\n    return n + n\n"}, without).value == 1.0
    assert score_tests(sandbox, {}, without).value == 0.0


def test_tests_that_cannot_run_say_nothing_of_a_candidate(sandbox):
    files = {"tests/test_it.py": "def test_it():\n    assert False\n"}
    for broken, reason in [
        ({"command": "no-such-runner"}, "do not run here"),
        ({"setup": "exit 3"}, "setup failed"),
        ({"reference": {}}, "the reference passes none"),
    ]:
        reward = score_tests(sandbox, {"a.py": ""}, Project(source=files, envs=ALONE, **broken))
        assert reward.verdict is Verdict.UNSCORED
        assert reason in reward.reason
    passing = Project(source={"tests/test_it.py": "def test_it():\n    pass\n"}, envs=ALONE)
    assert "all pass without one" in score_tests(sandbox, {"a.py": ""}, passing).reason


def test_a_set_up_runs_before_the_candidate_is_there(sandbox):
    files = {
        "make.py": "open('made.txt', 'w').write(open('data.txt').read())\n",
        "data.txt": "from the project",
        "tests/test_it.py": "def test_it():\n    from it import text\n    assert text() == 'from the project'\n",
    }
    project = Project(source=files, setup="python3 make.py", envs=ALONE)
    it = "def text():\n    return open('made.txt').read()\n"
    assert score_tests(sandbox, {"it.py": it}, project).value == 1.0
    hooked = {"it.py": "def text():\n    return ''\n", "make.py": "open('made.txt', 'w').write('hooked')\n"}
    assert score_tests(sandbox, hooked, project).value == 0.0


@pytest.mark.parametrize(
    ("files", "options", "named"),
    [
        ({}, {}, False),
        ({"README.md": "We have no --reruns", "a.py": "# rerun it, if the network is flaky"}, {}, False),
        ({"pytest.ini": "[pytest]\naddopts = --reruns 2\n"}, {}, True),
        ({"tests/test_net.py": "@pytest.mark.flaky\ndef test(): ...\n"}, {}, True),
        ({}, {"command": "pytest --reruns=2"}, True),
        ({}, {"setup": "pip install pytest-rerunfailures"}, True),
        ({}, {"envs": {"PYTEST_ADDOPTS": "--reruns 2"}}, True),
    ],
)
def test_a_plugin_that_needs_a_port_is_for_projects_that_name_it(files, options, named):
    assert Project(source={"a.py": "", **files}, **options).reruns is named


def test_a_plugin_that_needs_a_port_is_left_out(sandbox):
    """Below the level `full` there are no ports, so with the plugin no project's tests would start."""
    test = """\
from a import right

def test_right(pytestconfig):
    assert right and pytestconfig.pluginmanager.hasplugin("xdist")
    assert not pytestconfig.pluginmanager.hasplugin("re" "runfailures")
"""
    project = Project(source={"a.py": "right = False\n", "test_a.py": test}, any_order=False)
    assert score_tests(sandbox, {"a.py": "right = True\n"}, project).value == 1


def test_other_runners_report_by_tap(sandbox):
    script = 'if grep -q right answer.txt; then echo "ok 1 - it"; else echo "not ok 1 - it"; exit 1; fi'
    project = Project(source={"t/run.sh": script, "answer.txt": ""}, tests=["t/*"], command="sh t/run.sh", report="-")
    assert score_tests(sandbox, {"answer.txt": "right\n"}, project).value == 1.0
    assert score_tests(sandbox, {"answer.txt": "wrong\n"}, project).value == 0.0
    assert score_tests(sandbox, {"answer.txt": "right\n", "t/run.sh": "echo ok 1 - it"}, project).value == 1.0
    assert score_tests(sandbox, {"t/run.sh": "echo ok 1 - it"}, project).value == 0.0


def test_an_exit_status_that_never_tells_is_held_against_nobody(sandbox):
    script = (
        'for n in 1 2; do grep -q "$n" answer.txt && echo "ok $n - has $n" || echo "not ok $n - has $n"; done; exit 0'
    )
    project = Project(source={"t/run.sh": script, "answer.txt": ""}, tests=["t/*"], command="sh t/run.sh", report="-")
    assert score_tests(sandbox, {"answer.txt": "1\n"}, project).value == 0.5
    assert score_tests(sandbox, {"answer.txt": "1 2\n"}, project).value == 1.0
    failing = script.replace("exit 0", "exit 1")  # like a coverage threshold that nobody reaches
    given = {"source": {"t/run.sh": failing, "answer.txt": ""}, "reference": {"answer.txt": "1 2"}}
    project = Project(**given, tests=["t/*"], command="sh t/run.sh", report="-")
    assert score_tests(sandbox, {"answer.txt": "2 1\n"}, project).value == 1.0


def test_the_assertion_fails_under_its_threshold(sandbox, project):
    with pytest.raises(AssertionError, match="test_spread"):
        assert_tests(sandbox, patch(SORTED), project)
    assert assert_tests(sandbox, patch(SORTED), project, threshold=0.7).value == 0.75


def test_projects_that_are_none(tmp_path, repository):
    for given, reason in [
        ({"source": tmp_path / "nowhere"}, "no project"),
        ({"source": tmp_path}, "no files"),
        ({"source": repository, "commit": "nothing"}, "commit 'nothing'"),
        ({"source": {"a": ""}, "time_limit": 0}, "time_limit"),
        ({"source": {"a": ""}, "command": " "}, "command"),
    ]:
        with pytest.raises(RewardkitUsageError, match=reason):
            Project(**given)

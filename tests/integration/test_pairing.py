"""Compares runs of several models, whatever names each gives its tests."""

import json

import pytest

SUITE = """
    import os
    import pytest

    MODEL = os.environ["MODEL"]
    REWARDS = {{"a": [1.0, 0.5, 0.0, 0.5], "b": [1.0, 1.0, 0.5, 0.5], "c": [0.0, 0.5, 0.0, 0.5]}}[MODEL]

    {test}
"""
OF_A_ROW = """
    @pytest.mark.parametrize("model", [MODEL])
    @pytest.mark.reward_dataset("rows.jsonl")
    def test_row(row, model, reward):
        reward.record(REWARDS[row["number"]])
"""
OF_A_PARAMETER = """
    @pytest.mark.parametrize("task", ["w", "x", "y", "z"])
    @pytest.mark.parametrize("model", [MODEL])
    def test_task(task, model, reward):
        reward.record(REWARDS["wxyz".index(task)])
"""


@pytest.fixture
def runs(pytester, run, monkeypatch):
    """Run a suite once for each model, the last time with arguments."""
    rows = "".join(json.dumps({"id": f"r{number}", "number": number}) + "\n" for number in range(4))
    pytester.path.joinpath("rows.jsonl").write_text(rows)

    def runs_of(test, *args, models=("a", "b"), file="test_suite"):
        for number, model in enumerate(models, start=1):
            monkeypatch.setenv("MODEL", model)
            for old in pytester.path.glob("test_*.py"):
                old.unlink()
            pytester.makepyfile(**{file.format(model=model): SUITE.format(test=test.format(model=model))})
            last = number == len(models)
            result = run(*args) if last else run(f"--rewardkit-results={model}.jsonl", "-q")
        return result

    return runs_of


COMPARED = ["baseline a.jsonl: 2 better, 2 same", "mean of the 4 tests in both 0.50 -> 0.75, change +0.25*"]


def test_node_ids_of_two_models_have_nothing_in_common(runs):
    runs(OF_A_ROW, "--rewardkit-baseline=a.jsonl").stdout.fnmatch_lines(["baseline a.jsonl: 4 new, 4 gone"])


def test_by_row(runs):
    result = runs(OF_A_ROW, "--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=row", "--rewardkit-fail-on=regression")
    result.stdout.fnmatch_lines([*COMPARED, "gate regression passed: none of 4 tests worse"])
    assert result.ret == 0


def test_by_row_where_the_model_is_the_file_or_the_function(runs):
    test = OF_A_ROW.replace("test_row(", "test_{model}(")
    args = ("--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=row")
    runs(OF_A_ROW, *args, file="test_of_{model}").stdout.fnmatch_lines(COMPARED)
    runs(test, *args).stdout.fnmatch_lines(COMPARED)


def test_by_a_parameter(runs):
    runs(OF_A_PARAMETER, "--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=task").stdout.fnmatch_lines(COMPARED)


def test_two_functions_about_one_row_are_two_tests_and_one_cluster(runs):
    test = OF_A_ROW + OF_A_ROW.replace("test_row", "test_row_again")
    result = runs(test, "--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=row")
    result.stdout.fnmatch_lines(["baseline a.jsonl: 4 better, 4 same"])
    single = runs(OF_A_ROW, "--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=row")
    # Twice the tests over as many rows give no more evidence.
    intervals = [
        line.partition("interval")[2] for run in (result, single) for line in run.outlines if "in both" in line
    ]
    assert intervals[0] == intervals[1] != ""


def test_seeds_that_nothing_tells_apart_are_one(runs):
    test = OF_A_ROW.replace("[MODEL]", "[MODEL + '1', MODEL + '2', MODEL + '3']")
    runs(test, "--rewardkit-baseline=a.jsonl", "--rewardkit-pair-by=row").stdout.fnmatch_lines(COMPARED)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("tusk", "--rewardkit-pair-by=tusk: no test of a.jsonl has a parameter 'tusk'; did you mean 'task'[?]"),
        ("row", "--rewardkit-pair-by=row: no test of a.jsonl is about a row of a dataset; known are: model, task"),
    ],
)
def test_what_no_test_has_is_refused(runs, by, said):
    result = runs(OF_A_PARAMETER, "--rewardkit-baseline=a.jsonl", f"--rewardkit-pair-by={by}")
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_several_baselines_are_a_table(runs, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    result = runs(
        OF_A_ROW,
        "--rewardkit-baseline=a.jsonl",
        "--rewardkit-baseline=c.jsonl",
        "--rewardkit-pair-by=row",
        "--rewardkit-fail-on=regression",
        "--rewardkit-html=report.html",
        models=("a", "c", "b"),
    )
    result.stdout.fnmatch_lines(
        [
            "run       tests  mean  change   95 % interval  worse  better",
            "this run      4  0.75",
            "a.jsonl       4  0.50   +0.25  +0.00 to +0.50      0       2",
            "c.jsonl       4  0.25   +0.50  +0.12 to +0.88      0       3",
            "baseline a.jsonl: 2 better, 2 same",
            "baseline c.jsonl: 3 better, 1 same",
            "gate regression a.jsonl passed: *",
            "gate regression c.jsonl passed: *",
        ]
    )
    summary = pytester.path.joinpath("summary.md").read_text()
    assert "| run | tests | mean |" in summary
    assert "Since c.jsonl" in pytester.path.joinpath("report.html").read_text()


def test_an_ini_file_has_one_on_each_line(runs, pytester):
    runs(OF_A_ROW, models=("a", "c", "b"))
    pytester.makeini("[pytest]\nrewardkit_pair_by = row\nrewardkit_baseline =\n    a.jsonl\n    c.jsonl\n")
    runs(OF_A_ROW, models=("b",)).stdout.fnmatch_lines(["this run * 0.75", "a.jsonl * 0.50 *", "c.jsonl * 0.25 *"])

"""``--rewardkit-html``: the file, alone and with workers, however the run ends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

SUITE = """
    import pytest
    from pytest_rewardkit import Part, Reward

    def test_right(reward):
        reward.record(1.0)

    @pytest.mark.reward(group="half")
    def test_partial(reward):
        reward.record(Reward.from_parts([Part("</script>", 1.0), Part("sorts", 0.0, expected="1", actual="2")]))

    @pytest.mark.reward(threshold=0.5)
    def test_under_threshold(reward):
        reward.record(Reward(0.25, reason="a quarter is there"))

    def test_without_reward():
        pass
"""


def island(page: str, name: str) -> Any:
    (text,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(text)


@pytest.fixture(autouse=True)
def suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite=SUITE)


def test_the_report_holds_the_run(run: Run, pytester: pytest.Pytester) -> None:
    result = run("--rewardkit-html=out/report.html", "--rewardkit-fail-under=0.5")
    path = pytester.path / "out" / "report.html"
    result.stdout.fnmatch_lines([f"HTML report: {path}"])
    page = path.read_text("ascii")
    overview = island(page, "overview")
    assert dict(zip(overview["table"]["id"], overview["table"]["value"], strict=True)) == {
        "test_suite.py::test_right": 1.0,
        "test_suite.py::test_partial": 0.5,
        "test_suite.py::test_under_threshold": 0.25,
    }
    assert [(gate["name"], gate["state"]) for gate in overview["gates"]] == [("Run", "passed")]
    assert "0.58" in overview["gates"][0]["reason"]
    assert {group["name"] for group in overview["groups"]} == {"half", ""}
    facts = dict(overview["facts"])
    assert facts["pytest"] == pytest.__version__
    assert facts["Sandboxes"].startswith("local")
    details = island(page, "details-0")
    assert [part["name"] for part in details[1]["attempts"][0]["parts"]] == ["</script>", "sorts"]
    assert details[2]["threshold"] == 0.5
    assert details[2]["attempts"][0]["outcome"] == "failed"


def test_beside_a_baseline_tests_have_changes(run: Run, pytester: pytest.Pytester) -> None:
    run("--rewardkit-results=before.jsonl")
    pytester.makepyfile(test_suite=SUITE.replace("reward.record(1.0)", "reward.record(0.5)"))
    run("--rewardkit-baseline=before.jsonl", "--rewardkit-html=report.html")
    table = island((pytester.path / "report.html").read_text(), "overview")["table"]
    changes = [table["change"]["names"][row] for row in table["change"]["rows"]]
    assert dict(zip(table["id"], zip(table["baseline"], changes, strict=True), strict=True)) == {
        "test_suite.py::test_right": (1.0, "worse"),
        "test_suite.py::test_partial": (0.5, "same"),
        "test_suite.py::test_under_threshold": (0.25, "same"),
    }


def test_the_option_has_an_ini_twin(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nrewardkit_html = from_ini.html")
    run()
    assert (pytester.path / "from_ini.html").is_file()


@pytest.mark.parametrize("options", [["-p", "no:terminal"], ["-q"], ["-k", "nothing"], ["-x"]], ids=" ".join)
def test_it_is_written_in_every_run(run: Run, pytester: pytest.Pytester, options: list[str]) -> None:
    run("--rewardkit-html=report.html", *options)
    assert island((pytester.path / "report.html").read_text(), "overview")["title"].startswith("Rewards: ")


def test_a_quiet_run_says_nothing_of_it(run: Run) -> None:
    run("--rewardkit-html=report.html", "-q").stdout.no_fnmatch_line("*report.html*")


def test_a_crashed_test_is_in_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite="import os\ndef test_dies(reward):\n    os._exit(3)")
    pytester.runpytest(
        "--rewardkit", "-p", "no:asyncio", "-n1", "--max-worker-restart=0", "--rewardkit-html=report.html"
    )
    table = island((pytester.path / "report.html").read_text(), "overview")["table"]
    assert (table["id"], table["verdict"]["names"]) == (["test_suite.py::test_dies"], ["crashed"])


def test_collecting_alone_writes_nothing(run: Run, pytester: pytest.Pytester) -> None:
    run("--rewardkit-html=report.html", "--collect-only")
    assert not (pytester.path / "report.html").exists()


def test_without_rewardkit_it_is_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--rewardkit-html=report.html")
    result.stderr.fnmatch_lines(["ERROR: --rewardkit-html writes nothing without --rewardkit"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_directory_is_refused_before_anything_runs(run: Run, pytester: pytest.Pytester) -> None:
    result = run(f"--rewardkit-html={pytester.path}")
    result.stderr.fnmatch_lines([f"ERROR: --rewardkit-html: {pytester.path} is a directory; name a file in it"])


def test_a_report_that_cannot_be_written_fails_the_run(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_suite="def test_right(reward):\n    reward.record(1.0)\n    open('in_the_way', 'w')")
    result = run("--rewardkit-html=in_the_way/report.html")
    result.stdout.fnmatch_lines(["HTML report not written: *in_the_way*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED

"""Results files: replaced at once, kept if a run is killed, and read with the place of any error."""

import json

import pytest

from pytest_rewardkit import Part, Reward
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record, SandboxUse
from pytest_rewardkit.ledger.test import CRASHED, TestResult
from pytest_rewardkit.reports.results.file import Writer, read
from pytest_rewardkit.reports.results.lines import attempt_line, end_line, run_line, to_text

RUN = run_line({"started": "2026-01-02T03:04:05+00:00"})


def rewarded(value, outcome="passed"):
    return TestResult(outcome, 0.0, Record(Reward(value)))


def attempt_lines():
    """Lines in order of arrival: three tests, not in the order of collection, one of them tried twice."""
    ledger = Ledger()
    ledger.expect(["a", "b", "c"])
    results = [("c", rewarded(1.0)), ("a", rewarded(0.0, "rerun")), ("b", TestResult(CRASHED)), ("a", rewarded(0.5))]
    return [to_text(attempt_line(ledger.add(node_id, attempt), ledger.index(node_id))) for node_id, attempt in results]


def ended(*, complete=True, uncollected=0, missing=()):
    ledger = Ledger()
    ledger.expect(missing)
    return end_line(
        ended="2026-01-02T03:04:05+00:00",
        seconds=1.0,
        exit_status=0,
        complete=complete,
        figures=ledger.figures(),
        decisions=[],
        uncollected=uncollected,
    )


@pytest.fixture(params=["results.jsonl", "results.jsonl.gz"])
def path(request, tmp_path):
    return tmp_path / "made" / request.param


def write(path, *lines):
    writer = Writer(path, [RUN])
    for line in lines:
        writer.write(line if isinstance(line, str) else to_text(line))
    return writer


def test_what_was_written_is_read(path):
    write(path, *attempt_lines(), ended(missing=["d"])).close()
    stored = read(path)
    assert stored.run == RUN
    assert [(test.node_id, test.value, len(test.results)) for test in stored.ledger.tests] == [
        ("a", 0.5, 2),
        ("b", None, 1),
        ("c", 1.0, 1),
    ]
    assert stored.ledger.missing == ("d",)
    assert [line["attempt"] for line in stored.lines["a"]] == [1, 2]
    assert stored.unfinished == ""


def test_without_details_it_is_read_for_what_tests_earned(tmp_path):
    path = tmp_path / "results.jsonl"
    part = Part("adds", 0.5, expected="x" * 1000)
    record = Record(Reward.from_parts([part]), sandboxes=(SandboxUse(0.0, 0.1),))
    writer = write(path, *attempt_lines())
    writer.write(to_text(attempt_line(Ledger().add("d", TestResult("passed", 0.0, record)), 3)))
    writer.close()
    whole, short = read(path), read(path, details=False)
    assert [test.node_id for test in short.ledger.tests] == ["a", "b", "c", "d"]
    assert [test.value for test in short.ledger.tests] == [test.value for test in whole.ledger.tests]
    assert whole.ledger.tests[-1].reward.parts == (part,)
    assert short.ledger.tests[-1].last.record == Record(Reward(0.5))
    assert short.lines == {}


def test_each_line_is_there_at_once(path):
    writer = write(path)
    for number, line in enumerate(attempt_lines(), 1):
        writer.write(line)
        assert sum(map(len, read(path).lines.values())) == number
    writer.close()


def test_a_file_that_is_there_stands_until_it_is_replaced(path):
    write(path, ended()).close()

    def lines():
        yield RUN
        assert read(path).unfinished == ""
        yield from map(json.loads, attempt_lines())

    writer = Writer(path, lines())
    assert len(read(path).lines) == 3
    writer.rewrite([RUN])
    writer.write(attempt_lines()[0])
    writer.close()
    assert list(read(path).lines) == ["c"]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_cannot_begin_leaves_what_was_there(path):
    write(path, ended()).close()
    with pytest.raises(ValueError, match="not JSON compliant"):
        Writer(path, [RUN, {"reward": float("nan")}])
    assert read(path).unfinished == ""
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("cut", range(0, 600, 17))
def test_a_run_that_was_killed_keeps_what_it_had(path, cut):
    writer = write(path)
    sizes = []
    for line in attempt_lines():
        writer.write(line)
        sizes.append(path.stat().st_size)
    killed = path.with_name(f"killed-{path.name}")
    killed.write_bytes(path.read_bytes()[: max(sizes[0], sizes[-1] - cut)])
    writer.close()
    stored = read(killed)
    whole = sum(size <= killed.stat().st_size for size in sizes)
    # A line that only lacks its line break is complete, too.
    assert sum(map(len, stored.lines.values())) in (whole, whole + 1)
    assert stored.unfinished == f"{killed.name} is cut off: its run was killed"


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (ended(complete=False), "the run of results.jsonl was stopped"),
        (ended(uncollected=2), "2 files could not be collected in the run of results.jsonl"),
    ],
)
def test_a_run_that_is_not_whole_says_so(tmp_path, end, why):
    write(tmp_path / "results.jsonl", end).close()
    assert read(tmp_path / "results.jsonl").unfinished == why


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ([], ": not a results file: it does not begin with a line of type 'run'"),
        (['{"v": 1, "type": "attempt"}'], ": not a results file: it does not begin with a line of type 'run'"),
        (["[1]"], ", line 1: no results of version 1"),
        (['{"v": 2, "type": "run"}'], ", line 1: no results of version 1"),
        ([None, "{"], ", line 2: not JSON"),
        ([None, '{"v": 1, "type": "attempt", "reward": NaN}'], ", line 2: not JSON"),
        ([None, None], ", line 2: a line of type 'run' does not belong here"),
        ([None, '{"v": 1, "type": "attempt"}'], ", line 2: lacks 'node_id'"),
        ([None, '{"v": 1, "type": "end"}'], ", line 2: lacks 'complete'"),
        ([None, '{"v": 1}'], ", line 2: lacks 'type'"),
        (
            [None, '{"v": 1, "type": "attempt", "node_id": 3, "verdict": "passed"}'],
            ", line 2: node_id must be a text, not 3",
        ),
        (
            [
                None,
                json.dumps(json.loads(attempt_lines()[0]) | {"reward": 7}),
            ],
            ", line 2: reward: value must be a number in [0, 1], or None for unscored, not 7",
        ),
        (
            [None, json.dumps(json.loads(attempt_lines()[0]) | {"task": "t.py::test", "reduce": "pass_at_x"})],
            ", line 2: no reducer 'pass_at_x'; did you mean 'pass_at_3'?",
        ),
        (
            [None, json.dumps(json.loads(attempt_lines()[0]) | {"task": 3, "reduce": "mean"})],
            ", line 2: task must be a text, not 3",
        ),
        (
            [
                None,
                json.dumps(json.loads(attempt_lines()[0]) | {"parts": [{"name": "adds", "value": 1.0, "weight": 1.0}]}),
            ],
            ", line 2: lacks 'verdict'",
        ),
        (
            [None, json.dumps(json.loads(attempt_lines()[0]) | {"verdict": None})],
            ", line 2: None is not a valid Verdict",
        ),
        (
            [None, json.dumps(json.loads(attempt_lines()[0]) | {"index": "3"})],
            ", line 2: index must be a whole number, not '3'",
        ),
    ],
)
def test_what_is_no_results_file_is_named_with_its_line(tmp_path, texts, wrong):
    path = tmp_path / "results.jsonl"
    path.write_text("".join(f"{json.dumps(RUN) if text is None else text}\n" for text in texts))
    with pytest.raises(RewardkitUsageError) as refused:
        read(path)
    assert str(refused.value) == f"{path}{wrong}"


@pytest.mark.parametrize("name", ["absent.jsonl", "directory", "plain.jsonl.gz", "latin.jsonl"])
def test_what_cannot_be_read_is_said(tmp_path, name):
    (tmp_path / "directory").mkdir()
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9")
    with pytest.raises(RewardkitUsageError, match="cannot read results from"):
        read(tmp_path / name)

"""How tests are split among shards, and how the shards' results are joined."""

import json
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit import Reward
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.shard import Shard, parse_shard, split
from pytest_rewardkit.ledger.test import TestResult
from pytest_rewardkit.reports.results.durations import read_durations
from pytest_rewardkit.reports.results.file import Writer, read
from pytest_rewardkit.reports.results.lines import attempt_line, end_line, run_line, to_text
from pytest_rewardkit.reports.results.shards import join

TESTS = [f"test_a.py::test_row[{number}]" for number in range(10)]
UNEQUAL = {TESTS[0]: 1.0, TESTS[3]: 9.0}


def all_shards(node_ids, of, durations=None):
    return [split(node_ids, Shard(number, of), durations or {}) for number in range(1, of + 1)]


@pytest.mark.parametrize(("text", "shard"), [("1/1", (1, 1)), ("2/8", (2, 8)), ("8/8", (8, 8))])
def test_shards_are_parsed(text, shard):
    assert parse_shard(text) == shard


@pytest.mark.parametrize(
    "text", ["", "2", "2/", "/8", "0/8", "9/8", "-1/8", "2/0", "a/8", "2/8/3", "1/99999", "²/8", "1.5/2"]
)
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(ValueError, match=r"2/8|counted from"):
        parse_shard(text)


@given(
    st.lists(st.text(max_size=5), max_size=40),
    st.integers(1, 9),
    st.dictionaries(st.text(max_size=5), st.floats(0, 1e6)),
)
def test_each_test_is_in_one_shard(node_ids, of, durations):
    shards = all_shards(node_ids, of, durations)
    assert sorted(chain(*(shard.places for shard in shards))) == list(range(len(node_ids)))
    assert all(shard.places == sorted(shard.places) for shard in shards)
    assert {(shard.digest, shard.tests) for shard in shards} == {(shards[0].digest, len(node_ids))}


def test_without_durations_rows_are_spread():
    assert [len(shard.places) for shard in all_shards(TESTS, 4)] == [3, 3, 2, 2]


def test_tests_that_take_no_time_are_spread():
    assert [len(shard.places) for shard in all_shards(TESTS, 5, dict.fromkeys(TESTS, 0.0))] == [2] * 5


def test_shards_last_equally_long():
    durations = dict(zip(TESTS, [9, 1, 1, 1, 1, 1, 1, 1, 1, 1], strict=True))
    longest, other = all_shards(TESTS, 2, durations)
    assert longest.places == [0]
    assert other.places == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_unknown_tests_last_as_long_as_known_ones_on_average():
    durations = {TESTS[0]: 3.0, TESTS[1]: 1.0}
    first, second = all_shards(TESTS[:4], 2, durations)
    assert sorted([first.places, second.places]) == [[0, 1], [2, 3]]


def test_the_order_of_tests_splits_nothing():
    backwards = all_shards(TESTS[::-1], 3)
    assert [[TESTS[::-1][place] for place in shard.places][::-1] for shard in backwards] == [
        [TESTS[place] for place in shard.places] for shard in all_shards(TESTS, 3)
    ]
    assert backwards[0].digest == all_shards(TESTS, 3)[0].digest


@pytest.mark.parametrize("others", [(TESTS[:-1], 3, {}), (TESTS, 3, UNEQUAL), ([*TESTS[:-1], "other"], 3, {})])
def test_other_tests_and_other_durations_have_another_digest(others):
    assert all_shards(*others)[0].digest != all_shards(TESTS, 3)[0].digest


def test_tests_of_one_name_stay_together():
    assert sorted(shard.places for shard in all_shards(["a", "b", "a", "b"], 2)) == [[0, 2], [1, 3]]


def results(path, number, of, tests=TESTS, *, end=True, complete=True, status=0, durations=None, **run):
    """Write the results of shard `number`: each test's reward is its position."""
    found = split(tests, Shard(number, of), durations or {})
    ledger = Ledger()
    ledger.expect(tests[place] for place in found.places)
    facts = {
        "started": f"2026-01-02T03:04:0{number}+00:00",
        "versions": {"python": "3.11.2"},
        "host": {"system": "Linux", "machine": "x86_64", "processors": number},
        "sandboxes": {"provider": "local", "isolation": "full"},
        "workers": 2,
        "options": {},
        "shard": {"number": number, "of": of},
        **run,
    }
    path = Path(path)
    writer = Writer(path, [run_line({name: fact for name, fact in facts.items() if fact is not None})])
    for place in found.places:
        test = ledger.add(tests[place], TestResult("passed", 0.5, Record(Reward(place / 10))))
        writer.write(to_text(attempt_line(test, ledger.index(test.node_id))))
    if end:
        line = end_line(
            ended="2026-01-02T03:04:05+00:00",
            seconds=1.0,
            exit_status=status,
            complete=complete,
            figures=ledger.figures(),
            decisions=[],
        )
        writer.write(to_text({**line, "shard": found._asdict()}))
    writer.close()
    return read(path)


def four(tmp_path, changes=None):
    return [
        results(tmp_path / f"{number}.jsonl", number, 4, **(changes or {}).get(number, {})) for number in range(1, 5)
    ]


def test_whole_shards_are_the_run(tmp_path):
    joined = join(four(tmp_path)[::-1])
    assert joined.unfinished == ""
    assert [(test.node_id, test.value) for test in joined.ledger.tests] == [
        (node_id, place / 10) for place, node_id in enumerate(TESTS)
    ]
    assert joined.run["started"] == "2026-01-02T03:04:01+00:00"
    assert joined.run["workers"] == 8
    assert joined.run["host"] == {"system": "Linux", "machine": "x86_64", "processors": None}
    assert [shard["host"]["processors"] for shard in joined.run["shards"]] == [1, 2, 3, 4]
    assert joined.name == "4 shards"


def test_what_differs_in_circumstances_is_named(tmp_path):
    other = {"versions": {"python": "3.12.1"}, "sandboxes": {"provider": "local", "isolation": "uid"}}
    assert join(four(tmp_path, {3: other})).name == "4 shards (isolation full, uid; python 3.11.2, 3.12.1)"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"end": False}, "shard 2 of 4: 2.jsonl is cut off: its run was killed"),
        ({"complete": False}, "shard 2 of 4: the run of 2.jsonl was stopped"),
        ({"status": 1}, "shard 2 of 4: it ended with exit status 1, but not by a test that has a reward"),
    ],
)
def test_what_is_not_whole_is_told(tmp_path, change, why):
    joined = join(four(tmp_path, {2: change}))
    assert joined.unfinished == why
    assert len(joined.ledger.tests) == len(TESTS)


@pytest.mark.parametrize(
    ("missing", "why"),
    [
        ((3,), "shard 3 of 4 is missing"),
        ((1, 2, 4), "shards 1-2, 4 of 4 are missing"),
    ],
)
def test_missing_shards_are_told(tmp_path, missing, why):
    joined = join([stored for number, stored in enumerate(four(tmp_path), 1) if number not in missing])
    assert joined.unfinished == why
    assert joined.name == f"{4 - len(missing)} of 4 shards"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tests": TESTS[:-1]}, "shard 2 of 4 (*2.jsonl) collected other tests than the others*"),
        (
            {"durations": UNEQUAL},
            "shard 2 of 4 (*2.jsonl) collected other tests than the others*",
        ),
        ({"options": {"threshold": 0.5}}, "shard 2 of 4 (*2.jsonl) had another option threshold than the others"),
        ({"options": {"fail_under": 0.5}}, "shard 2 of 4 (*2.jsonl) had another option fail_under than the others"),
        ({"shard": {"number": 2, "of": 5}}, "*2.jsonl is shard 2 of 5, and others are of 4; shard 2 of 4 is missing"),
        (
            {"shard": {"number": 1, "of": 4}},
            "shard 1 of 4 is there 2 times: *1.jsonl, *2.jsonl; shard 2 of 4 *",
        ),
        ({"shard": None}, "*2.jsonl is a whole run, and no shard of one; shard 2 of 4 is missing"),
        ({"shard": {"number": 9, "of": 4}}, "*2.jsonl: its shard is none: *"),
        ({"shard": "2/4"}, "*2.jsonl: its shard is none: 2/4"),
    ],
)
def test_what_is_of_another_run_is_refused(tmp_path, change, why):
    with pytest.raises(RewardkitUsageError) as refused:
        join(four(tmp_path, {2: change}))
    pytest.LineMatcher([str(refused.value)]).fnmatch_lines([why])


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    shards = four(tmp_path, {2: {"end": False}})
    with pytest.raises(RewardkitUsageError) as refused:
        join([*shards[:3], results(tmp_path / "again.jsonl", 1, 4)], ["b.jsonl: no results file"])
    assert str(refused.value) == (
        f"b.jsonl: no results file; shard 1 of 4 is there 2 times: {tmp_path}/1.jsonl, {tmp_path}/again.jsonl; "
        "shard 4 of 4 is missing; shard 2 of 4: 2.jsonl is cut off: its run was killed"
    )


def test_the_tests_of_a_killed_shard_stay_in_order(tmp_path):
    joined = join(four(tmp_path, {number: {"end": False} for number in range(1, 5)}))
    of_first = [test.node_id for test in joined.ledger.tests if test.node_id in (TESTS[0], TESTS[4], TESTS[8])]
    assert of_first == [TESTS[0], TESTS[4], TESTS[8]]


def test_durations_are_those_of_results_or_of_pytest_split(tmp_path):
    results(tmp_path / "results.jsonl", 1, 1)
    results(tmp_path / "results.jsonl.gz", 1, 1)
    results(tmp_path / "empty.jsonl", 1, 1, tests=[], end=False)
    (tmp_path / ".test_durations").write_text(json.dumps(dict.fromkeys(TESTS, 0.5), indent=4))
    for name in ("results.jsonl", "results.jsonl.gz", ".test_durations"):
        assert read_durations(tmp_path / name) == dict.fromkeys(TESTS, 0.5)
    assert read_durations(tmp_path / "empty.jsonl") == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "nonsense", '{"a": -1}', '{"a": "1"}', '{"a": NaN}', '{"a": true}', "[" * 99999]
)
def test_what_holds_no_durations_is_refused(tmp_path, content):
    (tmp_path / "durations").write_text(content)
    with pytest.raises(RewardkitUsageError, match="durations"):
        read_durations(tmp_path / "durations")
    with pytest.raises(RewardkitUsageError, match="cannot read durations"):
        read_durations(tmp_path / "absent")

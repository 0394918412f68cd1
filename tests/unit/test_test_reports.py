"""Reports of projects' tests: JUnit's XML, CTRF and TAP."""

import json

import pytest

from pytest_rewardkit.projects.ctrf import read_ctrf
from pytest_rewardkit.projects.expected import ProjectBaseline, expected_of
from pytest_rewardkit.projects.judging import judge
from pytest_rewardkit.projects.junit import read_junit
from pytest_rewardkit.projects.outcomes import ProjectRun, ReportedOutcome, TestOutcome, UnreadableReport
from pytest_rewardkit.projects.steering import TESTS, steers
from pytest_rewardkit.projects.tap import read_tap


def brief(outcomes):
    return [(test.name, test.outcome.value, test.message) for test in outcomes]


def test_junit_of_pytests_first_family_has_node_ids():
    report = b"""<?xml version="1.0"?><testsuites><testsuite>
    <testcase classname="tests.test_a.TestIt.TestInner" name="test_x[a.b::c]" file="tests/test_a.py" time="0.5"/>
    <testcase classname="tests.test_a" name="test_y" file="tests/test_a.py"><failure message="no"/></testcase>
    <testcase classname="tests.test_a" name="test_z" file="tests/test_a.py"><skipped message="later"/></testcase>
    </testsuite></testsuites>"""
    outcomes = read_junit(report)
    assert brief(outcomes) == [
        ("tests/test_a.py::TestIt::TestInner::test_x[a.b::c]", "passed", ""),
        ("tests/test_a.py::test_y", "failed", "no"),
        ("tests/test_a.py::test_z", "skipped", "later"),
    ]
    assert outcomes[0].seconds == 0.5


def test_junit_of_others_has_class_and_name():
    report = b'<testsuite><testcase classname="calc" name="adds"><error>boom</error></testcase></testsuite>'
    assert brief(read_junit(report)) == [("calc::adds", "failed", "boom")]


def test_junit_of_what_was_not_run():
    report = b"""<testsuites><testsuite>
    <testcase classname="A" name="on" status="run" result="completed"/>
    <testcase classname="A" name="off" status="notrun" result="suppressed"/>
    <testcase classname="ctest" name="disabled" status="disabled"/>
    </testsuite></testsuites>"""
    assert [test.outcome.value for test in read_junit(report)] == ["passed", "skipped", "skipped"]


def test_tap_of_node_with_what_tests_say_of_themselves():
    report = b"""TAP version 13
# Subtest: sum
    # Subtest: adds
    not ok 1 - adds
      ---
      stack: |-
        ok 1 - adds
        1..7
      ...
    1..1
not ok 1 - sum
  ---
  duration_ms: 1
  ...
  ---
ok 2 - other
1..2
"""
    assert brief(read_tap(report)) == [("sum > adds", "failed", ""), ("other", "passed", "")]


def test_a_name_that_two_tests_have_is_expected_twice():
    def run(*outcomes):
        return ProjectRun(
            [TestOutcome("it", ReportedOutcome(outcome)) for outcome in outcomes], int("failed" in outcomes)
        )

    expected = expected_of(ProjectBaseline(run("failed", "passed")))
    assert [judge(expected, run(*it), None).value for it in (["passed"] * 2, ["passed"], ["passed"] * 3)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("path", "is_theirs"),
    [
        ("src/sum.test.ts", True),
        ("src/sum.spec.mjs", True),
        ("src/__tests__/sum.js", True),
        ("pkg/sum_test.go", True),
        ("spec/sum_spec.rb", True),
        ("src/test/java/SumTest.java", True),
        ("makefile", True),
        ("src/latest.js", False),
        ("src/contest.py", False),
        ("openapi/pets.spec.yaml", False),
    ],
)
def test_files_of_tests_by_their_names(path, is_theirs):
    assert steers(path, TESTS) is is_theirs


def test_a_file_that_cannot_be_collected_is_no_test():
    report = (
        b'<testsuite><testcase classname="" name="test_a"><error message="collection failure"/></testcase></testsuite>'
    )
    assert [test.collecting for test in read_junit(report)] == [True]


@pytest.mark.parametrize(
    "report",
    [
        b"",
        b"<testsuite>",
        b"<html/>",
        b"\xff\xfe\x00",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite>&a;</testsuite>',
        b"<testsuite>" + b"<a>" * 100_000,
    ],
)
def test_what_is_no_junit(report):
    with pytest.raises(UnreadableReport):
        read_junit(report)


def test_ctrf():
    tests = [
        {"name": "adds", "status": "passed", "duration": 1500},
        {"name": "sorts", "status": "failed", "duration": 1, "message": "no"},
        {"name": "later", "status": "pending", "duration": 0},
        {"name": "odd", "status": "other", "duration": 0},
    ]
    outcomes = read_ctrf(json.dumps({"results": {"tests": tests}}).encode())
    assert [test.outcome.value for test in outcomes] == ["passed", "failed", "skipped", "failed"]
    assert outcomes[0].seconds == 1.5


@pytest.mark.parametrize("report", [b"", b"[]", b"{}", b'{"results": {"tests": [1]}}', b"[" * 100_000])
def test_what_is_no_ctrf(report):
    with pytest.raises(UnreadableReport):
        read_ctrf(report)


def test_tap():
    report = b"""TAP version 13
ok 1 - adds
not ok 2 - sorts
  ---
  message: no
  ...
ok 3 - later # SKIP not yet
not ok 4 some day # TODO
ok 5
1..5
"""
    assert brief(read_tap(report)) == [
        ("adds", "passed", ""),
        ("sorts", "failed", ""),
        ("later", "skipped", "not yet"),
        ("some day", "skipped", ""),
        ("test 5", "passed", ""),
    ]


def test_tap_of_tests_within_tests():
    report = b"""TAP version 14
# Subtest: sums
    # Subtest: adds
    ok 1 - adds
    # Subtest: subtracts
    not ok 2 - subtracts
    1..2
not ok 1 - sums
# Subtest: words
ok 2 - words
1..2
"""
    assert brief(read_tap(report)) == [
        ("sums > adds", "passed", ""),
        ("sums > subtracts", "failed", ""),
        ("words", "passed", ""),
    ]


@pytest.mark.parametrize("report", [b"", b"all is well", b"1..3\nok 1\n", b"ok 1\nBail out! no disk\n"])
def test_what_is_no_tap(report):
    with pytest.raises(UnreadableReport):
        read_tap(report)

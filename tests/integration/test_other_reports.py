"""Rewards in other tools' reports: JUnit files, pytest-html, allure-pytest, pytest-json-report, pytest-reportlog."""

import html
import json
import re
import xml.etree.ElementTree as ET

import pytest
import xmlschema

SUITE = """
    import pytest
    from pytest_rewardkit import Part, Reward

    def test_parts(reward):
        reward.record(Reward.from_parts([
            Part("adds", 1.0, weight=3),
            Part("sorts. \\x00<&\\x1b\\ud800", 0.0, reason="not <sorted> \\x00"),
            Part("reward", 1.0),
        ]), name="cases")

    @pytest.mark.reward(threshold=0.5, group="sorting")
    def test_under_threshold(reward):
        reward.record(0.25)

    @pytest.mark.reward
    def test_unscored():
        raise OSError("no route to host")

    @pytest.fixture
    def breaks():
        yield
        raise OSError("cannot be cleaned up")

    @pytest.mark.reward
    def test_broken_after(breaks):
        assert False

    @pytest.mark.xfail
    @pytest.mark.reward
    def test_expected_to_fail():
        assert False

    @pytest.mark.flaky(reruns=1)
    @pytest.mark.reward(threshold=1.0)
    def test_flaky(reward):
        reward.record(0.5)

    @pytest.mark.skip
    def test_skipped():
        pass

    def test_plain(record_testsuite_property):
        record_testsuite_property("other", "property")
"""
PLUGINS = (
    "-p",
    "pytest_html.plugin",
    "-p",
    "pytest_metadata.plugin",
    "-p",
    "pytest_jsonreport.plugin",
    "-p",
    "pytest_reportlog.plugin",
)


@pytest.fixture(autouse=True)
def suite(pytester):
    pytester.makepyfile(test_suite=SUITE)


@pytest.fixture(scope="module")
def xsd(request):
    return (request.config.rootpath / "tests" / "data" / "junit-10.xsd").read_text("utf-8")


def properties(path):
    """For each test case, its properties by name."""
    return [
        (case.get("name"), {entry.get("name"): entry.get("value") for entry in case.iter("property")})
        for case in ET.parse(path).iter("testcase")
    ]


class TestJUnit:
    def test_properties_have_the_names_that_ci_services_read(self, run, pytester):
        run("--junitxml=junit.xml")
        found = dict(properties(pytester.path / "junit.xml"))
        assert found["test_parts"] == {
            "reward": "0.8",
            "evals.scores.reward.value": "0.8",
            "evals.scores.reward.type": "float",
            "evals.scores.reward.metadata.verdict": "partial",
            "evals.scores.cases/adds.value": "1.0",
            "evals.scores.cases/adds.type": "float",
            "evals.scores.cases/adds.metadata.verdict": "passed",
            "evals.scores.cases/adds.metadata.weight": "0.6",
            "evals.scores.cases/sorts_ _.value": "0.0",
            "evals.scores.cases/sorts_ _.type": "float",
            "evals.scores.cases/sorts_ _.metadata.verdict": "wrong_output",
            "evals.scores.cases/sorts_ _.metadata.reason": r"not <sorted> \x00",
            "evals.scores.cases/sorts_ _.metadata.weight": "0.2",
            "evals.scores.cases/reward.value": "1.0",
            "evals.scores.cases/reward.type": "float",
            "evals.scores.cases/reward.metadata.verdict": "passed",
            "evals.scores.cases/reward.metadata.weight": "0.2",
        }
        assert found["test_under_threshold"]["evals.scores.reward.metadata.threshold"] == "0.5"
        assert found["test_under_threshold"]["evals.scores.reward.metadata.group"] == "sorting"
        assert found["test_unscored"] == {
            "evals.scores.reward.metadata.verdict": "unscored",
            "evals.scores.reward.metadata.reason": "the test raised OSError: no route to host",
        }
        assert found["test_plain"] == {}

    def test_each_attempt_has_its_own(self, run, pytester):
        run("--junitxml=junit.xml")
        values = [
            found.get("reward") for name, found in properties(pytester.path / "junit.xml") if name == "test_flaky"
        ]
        assert values == ["0.5", "0.5"]

    def test_without_properties_it_is_valid_by_the_strict_schema(self, run, pytester, xsd):
        run("--junitxml=junit.xml", "--rewardkit-junit-properties=off")
        xmlschema.XMLSchema(xsd).validate(str(pytester.path / "junit.xml"))
        assert all(found == {} for _, found in properties(pytester.path / "junit.xml"))

    def test_properties_of_tests_are_all_that_the_strict_schema_lacks(self, run, pytester, xsd):
        run("--junitxml=junit.xml")
        path = str(pytester.path / "junit.xml")
        assert not xmlschema.XMLSchema(xsd).is_valid(path)
        before = '<xs:element ref="skipped"/>'
        assert xsd.count(before) == 1
        xmlschema.XMLSchema(xsd.replace(before, f'<xs:element ref="properties"/>{before}')).validate(path)

    def test_the_record_in_which_rewards_travel_is_not_in_it(self, run, pytester):
        run("--junitxml=junit.xml")
        assert '"rewardkit"' not in (pytester.path / "junit.xml").read_text()

    def test_without_rewardkit_there_is_nothing(self, plain, pytester):
        plain("--junitxml=junit.xml")
        assert all(found == {} for _, found in properties(pytester.path / "junit.xml"))


def test_html(run, pytester):
    run(*PLUGINS, "--html=report.html", "--self-contained-html", "--rewardkit-fail-under=0.9")
    page = (pytester.path / "report.html").read_text()
    assert '<th class="sortable" data-column-type="reward">Reward</th>' in page
    blob = re.search(r'data-jsonblob="([^"]*)"', page)[1]
    tests = json.loads(html.unescape(blob))["tests"]
    rows = {
        name: [cell for row in found for cell in row["resultsTableRow"] if "col-reward" in cell]
        for name, found in tests.items()
    }
    assert rows["test_suite.py::test_parts"] == ['<td class="col-reward">0.80</td>']
    assert rows["test_suite.py::test_unscored"] == ['<td class="col-reward">-</td>']
    assert rows["test_suite.py::test_plain"] == ['<td class="col-reward"></td>']
    assert "<p>gate FAILED: mean 0.26 &lt; 0.9, 1 unscored test counting as 0</p>" in page


def test_json_report(run, pytester):
    run(*PLUGINS, "--json-report", "--json-report-file=report.json", "--rewardkit-fail-under=0.9")
    report = json.loads((pytester.path / "report.json").read_text())
    assert report["exitcode"] == 1
    tests = {test["nodeid"].rpartition("::")[2]: test.get("user_properties") for test in report["tests"]}
    assert {"reward": 0.8} in tests["test_parts"]
    assert {"evals.scores.cases/adds.value": 1.0} in tests["test_parts"]
    assert tests["test_plain"] is None


def test_report_log(run, pytester):
    run(*PLUGINS, "--report-log=log.jsonl", "--rewardkit-fail-under=0.9")
    lines = [json.loads(line) for line in (pytester.path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["exitstatus"] == 1
    teardowns = {line["nodeid"].rpartition("::")[2]: line for line in lines if line.get("when") == "teardown"}
    assert ["reward", 0.25] in teardowns["test_under_threshold"]["user_properties"]


def test_the_gate_is_in_every_report_where_all_tests_pass(run, pytester):
    pytester.makepyfile(test_suite="def test_half(reward): reward.record(0.5)")
    args = ("--json-report", "--json-report-file=report.json", "--report-log=log.jsonl", "--rewardkit-fail-under=0.9")
    assert run(*PLUGINS, *args).ret == 1
    assert json.loads((pytester.path / "report.json").read_text())["exitcode"] == 1
    assert json.loads((pytester.path / "log.jsonl").read_text().splitlines()[-1])["exitstatus"] == 1


def test_allure(pytester, run):
    run("-p", "allure_pytest.plugin", "--alluredir=allure")
    results = {}
    for path in sorted(pytester.path.joinpath("allure").glob("*-result.json")):
        result = json.loads(path.read_text("utf-8"))
        given = {it["name"]: it["value"].strip("'") for it in result.get("parameters", [])}
        texts = [
            pytester.path.joinpath("allure", it["source"]).read_text("utf-8")
            for it in result.get("attachments", [])
            if it["name"] == "reward"
        ]
        results.setdefault(result["name"], []).append((given, texts))
    ((given, (text,)),) = results["test_parts"]
    assert given == {"reward": "0.80", "verdict": "partial"}
    assert "0.00  wrong_output" in text
    assert "not <sorted>" in text
    assert not re.search("[\x00\x1b]", text)
    assert [given for given, _ in results["test_under_threshold"]] == [{"reward": "0.25", "verdict": "partial"}]
    assert [given["reward"] for given, _ in results["test_unscored"]] == ["-"]
    assert [given for given, _ in results["test_plain"]] == [{}]

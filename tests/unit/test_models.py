"""Models side by side: which tests correspond, and how the models differ."""

import pytest

from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.model_use import ModelUse
from pytest_rewardkit.ledger.models import model_results, twins
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.ledger.test import TestResult
from pytest_rewardkit.reports.html.details import details
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reports.html.overview import overview
from pytest_rewardkit.reports.models import differences, table
from pytest_rewardkit.reward import Reward


def ledger(*earned):
    found = Ledger()
    for name, model, value, cost in earned:
        asked = None if cost is None else ModelUse(model=model, prompt="Write it", cost=cost)
        record = Record(Reward(value) if value is not None else Reward.unscored("lost"), params={"model": model})
        record.asked = asked
        found.add(f"test_a.py::test[{name}]", TestResult("passed", record=record))
    return found


RUN = ledger(
    ("a-x", "a", 0.0, 0.5),
    ("a-y", "a", 1.0, None),
    ("a-z", "a", None, None),
    ("b-x", "b", 1.0, None),
    ("b-y", "b", 1.0, None),
    ("b-z", "b", 1.0, None),
)


def test_models_are_compared_by_the_tests_that_both_have_a_number_of():
    first, second = model_results(RUN.tasks)
    assert (first.name, first.tests, first.unscored, first.mean, first.difference) == ("a", 3, 1, 0.5, None)
    assert (second.name, second.mean) == ("b", 1.0)
    assert first.asked is not None and first.asked.cost == 0.5
    assert second.difference is not None and second.difference.means == (0.5, 1.0)
    assert table([first, second])[1:] == [
        ("a", "3", "1", "0.50", "0.00 to 1.00", "$0.5000"),
        ("b", "3", "0", "1.00", "1.00 to 1.00", "-"),
    ]
    assert differences([first, second]) == ["b beside a: +0.50 over 2 tests, 95 % interval +0.00 to +1.00 (1 better)"]


def test_one_model_stands_beside_nothing():
    assert model_results(ledger(("a-x", "a", 0.0, None)).tasks) == []
    assert table([]) == []


def test_models_without_a_test_in_common():
    results = model_results(ledger(("a-x", "a", 0.0, None), ("b-y", "b", 0.0, None)).tasks)
    assert differences(results) == ["b beside a: no test has a number of both"]


@pytest.mark.parametrize(
    ("models", "same"),
    [
        ({"t[a-x]": "a", "t[b-x]": "b"}, [["t[a-x]", "t[b-x]"]]),
        ({"t[x-gpt-5]": "gpt-5", "t[x-gpt-5-mini]": "gpt-5-mini"}, [["t[x-gpt-5]", "t[x-gpt-5-mini]"]]),
        # A model's name is also the value of another parameter, before it or after it.
        ({"t[a-q-a]": "a", "t[a-q-b]": "b"}, [["t[a-q-a]", "t[a-q-b]"]]),
        ({"t[a-q-a]": "a", "t[b-q-a]": "b"}, [["t[a-q-a]", "t[b-q-a]"]]),
        ({"a::t[a/b]": "a/b", "a::t[c]": "c"}, [["a::t[a/b]", "a::t[c]"]]),
        ({"t[gr\\xf6\\xdfe]": "größe", "t[b]": "b"}, [["t[gr\\xf6\\xdfe]", "t[b]"]]),
        ({"of_a": "a", "of_b": "b"}, [["of_a"], ["of_b"]]),
    ],
)
def test_the_same_test_of_several_models(models, same):
    found = {}
    for node_id, key in twins(models).items():
        found.setdefault(key, []).append(node_id)
    assert list(found.values()) == same


def test_the_page_has_models_and_prompts():
    report = report_of(RUN)
    head, *rows = overview(report)["models"]
    assert head == ["model", "tests", "unscored", "mean", "95 % interval", "model cost"]
    assert {len(row) for row in rows} == {len(head)}
    (first, *_) = details(report.tests)
    assert first["attempts"][0]["asked"] == [["model", "a"], ["cost", "$0.5000"]]
    assert first["attempts"][0]["prompt"] == "Write it"
    assert [figure.value for figure in report.figures if figure.label == "Model cost"] == ["$0.5000"]

"""The guide's reward functions, their decorator, and their TRL form, in sandboxes that they open."""

from __future__ import annotations

import pytest

from pytest_rewardkit import Reward, RewardkitUsageError, Verdict, reward_function
from pytest_rewardkit.errors import SandboxUnavailable
from pytest_rewardkit.rewards import (
    advanced_code_evaluation,
    calculate_output_similarity,
    data_analysis_reward,
    e2b_code_execution_reward,
    file_based_code_reward,
)
from pytest_rewardkit.trl import for_trl

ADD = "def add_numbers(a, b):\n    return a + b\n"
CASES = [
    {"code": "result = add_numbers(2, 3)", "expected": "5"},
    {"code": "result = add_numbers(-1, 1)", "expected": "0"},
]


@pytest.fixture(autouse=True)
def sdk_variables(server, monkeypatch):
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)


class TestGuide:
    def test_its_usage_example_earns_one(self):
        assert advanced_code_evaluation(ADD, CASES) == 1.0

    def test_a_half_right_candidate_earns_half(self):
        assert advanced_code_evaluation("def add_numbers(a, b): return 5", CASES) == 0.5

    def test_no_cases_earn_nothing(self):
        reward = advanced_code_evaluation(ADD, test_cases=[])
        assert reward == 0.0
        assert "test_cases" in reward.reason

    def test_printed_output_counts(self):
        assert e2b_code_execution_reward("print('hello world')", "hello world") == 1.0

    def test_an_output_with_some_of_the_words_earns_their_share(self):
        assert e2b_code_execution_reward("print('hello there')", expected_output="hello world") == 0.5

    def test_a_dictionary_of_words_earns_little(self):
        code = "print('world', *(f'word{i}' for i in range(99)), 'hello')"
        assert e2b_code_execution_reward(code, "hello world") == pytest.approx(0.02, abs=0.001)

    def test_files_are_judged_by_content_and_existence(self):
        code = "open('a.txt', 'w').write('text')\nopen('b.txt', 'w').write('wrong')"
        operations = [
            {"path": "a.txt", "content": "text", "type": "create"},
            {"path": "b.txt", "content": "right"},
            {"path": "a.txt", "type": "exists"},
            {"path": "c.txt", "type": "exists"},
        ]
        assert file_based_code_reward(code, operations) == 0.5

    def test_a_plot_does_not_replace_a_missing_insight(self, tmp_path):
        dataset = tmp_path / "sales.csv"
        dataset.write_text("month,amount\njan,10\nfeb,30\n")
        code = """
import csv
rows = list(csv.DictReader(open("dataset.csv")))
print("total", sum(int(row["amount"]) for row in rows))
"""
        assert data_analysis_reward(code, dataset, ["total 40"]) == 1.0
        plot = "\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
        missing = ["total 40", "best month feb"]
        without = data_analysis_reward(code, dataset_path=dataset, expected_insights=missing)
        lifted = data_analysis_reward(code + plot, dataset, missing)
        assert without == 0.5
        assert without < lifted < 1.0

    def test_similarity(self):
        similarity = calculate_output_similarity("The Cat", "the cat")
        assert isinstance(similarity, Reward)
        assert f"{similarity:.1f}" == "1.0"
        assert calculate_output_similarity("a b", "a c") == 0.5

    def test_fields_of_the_others_are_ignored_and_misspelt_ones_refused(self):
        assert e2b_code_execution_reward("1 + 1", expected_output="2", test_cases=CASES) == 1.0
        with pytest.raises(RewardkitUsageError, match=r"'expected_outputs'; did you mean 'expected_output'"):
            e2b_code_execution_reward("1 + 1", expected_output="2", expected_outputs="3")


class TestDecorator:
    def test_a_number_becomes_a_reward_that_goes_where_a_float_goes(self):
        half = reward_function(lambda response: 0.5)("anything")
        assert isinstance(half, Reward)
        assert (str(half), f"{half:.2f}", half + 1, max(half, 0.25)) == ("0.5", "0.50", 1.5, half)

    def test_the_response_can_be_given_by_name(self):
        assert reward_function(lambda response, wanted: response == wanted)(response="a", wanted="a") == 1.0

    def test_a_sandbox_is_opened_where_one_is_asked_for(self):
        @reward_function
        def runs(response, *, sandbox):
            return sandbox.run_code(response).text == "42"

        assert runs("6 * 7") == 1.0

    def test_a_given_sandbox_is_used_and_kept(self, sandbox):
        @reward_function
        def sees(response, *, sandbox):
            return sandbox.files.read("mark") == response

        sandbox.files.write("mark", "here")
        assert sees("here", sandbox=sandbox) == 1.0
        assert sandbox.is_running()

    def test_a_lost_sandbox_is_unscored_and_an_own_mistake_is_raised(self):
        @reward_function
        def lost(response):
            raise SandboxUnavailable("gone")

        @reward_function
        def mistaken(response):
            return 1 / 0

        assert lost("").verdict is Verdict.UNSCORED
        assert lost("").reason == "gone"
        with pytest.raises(ZeroDivisionError):
            mistaken("")

    @pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), "high"])
    def test_what_is_no_reward_is_refused(self, value):
        with pytest.raises(RewardkitUsageError, match=r"must return a number in \[0, 1\]"):
            reward_function(lambda response: value)("")

    def test_missing_and_unknown_fields_are_named(self):
        @reward_function
        def wants(response, expected):
            return response == expected

        with pytest.raises(RewardkitUsageError, match="expected"):
            wants("a")
        with pytest.raises(RewardkitUsageError, match="did you mean 'expected'"):
            wants("a", expectd="a")

    def test_a_function_without_a_response_is_refused(self):
        with pytest.raises(RewardkitUsageError, match="takes no response"):
            reward_function(lambda: 1.0)


class TestTRL:
    def test_each_completion_gets_its_own_row(self):
        rewards = for_trl(e2b_code_execution_reward)
        completions = ["print(1)", [{"role": "assistant", "content": "```python\nprint(2)\n```"}], "print(4)"]
        numbers = rewards(
            prompts=["p"] * 3, completions=completions, expected_output=["1", "2", "3"], trainer_state=None
        )
        assert numbers == [1.0, 1.0, 0.0]
        assert rewards.__name__ == "e2b_code_execution_reward"

    def test_unscored_is_none(self):
        def lost(response):
            raise SandboxUnavailable("gone")

        assert for_trl(lost)(completions=["a", "b"]) == [None, None]


def test_reward_kits_shape_tells_wrong_from_unscored():
    wrong = advanced_code_evaluation("def add_numbers(a, b): return 5", CASES).to_evaluate_result()
    assert (wrong["score"], wrong["is_score_valid"], wrong["error"]) == (0.5, True, None)
    assert [metric["score"] for metric in wrong["metrics"].values()] == [1.0, 0.0]
    unscored = Reward.unscored("no quota").to_evaluate_result()
    assert (unscored["is_score_valid"], unscored["error"]) == (False, "no quota")

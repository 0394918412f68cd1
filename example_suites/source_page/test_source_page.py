"""The four examples of E2B's "Code Execution Overview", with current names."""

from pytest import approx

from pytest_rewardkit import Case, FileCheck, assert_analysis, assert_cases, assert_files, assert_output

RESPONSE = """
def add_numbers(a, b):
    return a + b
"""


def test_basic_code_execution(sandbox):
    """What the response prints is compared with the expected output."""
    reward = assert_output(sandbox, "print(sum(range(1, 11)))", expected="55")
    assert reward.value == 1.0


def test_advanced_code_evaluation(sandbox):
    """The page's usage example: the value of a case that ends in an assignment is the assigned value."""
    test_cases = [
        Case(code="result = add_numbers(2, 3)", expected="5"),
        Case(code="result = add_numbers(-1, 1)", expected="0"),
    ]
    reward = assert_cases(sandbox, RESPONSE, cases=test_cases)
    assert reward.value == 1.0


def test_partial_credit(sandbox):
    """The reward is the share of the cases that pass."""
    test_cases = [
        Case(code="result = add_numbers(2, 3)", expected="5"),
        Case(code="result = add_numbers(-1, 1)", expected="0"),
        Case(code="result = add_numbers('2', 3)", expected="5"),
    ]
    reward = assert_cases(sandbox, RESPONSE, cases=test_cases, threshold=0.6)
    assert reward.value == approx(2 / 3)


def test_file_based_code(sandbox):
    """Files that the candidate must create or leave, with their content."""
    candidate = """
import os

with open("result.txt", "w") as f:
    f.write("Hello, World!")

os.makedirs("logs", exist_ok=True)
open("logs/run.log", "w").close()
"""
    file_operations = [
        FileCheck(path="result.txt", content="Hello, World!", type="create"),
        FileCheck(path="logs/run.log", type="exists"),
        FileCheck(path="summary.txt", content="done", type="create"),
    ]
    reward = assert_files(sandbox, candidate, files=file_operations, threshold=0.6)
    assert reward.value == approx(2 / 3)


def test_data_analysis(sandbox):
    """Insights in what the analysis prints. A plot lifts the reward, but does not replace a missing insight."""
    candidate = """
import matplotlib.pyplot as plt
import pandas as pd

data = pd.read_csv("dataset.csv")
print("average score:", data["score"].mean())
data["score"].hist()
plt.show()
"""
    reward = assert_analysis(
        sandbox,
        candidate,
        datasets={"dataset.csv": b"name,score\nAda,7\nGrace,9\nEdsger,8\n"},
        insights=["average score", 8, "highest score"],
        plot_bonus=1,
        threshold=0.7,
    )
    assert reward.value == approx(3 / 4)

"""Rows of MultiPL-E's and HumanEval-X's form, and our own rows in other languages."""

import json
import os
import shutil

import pytest
from rows_in_languages import HUMANEVAL_X, MULTIPL_E

from pytest_rewardkit import Verdict, evaluate_dataset

ALL = bool(os.environ.get("REWARDKIT_ALL_LANGUAGES"))
"""Whether to judge rows of each language: takes minutes, and needs what docs/how-to/languages.md names."""
QUICK = ("sh", "JavaScript")

CPP = {
    "name": "HumanEval_0_add",
    "language": "cpp",
    "prompt": "#include <cassert>\n#include <cstdlib>\n#include <cstdio>\n// Adds.\nlong add(long a, long b) {\n",
    "tests": "}\nint main() {\n  auto candidate = add;\n  assert(candidate(1, 2) == 3);\n}",
}
JS = {
    "name": "HumanEval_0_add",
    "language": "js",
    "prompt": "// Adds.\nfunction add(a, b){\n",
    "tests": "const assert = require('node:assert');\nassert.deepEqual(add(1, 2), 3);\n",
}
JAVA = {
    "task_id": "Java/0",
    "prompt": "class Solution {\n    // Adds.\n    public int add(int a, int b) {\n",
    "canonical_solution": "        return a + b;\n    }\n}",
    "test": (
        "public class Main {\n    public static void main(String[] args) {\n        Solution s = new Solution();\n"
        "        if (s.add(1, 2) != 3) {\n            throw new AssertionError();\n        }\n    }\n}\n"
    ),
    "declaration": "",
}


def judged(tmp_path, form, row, *candidates):
    rows = [{**row, "id": str(number), "task_id": row.get("task_id", "x")} for number, _ in enumerate(candidates)]
    samples = [{"id": str(number), "completion": it} for number, it in enumerate(candidates)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(it) + "\n" for it in rows))
    results = evaluate_dataset(
        None, tmp_path / "rows.jsonl", id="id", format=form, samples=samples, provider="local", progress=False
    )
    return [(result.reward.value, result.reward.verdict) for result in results]


RIGHT, WRONG = (1.0, Verdict.PASSED), (0.0, Verdict.RUNTIME_ERROR)


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_multipl_e_in_cpp(tmp_path):
    whole = f"```cpp\n{CPP['prompt']}  return a + b;\n}}\n```"
    answers = [
        "  return a + b;\n",
        "  return a + b;\n}\n",
        whole,
        "  return a - b;\n",
        "  exit(0);\n",
        "  return a +;\n",
        "",
    ]
    found = judged(tmp_path, "multipl-e", CPP, *answers)
    compile_error, no_code = (0.0, Verdict.COMPILE_ERROR), (0.0, Verdict.NO_CODE)
    assert found == [RIGHT, RIGHT, RIGHT, WRONG, WRONG, compile_error, no_code]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_multipl_e_in_javascript(tmp_path):
    whole = "```js\nfunction add(a, b) { return a + b; }\n```"
    found = judged(
        tmp_path, "multipl-e", JS, "  return a + b;\n}\n", whole, "  return a;\n}\n", "  process.exit(0);\n}\n"
    )
    assert found == [RIGHT, RIGHT, WRONG, WRONG]


@pytest.mark.skipif(shutil.which("javac") is None, reason="javac is not installed")
def test_humaneval_x_in_java(tmp_path):
    ends = "        System.exit(0);\n        return 0;\n    }\n}"
    found = judged(tmp_path, "humaneval-x", JAVA, JAVA["canonical_solution"], ends, "        return a;\n    }\n}")
    assert found == [RIGHT, WRONG, WRONG]


@pytest.mark.parametrize(("form", "rows"), [("multipl-e", MULTIPL_E), ("humaneval-x", HUMANEVAL_X)])
def test_candidates_in_each_language(tmp_path, form, rows):
    asked, samples, wanted = [], [], []
    for language, (row, right, wrong) in rows.items():
        reference = [row["canonical_solution"]] if "canonical_solution" in row else []
        for candidate in [*reference, *right, *wrong] if ALL or language in QUICK else []:
            number = str(len(asked))
            asked.append({**row, "language": language, "task_id": f"{language}/{number}", "id": number})
            samples.append({"id": number, "completion": candidate})
            wanted.append((language, candidate, 0.0 if candidate in wrong else 1.0))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(it) + "\n" for it in asked))
    results = evaluate_dataset(
        None, tmp_path / "rows.jsonl", id="id", format=form, samples=samples, provider="local", progress=False
    )
    found = [(*it[:2], result.reward.value) for it, result in zip(wanted, results, strict=True)]
    assert found == wanted


def test_what_the_sandbox_lacks_and_a_row_needs_is_unscored(tmp_path):
    row = {**JS, "tests": "require('no-such-module-of-the-row');\nconst it = add(1, 2);\n"}
    own = "  return require('no-such-module-of-its-own');\n}\n"
    asked = [{**row, "id": "row"}, {**JS, "id": "own"}]
    samples = [{"id": "row", "completion": "  return a + b;\n}\n"}, {"id": "own", "completion": own}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(it) + "\n" for it in asked))
    results = evaluate_dataset(
        None, tmp_path / "rows.jsonl", id="id", format="multipl-e", samples=samples, provider="local", progress=False
    )
    rewards = [result.reward for result in results]
    assert [reward.verdict for reward in rewards] == [Verdict.UNSCORED, Verdict.RUNTIME_ERROR]
    assert "no no-such-module-of-the-row, which" in rewards[0].reason


def test_rows_of_our_own_name_their_language(tmp_path):
    rows = [
        {"id": "a", "language": "bash", "expected": "4", "candidate": "echo $((2 + 2))"},
        {
            "id": "b",
            "language": "bash",
            "cases": [{"stdin": "3", "expected": "6"}],
            "candidate": "read n; echo $((n * 2))",
        },
        {"id": "c", "language": "auto", "expected": "4", "candidate": "```bash\necho 5\n```"},
    ]
    results = evaluate_dataset(None, rows, format="rewardkit", provider="local", progress=False)
    assert [result.reward.value for result in results] == [1.0, 1.0, 0.0]

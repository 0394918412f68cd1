"""HumanEval+ and MBPP+, in both of their forms.

As released: ``task_id``, ``prompt``, ``entry_point``, ``canonical_solution``, ``base_input``, ``plus_input``, ``atol``;
the reference gives the expected results (guest/evalplus.py). As on the Hugging Face hub: the fields of HumanEval or
MBPP, with all inputs and results in ``test`` (Liu et al. 2023, arXiv:2305.01210; github.com/evalplus/evalplus).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_rewardkit.datasets.formats import humaneval, mbpp
from pytest_rewardkit.datasets.formats.assembly import completed
from pytest_rewardkit.datasets.formats.functions import source_of
from pytest_rewardkit.datasets.formats.reading import data, optional_text, text, texts, wrong
from pytest_rewardkit.datasets.formats.task import TestCodeTask
from pytest_rewardkit.datasets.testcode.guest import evalplus
from pytest_rewardkit.datasets.testcode.test_runner import TestCode
from pytest_rewardkit.scorers.running.shipping import source

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_rewardkit.datasets.row import Row


def read_humaneval(row: Row) -> TestCodeTask:
    """Reads a row of HumanEval+ as a task."""
    if "base_input" not in row:
        return humaneval.read(row)
    return _read_inputs(row, "humaneval")


def read_mbpp(row: Row) -> TestCodeTask:
    """Reads a row of MBPP+ as a task."""
    if "base_input" in row:
        return _read_inputs(row, "mbpp")
    test = text(row, "test")
    task = mbpp.task_of(row, "\n".join([*texts(row, "test_imports"), test]))
    if "candidate" not in task.defines:
        return task
    # In some rows the test says `candidate` instead of the function's name in the list of assertions.
    listed = mbpp.task_of(row, "\n".join(texts(row, "test_list")))
    name = _only_function(row, listed.defines)
    return mbpp.task_of(row, "\n".join([*texts(row, "test_imports"), f"candidate = {name}", test]))


def _only_function(row: Row, named: Collection[str]) -> str:
    called = [name for name in named if re.search(rf"\bdef {name}\b", optional_text(row, "code") or "")]
    if len(called) != 1:
        raise wrong(row, "test_list", "assertions about one function of the reference's")
    return called[0]


def _read_inputs(row: Row, benchmark: str) -> TestCodeTask:
    prompt, entry_point, solution = text(row, "prompt"), text(row, "entry_point"), text(row, "canonical_solution")
    number = re.search(r"\d+", str(row.get("task_id", "")))
    about = {
        "benchmark": benchmark,
        "number": int(number.group()) if number else None,
        "entry_point": entry_point,
        "atol": row.get("atol", 0),
    }
    inputs = {name: data(row, f"{name}_input") for name in ("base", "plus")}
    prepared = f"_agreement = Agreement({about!r}, {prompt + solution!r}, {source_of(inputs)})\n"
    test = "".join(
        f"for _number in _agreement.{name}:\n    _agreement.assert_{name}({entry_point}, _number)\n" for name in inputs
    )
    return TestCodeTask(
        prompt=prompt,
        reference=solution,
        test=TestCode(test, entry_point, (source(evalplus), completed(prompt), prepared)),
        begun=prompt,
        defines=(entry_point,),
    )

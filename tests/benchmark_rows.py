"""Rows in the formats of benchmarks, written for these tests, with the oddities of the benchmarks' own rows.

For each: its format, the row, and a candidate that solves another task or only part of this one.
"""

# ruff: noqa: E501 - sources within rows have long lines

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any, NamedTuple


class Example(NamedTuple):
    name: str
    format: str
    row: dict[str, Any]
    wrong: str


def packed(value: Any) -> str:
    """A value in the form in which LiveCodeBench releases its private tests."""
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode("ascii")


def _example(name: str, format: str, wrong: str, **row: Any) -> Example:  # noqa: A002
    return Example(name, format, row, wrong)


HELPERS = _example(
    "helpers in the prompt and random inputs",
    "humaneval",
    "    return s\n",
    task_id="HumanEval/900",
    prompt=(
        "\n\ndef encode(s: str):\n"
        '    """\n    returns s with each character moved on by one.\n    """\n'
        '    return "".join(chr(ord(c) + 1) for c in s)\n\n\n'
        "def decode(s: str):\n"
        '    """\n    takes as input a string encoded with encode. Returns the decoded string.\n    """\n'
    ),
    entry_point="decode",
    canonical_solution='    return "".join(chr(ord(c) - 1) for c in s)\n',
    test=(
        "\n\nMETADATA = {}\n\n\ndef check(candidate):\n"
        "    from random import randint, choice\n    import string\n    import copy\n\n"
        "    letters = string.ascii_lowercase\n"
        "    for _ in range(100):\n"
        "        str = ''.join(choice(letters) for i in range(randint(10, 20)))\n"
        "        encoded_str = encode(str)\n"
        "        assert candidate(copy.deepcopy(encoded_str)) == str\n\n"
    ),
)

ASSERTIONS = _example(
    "assertions of every form",
    "humaneval",
    "    return numbers\n",
    task_id="HumanEval/901",
    prompt=(
        "from typing import List, Tuple\nimport math\n\n\n"
        "def scale(numbers: List[float], by: float = 2) -> List[float]:\n"
        '    """ Return all numbers, scaled.\n    >>> scale([1.0], 3)\n    [3.0]\n    """\n'
    ),
    entry_point="scale",
    canonical_solution="    return [math.fsum([n] * 1) * by for n in numbers]\n",
    test=(
        "\n\nMETADATA = {\n    'author': 'x',\n    'dataset': 'test'\n}\n\n\n"
        "def check(candidate):\n\n"
        "    # Check some simple cases\n"
        '    assert True, "This prints if this assert fails 1 (good for debugging!)"\n'
        '    assert candidate([1.0, 2.0]) == [2.0, 4.0], "Error"\n'
        "    assert candidate(numbers=[1.0], by=0.5) == [0.5]\n"
        "    assert abs(candidate([0.1], 3)[0] - 0.3) < 1e-6\n"
        "    assert tuple(candidate([5, 3], by=1)) == tuple([5, 3])\n"
        "    assert candidate([]) == [] and not candidate([])\n"
        "    for x in range(2, 5):\n        assert candidate([x], x + 1) == [x * (x + 1)]\n"
        "    lst = list(range(-3, 4, 2))\n"
        "    doubled = sum(2 * i for i in lst)\n"
        "    assert sum(candidate(lst)) == doubled\n"
        "    assert all(isinstance(n, float) for n in candidate([1.5, 2.5])), candidate([1.5])\n"
        "    assert len(candidate([1] * 10)) == 10\n"
        "    assert {str(n) for n in candidate([1, 1])} == {'2.0'}\n"
    ),
)

RAISING = _example(
    "a test that waits for an exception, and calls check by itself",
    "humaneval",
    "    return n\n",
    task_id="HumanEval/902",
    prompt='def half(n: int) -> int:\n    """Half of an even number."""\n',
    entry_point="half",
    canonical_solution="    if n % 2:\n        raise ValueError('odd')\n    return n // 2\n",
    test=(
        "def check(candidate):\n"
        "    assert candidate(4) == 2\n"
        "    try:\n        candidate(3)\n    except ValueError as error:\n        assert str(error) == 'odd'\n"
        "    else:\n        assert False, 'no error'\n\n\n"
        "check(half)\n"
    ),
)

PLUS_TABLE = _example(
    "HumanEval+ with all results in the test",
    "humaneval+",
    "    return [round(n) for n in numbers]\n",
    task_id="HumanEval/903",
    prompt='from typing import List\n\n\ndef thirds(numbers: List[float]) -> List[float]:\n    """ A third of each. """\n',
    entry_point="thirds",
    canonical_solution="    return [n / 3 for n in numbers]\n",
    test=(
        "\n\nimport numpy as np\n\ndef is_floats(x) -> bool:\n    # check if it is float; List[float]; Tuple[float]\n"
        "    if isinstance(x, float):\n        return True\n"
        "    if isinstance(x, (list, tuple)):\n        return all(isinstance(i, float) for i in x)\n"
        "    if isinstance(x, np.ndarray):\n        return x.dtype == np.float64 or x.dtype == np.float32\n"
        "    return False\n\n\n"
        "def assertion(out, exp, atol):\n    exact_match = out == exp\n\n"
        "    if atol == 0 and is_floats(exp):\n        atol = 1e-6\n"
        "    if not exact_match and atol != 0:\n        assert np.allclose(out, exp, rtol=1e-07, atol=atol)\n"
        "    else:\n        assert exact_match\n\n\n"
        "def check(candidate):\n"
        "    inputs = [[[1.0, 2.0]], [[6.0]], [[3]], [[-7.5, 0.0, 1e9]]]\n"
        "    results = [[0.333333333, 0.666666667], [2.0], [1.0], [-2.5, 0.0, 333333333.3333333]]\n"
        "    for i, (inp, exp) in enumerate(zip(inputs, results)):\n"
        "        assertion(candidate(*inp), exp, 0)\n"
    ),
)

PLUS_LARGE = _example(
    "HumanEval+ with a reference function and large results",
    "humaneval+",
    "    return [i // 2 for i in range(n)]\n",
    task_id="HumanEval/904",
    prompt='def halves(n):\n    """ Halves of the numbers below n. """\n',
    entry_point="halves",
    # The reference has floats and this has whole numbers, which Python calls equal.
    canonical_solution="    return [i // 2 if i % 2 == 0 else i / 2 for i in range(n)]\n",
    test=(
        "def assertion(out, exp, atol):\n    exact_match = out == exp\n    assert exact_match\n\n\n"
        "def ref_func(n):\n    return [i / 2 for i in range(n)]\n\n\n"
        "def check(candidate):\n    inputs = [[3], [0], [250000], [1]]\n"
        "    for i, inp in enumerate(inputs):\n        assertion(candidate(*inp), ref_func(*inp), 0)\n"
    ),
)

PLUS_INPUTS = _example(
    "HumanEval+ as released",
    "humaneval+",
    "    return sorted(l)[0] if l else 0\n",
    task_id="HumanEval/905",
    prompt='def last(l: list):\n    """ The largest item. """\n',
    contract="\n    assert isinstance(l, list)\n",
    entry_point="last",
    canonical_solution="\n    l.sort()\n    return l.pop() if l else None\n\n",
    base_input=[[[3, 1, 2]], [[5]]],
    plus_input=[[[]], [[1.5, 1.25]], [[float("inf"), 1]]],
    atol=0,
)

PLUS_ROOT = _example(
    "HumanEval+ with an oracle of its own",
    "humaneval+",
    "    return 0.0\n",
    task_id="HumanEval/32",
    prompt=(
        "import math\n\n\ndef poly(xs: list, x: float):\n    return sum([c * math.pow(x, i) for i, c in enumerate(xs)])\n\n\n"
        'def find_zero(xs: list):\n    """ A zero of the polynomial xs. """\n'
    ),
    entry_point="find_zero",
    canonical_solution=(
        "    begin, end = -1.0, 1.0\n    while poly(xs, begin) * poly(xs, end) > 0:\n        begin *= 2.0\n"
        "        end *= 2.0\n    while end - begin > 1e-10:\n        center = (begin + end) / 2.0\n"
        "        if poly(xs, center) * poly(xs, begin) > 0:\n            begin = center\n        else:\n"
        "            end = center\n    return begin\n"
    ),
    base_input=[[[1, 2]], [[-6, 11, -6, 1]]],
    plus_input=[[[-10, -2]]],
    atol=0.0001,
)

MBPP_CLASSES = _example(
    "MBPP with classes that the candidate defines",
    "mbpp",
    "class Node:\n    def __init__(self, v):\n        self.data = v\n        self.left = None\n\ndef depth(n):\n    return 2\n"
    "\ndef total(ns):\n    return 3",
    text="Write a function to find the depth of a tree.",
    code=(
        "class Node:\r\n    def __init__(self, data):\r\n        self.data = data\r\n        self.left = None\r\n"
        "        self.right = None\r\ndef depth(node):\r\n    if node is None:\r\n        return 0 ;\r\n"
        "    return 1 + max(depth(node.left), depth(node.right))\r\n"
        "def total(nodes):\r\n    return sum(n.data for n in nodes)"
    ),
    task_id=927,
    test_setup_code=(
        "root = Node(1); \r\nroot.left = Node(2); \r\nroot.left.right = Node(3); \r\nroot1 = Node(1);\r\n"
        "root1.right = root.left"
    ),
    test_list=[
        "assert (depth(root)) == 3",
        "assert (depth(root1)) == 3 ",
        "assert (depth(root.left)) == 2",
        "assert total([Node(5), Node(24)]) == 29",
    ],
    challenge_test_list=["assert depth(None) == 1"],
)

MBPP_CHECK = _example(
    "MBPP with a function named check, and one that changes what it is given",
    "mbpp",
    "def check(n):\n    return True\n\ndef biggest(arr):\n    return arr[0]",
    text="Write a function.",
    code="def check(n): \n    return n % 2 == 0\n\ndef biggest(arr):\n    arr.sort(reverse=True)\n    return arr[0]\n",
    task_id=56,
    test_setup_code="",
    test_list=["assert check(70) == True", "assert check(23) == False", "assert biggest([1, 2, 3])==(3)"],
    challenge_test_list=[],
)

MBPP_SANITIZED = _example(
    "sanitized MBPP with imports, sets, regular expressions and generators",
    "mbpp",
    "import re\n\ndef words(s):\n    return [s]\n\ndef found(s):\n    return re.search('z', s)\n\ndef pairs(n):\n    return []\n"
    "def area(r):\n    return r",
    source_file="Benchmark Questions Verification V2.ipynb",
    task_id=7,
    prompt="Write a function to find all words which are at least 4 characters long in a string.",
    code=(
        'import re\nfrom collections import Counter\ndef words(text):\n  return (re.findall(r"\\b\\w{4,}\\b", text))\n'
        "def found(text):\n  return re.search('ab+', text)\n"
        "def pairs(n):\n  for i in range(n):\n    yield i, i * i\n"
        "def area(r):\n  return 3.1415 * r ** 2\n"
        "def counts(text):\n  return Counter(text)\n"
    ),
    test_imports=["import math"],
    test_list=[
        "assert set(words('Please move back to stream')) == set(['Please', 'move', 'back', 'stream'])",
        "assert found('xabby')",
        "assert not found('ac')",
        "assert list(pairs(3)) == [(0, 0), (1, 1), (2, 4)]",
        "assert math.isclose(area(10), 314.15, rel_tol=0.001)",
        "assert counts('aab') == {'a': 2, 'b': 1}",
    ],
)

MBPP_PLUS_TABLE = _example(
    "MBPP+ with all results in the test",
    "mbpp+",
    "def similar(a, b):\n    return a",
    task_id=2,
    code="\ndef similar(test_tup1, test_tup2):\n  return tuple(set(test_tup1) & set(test_tup2))\n",
    prompt="Write a function to find the shared elements from the given two lists.",
    source_file="Benchmark Questions Verification V2.ipynb",
    test_imports=[],
    test_list=["assert set(similar((3, 4, 5, 6),(5, 7, 4, 10))) == set((4, 5))"],
    test=(
        "import numpy as np\nfrom math import inf\n\ndef is_floats(x) -> bool:\n    if isinstance(x, float):\n        return True\n"
        "    if isinstance(x, (list, tuple)):\n        return all(isinstance(i, float) for i in x)\n    return False\n\n\n"
        "def assertion(out, exp, atol):\n    exact_match = set(out) == set(exp)\n\n"
        "    if atol == 0 and is_floats(exp):\n        atol = 1e-6\n"
        "    if not exact_match and atol != 0:\n        assert np.allclose(out, exp, rtol=1e-07, atol=atol)\n"
        "    else:\n        assert exact_match, f'out: {out}, exp: {exp}'\n\n\n"
        "inputs = [[(3, 4, 5, 6), (5, 7, 4, 10)], [(1, 2, 3, inf), (inf, 4)], [(), ()]]\n"
        "results = [(4, 5), (inf,), ()]\n"
        "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    assertion(similar(*inp), exp, 0)\n"
    ),
)

MBPP_PLUS_CROSS = _example(
    "MBPP+ whose test says candidate",
    "mbpp+",
    "def combos(l, n):\n    return []",
    task_id=400,
    code="\nfrom itertools import combinations_with_replacement\ndef combos(l, n):\n"
    "    return list(combinations_with_replacement(l, n))\n",
    prompt="Write a function to find combinations.",
    source_file="x",
    test_imports=[],
    test_list=['assert combos(["Red"], 1) == [("Red",)]'],
    test=(
        "def assertion(out, exp, atol):\n    assert out == exp\n\n"
        "from itertools import combinations_with_replacement\ndef ref_func(l, n):\n"
        "    return list(combinations_with_replacement(l, n))\n\n"
        "inputs = [[['Red', 'Green'], 1], [['Red', 'Green'], 3]]\n"
        "for i, inp in enumerate(inputs):\n    assertion(candidate(*inp), ref_func(*inp), 0)\n"
    ),
)

MBPP_PLUS_INPUTS = _example(
    "MBPP+ as released, with tuples that JSON has made lists of",
    "mbpp+",
    "def similar_elements(a, b):\n    return tuple(set(a) | set(b))",
    task_id="Mbpp/2",
    prompt='"""\nWrite a function to find the shared elements.\nassert set(similar_elements((3, 4), (4,))) == set((4,))\n"""\n',
    entry_point="similar_elements",
    canonical_solution=(
        "\ndef similar_elements(test_tup1, test_tup2):\n  assert isinstance(test_tup1, tuple), 'tuples were asked for'\n"
        "  return tuple(set(test_tup1) & set(test_tup2))\n"
    ),
    base_input=[[[3, 4, 5, 6], [5, 7, 4, 10]]],
    plus_input=[[[], []], [[1, 2, 3, 300], [300, 1]]],
    atol=0,
    contract="",
    assertion="assert set(similar_elements((3, 4), (4,))) == set((4,))",
)

MBPP_PLUS_FOUND = _example(
    "MBPP+ that asks whether something is found",
    "mbpp+",
    "def check_str(string):\n    return None",
    task_id="Mbpp/461",
    prompt='"""\nFind out whether it starts with a vowel.\n"""\n',
    entry_point="check_str",
    canonical_solution='\nimport re\ndef check_str(string):\n    return re.search("^[aeiouAEIOU]", string)\n',
    base_input=[["annie"], ["dawood"]],
    plus_input=[["Else"]],
    atol=0,
)

CRUX = dict(  # noqa: C408 - as in the others
    code="def f(nums, key, default=0):\n    nums = sorted(nums)\n    return {key: nums[-1], 'all': tuple(nums)}",
    input="[3, 1, 2], 'top', default=1",
    output="{'top': 3, 'all': (1, 2, 3)}",
    id="sample_0",
)
CRUX_OUTPUT = Example("CRUXEval, outputs", "cruxeval", CRUX, "{'top': 3, 'all': [1, 2, 3]}")
CRUX_INPUT = Example("CRUXEval, inputs", "cruxeval-i", CRUX, "f([3, 1], 'top')")

BIGCODE = _example(
    "BigCodeBench with patches, files and data frames",
    "bigcodebench",
    "    return pd.DataFrame({'n': [1]})\n",
    task_id="BigCodeBench/900",
    complete_prompt='import os\nimport pandas as pd\n\ndef task_func(n, path="n.txt"):\n    """\n    Write n to a file.\n    """\n',
    instruct_prompt="Write n to a file.\nYou should write self-contained code starting with:\n```\nimport os\n```",
    code_prompt='import os\nimport pandas as pd\ndef task_func(n, path="n.txt"):\n',
    canonical_solution=(
        "    if n < 0:\n        raise ValueError('negative')\n    with open(path, 'w') as file:\n        file.write(str(n))\n"
        "    return pd.DataFrame({'n': [n]})"
    ),
    test=(
        "import unittest\nfrom unittest.mock import patch\nimport tempfile\n"
        "class TestCases(unittest.TestCase):\n"
        "    @classmethod\n    def setUpClass(cls):\n        cls.n = 3\n"
        "    def setUp(self):\n        self.dir = tempfile.mkdtemp()\n"
        "    def test_case_1(self):\n        self.assertEqual(task_func(self.n)['n'].tolist(), [3])\n"
        "    def test_case_2(self):\n        with self.assertRaises(ValueError):\n            task_func(-1)\n"
        "    def test_case_3(self):\n        path = os.path.join(self.dir, 'x')\n        task_func(5, path)\n"
        "        with open(path) as file:\n            self.assertEqual(file.read(), '5')\n"
        "    @patch('builtins.open')\n    def test_case_4(self, mock_open):\n        task_func(5)\n"
        "        mock_open.assert_called_once_with('n.txt', 'w')\n"
    ),
    entry_point="task_func",
    doc_struct="{}",
    libs="['os', 'pandas']",
)

APPS_PROGRAM = _example(
    "APPS, a program",
    "apps",
    "n = int(input())\nprint(n)",
    problem_id=0,
    question="Sum up.",
    solutions=json.dumps(
        [
            "import sys\n\ndata = sys.stdin.buffer.read().split()\nprint(sum(map(float, data[1:])))\nprint('done ')\nexit(0)"
        ]
    ),
    input_output=json.dumps(
        {
            "inputs": ["3\n1 2 3\n", "1\n5", ["2", "0.1 0.2"]],
            "outputs": ["6.0\ndone\n", "5.000000000001\ndone", ["0.3", "done"]],
        }
    ),
    difficulty="interview",
    url="",
    starter_code="",
)

APPS_METHOD = _example(
    "APPS, a method",
    "apps",
    "class Solution:\n    def top(self, counts, k):\n        return []",
    problem_id=1,
    question="The k largest.",
    solutions=json.dumps(
        [
            "class Solution:\n    def top(self, counts: Dict[int, int], k: int) -> List[int]:\n"
            "        heap = nlargest(k, counts, key=counts.get)\n        return tuple(sorted(heap))\n"
        ]
    ),
    input_output=json.dumps(
        {"fn_name": "top", "inputs": [[{"1": 5, "2": 7, "3": 6}, 2], [{"4": 1}, 1]], "outputs": [[[2, 3]], [4]]}
    ),
    starter_code="class Solution:\n    def top(self, counts, k):\n",
)

APPS_FUNCTION = _example(
    "APPS-like, a function in the row itself",
    "apps",
    "def add(a, b):\n    return a",
    id="f",
    prompt="Add.",
    solutions=["def add(a, b):\n    return a + b"],
    fn_name="add",
    inputs=[[1, 2], ["x", "y"]],
    outputs=[3, "xy"],
)

LCB_PROGRAM = _example(
    "LiveCodeBench, a program",
    "livecodebench",
    "print(len(input()))",
    question_id="1873_A",
    question_content="Sort each line's numbers.",
    starter_code="",
    platform="codeforces",
    public_test_cases=json.dumps([{"input": "2\n3 1\n2 2\n", "output": "1 3\n2 2\n", "testtype": "stdin"}]),
    private_test_cases=json.dumps(
        [
            {"input": "1\n5 0.5", "output": "0.50 5.0 \n", "testtype": "stdin"},
            {"input": "1\n100000000000000001 1", "output": "1 100000000000000001\n", "testtype": "stdin"},
        ]
    ),
    metadata="{}",
    reference=(
        "def main():\n    n = int(input())\n    for line in sys.stdin:\n"
        "        print(*sorted(line.split(), key=lambda t: Decimal(t)))\n\n\n"
        "from decimal import Decimal\nif __name__ == '__main__':\n    main()\n    exit()\n"
    ),
)

LCB_METHOD = _example(
    "LiveCodeBench, a method, with private tests as released",
    "livecodebench",
    "class Solution:\n    def nearest(self, nums, target):\n        return nums[:1]",
    question_id="3000",
    question_content="The indices around the target.",
    starter_code="class Solution:\n    def nearest(self, nums: List[int], target: int) -> List[int]:\n        ",
    platform="leetcode",
    public_test_cases=json.dumps([{"input": "[1, 3, 5]\n4", "output": "[2, 1.5]", "testtype": "functional"}]),
    private_test_cases=packed(
        json.dumps(
            [
                {"input": "[]\n0", "output": "[0, 0]", "testtype": "functional"},
                {"input": "[2]\n" + "1" + "0" * 5000, "output": "[1, 0.5]", "testtype": "functional"},
            ]
        )
    ),
    metadata=json.dumps({"func_name": "nearest"}),
    reference=(
        "class Solution:\n    def nearest(self, nums: List[int], target: int) -> Optional[List[int]]:\n"
        "        return tuple([bisect_left(nums, target), len(nums) / 2])\n"
    ),
)

OWN_CASES = _example(
    "our own, by cases",
    "rewardkit",
    "def add(a, b):\n    return 5",
    id="own",
    prompt="Write add.",
    reference="def add(a, b):\n    return a + b",
    test_cases=[
        {"code": "result = add(2, 3)", "expected": "5"},
        {"call": "add", "args": [-1, 1], "expected": 0},
    ],
)

OWN_PROGRAM = _example(
    "our own, by inputs",
    "rewardkit",
    "print(input())",
    id="own",
    reference="print(int(input()) * 2)",
    cases=[{"input": "2\n", "expected_output": "4"}],
)

OWN_OUTPUT = _example(
    "our own, by an output",
    "rewardkit",
    "print('nothing')",
    id="own",
    reference="print('a', 'b')",
    ground_truth="a b\n",
)

EXAMPLES = [value for value in list(globals().values()) if isinstance(value, Example)]

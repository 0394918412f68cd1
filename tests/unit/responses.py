"""Responses as models write them, each with the code in it: a table for the tests of extraction.

`F` is a fence. Responses of one kind are grouped; the expected result precedes each group.
"""

# ruff: noqa: E501 - a table

from __future__ import annotations

import json

F = "`" * 3
ADD = "def add(a, b):\n    return a + b\n"
SUM = "print(sum(map(int, input().split())))\n"
HELPED = "def half(a):\n    return a / 2\n\n\ndef add(a, b):\n    return half(a) + half(a) + b\n"
MARKS = (
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<|end_of_text|>", "<|EOT|>", "<|eom_id|>", "<|return|>"),
    *("<|file_sep|>", "<|endofblock|>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "</s>", "<eos>", "<end_of_turn>"),
    *("[DONE]", "[END]", "[/PYTHON]", "[/INST]", "[/CODE]"),
)
INFOS = (
    *("python", "py", "Python", "PYTHON", "python3", "Python3.11", "{python}", "{.python .numberLines}", "ipython"),
    *("solution.py", "src/main.py", "python:add.py", "python title=add.py", 'title="add.py"', "add.ipynb", "py3"),
    *("code", "answer", "tool_code", "solution", "plain-code", "", " ", "Code:", "repl", "pythonic"),
)
TAGS = ("answer", "solution", "code", "Answer", "final_answer", "python", "response")

WITH_ADD: dict[str, list[str]] = {
    "info strings": [f"Here:\n\n{F}{info}\n{ADD}{F}\nDone." for info in INFOS],
    "end marks after a fence": [f"{F}python\n{ADD}{F}{mark}" for mark in MARKS],
    "end marks on a line of their own": [f"{F}python\n{ADD}{F}\n{mark}\n" for mark in MARKS[::3]],
    "end marks after bare code": [f"{ADD}{mark}" for mark in MARKS],
    "end marks at the end of the code": [f"{ADD.rstrip()}{mark}" for mark in MARKS[::2]],
    "end marks in an open block": [f"{F}py\n{ADD}{mark}" for mark in MARKS[::2]],
    "begin and end marks": [
        f"[BEGIN]\n{ADD}[DONE]\nMore\n[BEGIN]\ndef add(a, b): pass\n[DONE]",
        f"[PYTHON]\n{ADD}[/PYTHON]",
        f"<|im_start|>assistant\n{ADD}<|im_end|>\n<|im_start|>user\nThanks<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{ADD}<|eot_id|>",
        f"<s>[INST] Add two numbers. [/INST]\n{ADD}</s>",
        f"{F}python\n{ADD}{F}<|im_end|>\n<|im_start|>user\nAnd subtract?",
    ],
    "tags": [f"<{tag}>\n{ADD}</{tag}>" for tag in TAGS],
    "tags around a fence": [f"Let us see.\n<{tag}>\n{F}python\n{ADD}{F}\n</{tag}>\nBye." for tag in TAGS],
    "tags that do not close": [f"<{tag}>\n{ADD}" for tag in TAGS[:3]],
    "a draft outside of the tags": [
        f"{F}python\ndef add(a, b): return a - b\n{F}\nNo.\n<answer>\n{F}python\n{ADD}{F}\n</answer>\nor\n{F}python\ndef add(a, b): return 0\n{F}",
        f"<answer>\n{ADD}</answer>\n{F}python\ndef add(a, b): return 0\n{F}",
    ],
    "thoughts": [
        f"<think>\nHm.\n</think>\n{ADD}",
        f"<think>{F}python\ndef add(a, b): return 1\n{F}</think>{F}python\n{ADD}{F}",
        f"Hm, {F}python\ndef add(a, b): return 1\n{F}\nNo.</think>\n{F}python\n{ADD}{F}",
        f"def add? I think so.\n</think>\n\n{ADD}",
        f"<think>\nIt is plain.\n{F}python\n{ADD}{F}",
        f"<thinking>Hm.</thinking><answer>{ADD}</answer>",
        f"<reasoning>\n</reasoning>\n\n{F}\n{ADD}{F}",
        f"<think>a</think>b<think>def add(a, b): return 1</think>\n{F}py\n{ADD}{F}",
    ],
    "only a closing fence": [
        f"{ADD}{F}\nThis adds two numbers.",
        f"{ADD}{F}",
        f"{ADD.rstrip()}{F}",
        f"\n{ADD}{F}\n\nUsage:\n\n{F}\nadd(1, 2)\n{F}\n",
        f"{ADD}{F}<|endoftext|>",
    ],
    "unclosed and badly closed": [
        f"Sure!\n{F}python\n{ADD}",
        f"Sure!\n{F}python\n{ADD}``",
        f"Sure!\n{F}python\n{ADD}`",
        f"Sure!\n{F}python\n{ADD.rstrip()}{F}",
        f"Sure!\n{F}python\n{ADD.rstrip()}{F}\nIt adds.",
        f"Sure!\n{F}python\n{ADD}{F} This adds.",
        f"Sure!\n{F}python\n{ADD}{F}python\nadd(1, 2)\n{F}",
        f"Sure!\n{F}`python\n{ADD}{F}`",
        f"~~~python\n{ADD}~~~",
        f"~~~~\n{ADD}~~~~",
        f"{F}python\n\n\n{ADD}\n\n{F}",
    ],
    "on one line": [f"{F}python def add(a, b): return a + b{F}", f"It is {F}\n{ADD}{F}"][:1],
    "quoted": [
        "".join(f"> {line}\n" for line in f"{F}python\n{ADD}{F}".split("\n")),
        "".join(f">{line}\n" for line in f"{F}python\n{ADD}{F}".split("\n")),
        "".join(f"> {line}\n" for line in ADD.rstrip().split("\n")),
        "Look:\n\n" + "".join(f"> {line}\n" for line in f"Code:\n{F}\n{ADD}{F}".split("\n")) + "\nDone.",
        f"{F}python\n{ADD}{F}\n\n> return a + b\n\nis what matters.",
    ],
    "in lists": [
        "1. Do:\n\n   " + f"{F}python\n{ADD}{F}".replace("\n", "\n   ") + "\n2. Go",
        "- " + f"{F}python\n{ADD}{F}".replace("\n", "\n  "),
        "* Code:\n    " + f"{F}py\n{ADD}{F}".replace("\n", "\n    "),
        "\t" + f"{F}py\n{ADD}{F}".replace("\n", "\n\t"),
    ],
    "sessions": [
        ">>> def add(a, b):\n...     return a + b\n...\n>>> add(1, 2)\n3\n".replace(">>> add(1, 2)\n3\n", ""),
        f"{F}pycon\n>>> def add(a, b):\n...     return a + b\n...\n{F}",
        f"{F}\n>>> def add(a, b):\n...     return a + b\n{F}",
        f"{F}python\nIn [1]: def add(a, b):\n   ...:     return a + b\n   ...:\n{F}",
    ],
    "line ends and marks of bytes": [
        "\ufeff" + ADD,
        f"\ufeff{F}python\n{ADD}{F}",
        ADD.replace("\n", "\r\n"),
        f"Sure\n{F}python\n{ADD}{F}\n".replace("\n", "\r\n"),
        ADD.replace("\n", "\r"),
        f"{F}python\n{ADD}{F}".replace("    ", "\xa0\xa0\xa0\xa0"),
    ],
    "what follows the solution": [
        f"{F}python\n{ADD}{F}\nUse:\n{F}python\nprint(add(1, 2))\n{F}\nOutput:\n{F}\n3\n{F}",
        f"{F}python\n{ADD}{F}\nChecks:\n{F}python\nassert add(1, 2) == 3\nassert add(0, 0) == 0\n{F}",
        f"{F}python\n{ADD}{F}\nTests:\n{F}python\nimport unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(add(1, 2), 3)\n{F}",
        f"{F}python\n{ADD}{F}\nOutput:\n{F}text\n3\n{F}",
        f"{F}python\n{ADD}{F}\nOutput:\n{F}output\n3\n{F}\nJSON:\n{F}json\n[3]\n{F}",
        f"{F}python\n{ADD}{F}\nHere `return a + b` adds.",
        f"{F}python\n{ADD}{F}\nThe line\n{F}python\nreturn a + b\n{F}\ndoes it.",
        f"{F}bash\npip install add\n{F}\n{F}python\n{ADD}{F}",
        f"{F}\n{ADD}{F}\nOutput:\n{F}\n3\n{F}",
        f"{F}python\ndef add(a, b): return a - b\n{F}\nBetter:\n{F}python\n{ADD}{F}",
        f"{F}javascript\nconst add = (a, b) => a + b;\n{F}\nIn Python:\n{F}python\n{ADD}{F}",
        f"{F}python\n{ADD}{F}\nIn JavaScript:\n{F}js\nfunction add(a, b) {{ return a + b; }}\n{F}",
        f"{F}java\n{ADD}{F}",
    ],
    "what looks like the solution after it": [
        f"{F}python\n{ADD}{F}\nThe signature:\n{F}python\ndef add(a: int, b: int) -> int: ...\n{F}",
        f"{F}python\n{ADD}{F}\nIts interface:\n{F}pyi\ndef add(a: int, b: int) -> int:\n    'Add.'\n    pass\n{F}",
        f"{F}python\n{ADD}{F}\nTo do:\n{F}python\ndef add(a, b):\n    raise NotImplementedError('subtract')\n{F}",
        f"{F}python\n{ADD}{F}\nWith a log:\n{F}python\ndef add(a, b):\n    print(a, b)\n    # ... rest of the function\n{F}",
        f"{F}python\n{ADD}{F}\nUse:\n{F}python\nfrom solution import add\nprint(add(1, 2))\n{F}",
        f"{F}python\n{ADD}{F}\n**test_add.py**\n{F}python\nimport pytest\nfrom add import add\n\ndef test_add():\n    assert add(1, 2) == 3\n{F}",
        f"{F}python\ndef add(a, b):\n    pass\n{F}\nFilled in:\n{F}python\n{ADD}{F}",
    ],
    "fences in Markdown in a fence": [
        f"{F}`markdown\n{F}python\n{ADD}{F}\n{F}`",
        f"{F}markdown\nHere it is:\n\n{F}python\n{ADD}{F}\n{F}",
    ],
    "calls of tools and JSON": [
        f"<function=write_file>\n<parameter=path>add.py</parameter>\n<parameter=content>\n{ADD}</parameter>\n</function>",
        f'<invoke name="python">\n<parameter name="code">{ADD}</parameter>\n</invoke>',
        "<tool_call>\n" + json.dumps({"name": "python", "arguments": {"code": ADD}}) + "\n</tool_call>",
        json.dumps({"reasoning": "add(1, 2) is 3", "code": ADD}),
        json.dumps({"solution": f"{F}python\n{ADD}{F}"}, indent=2),
        f"Here it is:\n\n{json.dumps({'code': ADD})}\n\nIt adds.",
        f"{F}json\n{json.dumps({'code': ADD})}\n{F}",
        json.dumps({"files": [{"path": "add.py", "content": ADD}]}),
        "[TOOL_CALLS] " + json.dumps([{"name": "python", "arguments": {"code": ADD}}]),
        f"<answer><![CDATA[\n{ADD}]]></answer>",
    ],
    "channels": [
        f"<|channel|>analysis<|message|>def is needed.<|end|><|start|>assistant<|channel|>final<|message|>{ADD}<|return|>",
        f"<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Sure\n{F}python\n{ADD}{F}<|return|>",
    ],
    "what stands for a fence": [
        f"`\n{ADD}`",
        f"``\n{ADD}``",
        f"'''python\n{ADD}'''",
        f'"""\n{ADD}"""',
        f"\\begin{{lstlisting}}[language=Python]\n{ADD}\\end{{lstlisting}}",
        f"---\n{ADD}---\nIt adds.",
        f"BEGIN SOLUTION\n{ADD}END SOLUTION",
        f"python\n{ADD}",
        f"{ADD}\nDone",
        f"python\nCopy code\n{ADD}",
        f"\u200b{F}python\n{ADD}\u200b{F}",
        f"<pre><code>{ADD}</code></pre>",
    ],
    "written otherwise": [
        "1 def add(a, b):\n2     return a + b\n",
        f"{F}python\n1: def add(a, b):\n2:     return a + b\n{F}",
        f"{F}python\ndef add(a, b):\\n    return a + b\\n{F}",
    ],
    "a fence in a line": [f"Solution: {F}python\n{ADD}{F}", f"{F}{ADD}{F}", f"{F}{ADD}{F}\nIt adds."],
    "JSON of other shapes": [
        json.dumps({"name": "python", "arguments": json.dumps({"code": ADD})}),
        json.dumps(ADD),
        json.dumps(f"{F}python\n{ADD}{F}"),
        json.dumps({"explanation": "It adds.", "add.py": ADD}),
        json.dumps({"sourceCode": ADD}),
        json.dumps({"python_code": ADD.split("\n")}),
        repr({"code": ADD}),
        json.dumps({"cells": [{"cell_type": "markdown", "source": ["# x\n"]}, {"cell_type": "code", "source": [ADD]}]}),
    ],
    "what else a fence may be": [
        f"{F}python\n%%writefile add.py\n{ADD}{F}",
        f"~~~\n{F}python\n{ADD}{F}\n~~~",
        f"{F}python\n{F}\n\n{ADD}",
        f"`````python\n{ADD}{F}\nIt adds.",
        f"~~~python\n{ADD}{F}\nIt adds.",
        f"代码{F}python\n{ADD}{F}",
        f"{F}bash\ncat > add.py <<'EOF'\n{ADD}EOF\npython add.py\n{F}",
        f"{F}diff\n--- /dev/null\n+++ b/add.py\n@@ -0,0 +1,2 @@\n+def add(a, b):\n+    return a + b\n{F}",
        f"{F}diff\n def add(a, b):\n-    return a - b\n+    return a + b\n{F}",
    ],
    "thoughts between other marks": [
        f"<|begin_of_thought|>\n{F}python\ndef add(a, b): pass\n{F}\n<|end_of_thought|>\n{ADD}",
        f"[THINK]\n{F}python\ndef add(a, b): pass\n{F}\n[/THINK]\n{ADD}",
        f"<Thinking>\ndef add(a, b): pass\n</Thinking>\n{ADD}",
    ],
    "without a fence": [
        f"{ADD}This function returns the sum of a and b.",
        f"Here it is:\n{ADD}Note: it's simple.\nIt adds (as asked) two numbers.",
        "Try this:\n\n>>> def add(a, b):\n...     return a + b\n...\n\nNice.",
        "  1 | def add(a, b):\n  2 |     return a + b\n",
        "L1: def add(a, b):\nL2:     return a + b\n",
    ],
    "unusual characters": [
        f"{F}python\n{ADD.replace('    ', space * 4)}{F}" for space in ("\u3000", "\u202f", "\u2009")
    ]
    + [f"{F}python\n{ADD.replace('return', f'{unseen}return')}{F}" for unseen in ("\u200b", "\u202a", "\xad")]
    + [f"{F}python\n{ADD.replace(chr(10), end)}{F}" for end in ("\x85", "\u2028", "\x0b")]
    + [f"\x1b[32m{F}python\x1b[0m\n{ADD}{F}"],
    "thoughts of another name": [f"<seed:think>\n{F}python\ndef add(a, b): pass\n{F}\n</seed:think>\n{ADD}"],
    "a word of code in tags": [f"Call <code>add(1, 2)</code>.\n\n{F}python\n{ADD}{F}"],
    "in prose": [
        f"Here it is:\n\n{ADD}\nIt adds two numbers.",
        f"{ADD}\n\nThis function adds (see above) two numbers; it's simple.",
        f"Sure! The function:\n\n{ADD}\n\nExplanation:\n- it adds\n- it returns\n",
        f"<p>Hi</p>\n\n{ADD}",
    ],
}
"""Each of these gives `ADD` if asked for `add`."""

IN_SEVERAL_BLOCKS: dict[str, tuple[str, str]] = {
    "a helper afterwards": (
        f"{F}python\ndef add(a, b):\n    return plus(a, b)\n{F}\nwhere\n{F}python\ndef plus(a, b):\n    return a + b\n{F}",
        "def add(a, b):\n    return plus(a, b)\ndef plus(a, b):\n    return a + b\n",
    ),
    "a main function that is called in another block": (
        f"{F}python\ndef main():\n    print(input())\n{F}\nCall it:\n{F}python\nif __name__ == '__main__':\n    main()\n{F}",
        "def main():\n    print(input())\nif __name__ == '__main__':\n    main()\n",
    ),
    "a helper between": (
        f"{F}python\ndef main():\n    print(half(2))\n{F}\n{F}python\ndef half(n):\n    return n / 2\n{F}\n{F}python\nmain()\n{F}",
        "def main():\n    print(half(2))\ndef half(n):\n    return n / 2\nmain()\n",
    ),
    "input in one block, output in another": (
        f"{F}python\nn = int(input())\n{F}\nThen\n{F}python\nprint(n)\n{F}",
        "n = int(input())\nprint(n)\n",
    ),
    "more examples of what was called before": (
        f"{F}python\ndef hi(name):\n    return name\n\nprint(hi(1))\n{F}\nMore:\n{F}python\nprint(hi(2))\n{F}",
        "def hi(name):\n    return name\n\nprint(hi(1))\n",
    ),
    "the call in another block": (
        f"{F}python\ndef hi(name):\n    return name\n{F}\nUse:\n{F}python\nprint(hi(1))\n{F}",
        "def hi(name):\n    return name\nprint(hi(1))\n",
    ),
}
"""Each with the program that it gives; the first is asked for `add`."""

PROGRAMS: dict[str, list[str]] = {
    "a check after": [
        f"{F}python\n{SUM}{F}\nCheck:\n{F}python\nassert 1 + 2 + 3 == 6\n{F}",
        f"{F}python\n{SUM}{F}\nCheck:\n{F}python\nx = 6\nassert 1 + 2 + 3 == x\n{F}",
        f"{F}\n{SUM}{F}\n{F}\nassert sum([1]) == 1\n{F}",
    ],
    "a sample after or before": [
        f"{F}\n{SUM}{F}\nOutput:\n{F}\n6\n{F}",
        f"{F}\n{SUM}{F}\nInput:\n{F}\n1 2 3\n{F}\nOutput:\n{F}\n6\n{F}",
        f"Input:\n{F}\n1, 2, 3\n{F}\n{F}\n{SUM}{F}",
        f"{F}python\n{SUM}{F}\nOutput:\n{F}python\n[1, 2, 3]\n6\n{F}",
        f"{F}python\n{SUM}{F}\n{F}console\n$ echo 1 2 3 | python main.py\n6\n{F}",
    ],
    "in steps": [
        f"Read:\n{F}python\nnumbers = map(int, input().split())\n{F}\nSum:\n{F}python\nprint(sum(numbers))\n{F}\nAll:\n{F}python\n{SUM}{F}",
        f"{F}python\n{SUM}{F}\nAs a function:\n{F}python\ndef total(numbers):\n    return sum(numbers)\n{F}",
        f"{F}python\n{SUM}{F}\nFor floats, change a line to:\n{F}python\nnumbers = map(float, input().split())\n{F}",
        f"{F}python\n{SUM}{F}\nTests:\n{F}python\nimport subprocess\n\ndef test_sum():\n    assert subprocess.run(['python', 'sum.py'], input=b'1 2').stdout == b'3'\n{F}",
    ],
    "between backticks": [f"Write `{SUM.strip()}` and that is all.", f"`{SUM.strip()}`"],
    "a line of it after": [
        f"{F}python\nimport sys\n{SUM}{F}\nThe line\n{F}python\n{SUM}{F}\nsums.",
        f"{F}python\nimport sys\n{SUM}{F}\nFirst:\n{F}python\nimport sys\n{F}\nThen:\n{F}python\n{SUM}{F}",
    ],
    "bare": [SUM, SUM + "<|im_end|>", f"<answer>{SUM}</answer>", f"Program:\n\n{SUM}\nIt sums.", SUM + F],
}
"""Each of these gives a program that sums its input, if nothing is asked for."""

OTHER_LANGUAGES: dict[str, list[str]] = {
    "JavaScript": [
        f"{F}javascript\nfunction add(a, b) {{\n  return a + b;\n}}\n{F}",
        f"{F}js\nconsole.log(1 + 2)\n{F}",
        f"{F}\nconst add = (a, b) => a + b;\nmodule.exports = add;\n{F}",
        "function add(a, b) {\n  return a + b;\n}\n",
        'console.log("hi");',
        'console.log("hi")',
        "const fs = require('fs');\nconst lines = fs.readFileSync(0, 'utf8').split('\\n');\nconsole.log(lines.length);",
        f"Here:\n{F}node\nlet x = 1;\n{F}",
    ],
    "TypeScript": [f"{F}typescript\nfunction add(a: number, b: number): number {{ return a + b; }}\n{F}"],
    "Java": [
        f"{F}java\npublic class Main {{ public static void main(String[] a) {{ }} }}\n{F}",
        "import java.util.*;\npublic class Main {\n  public static void main(String[] args) { }\n}",
    ],
    "C++": ["#include <iostream>\nint main() { std::cout << 1; }", f"{F}cpp\nint main() {{ return 0; }}\n{F}"],
    "Go": [f"{F}go\npackage main\nfunc main() {{}}\n{F}", 'package main\n\nfunc main() {\n\tfmt.Println("x")\n}'],
    "Rust": ['fn main() {\n    println!("hi");\n}', f"{F}rust\nfn main() {{}}\n{F}"],
    "shell": ['#!/bin/bash\nfor f in *; do\n  echo "$f"\ndone\n', f"{F}bash\nls -l | wc -l\n{F}"],
    "Ruby": [f"{F}ruby\nputs 1\n{F}", "def add(a, b)\n  a + b\nend\n"],
}

CUT_OFF: dict[str, tuple[str, str]] = {
    "in an open block": (f"{F}python\n{ADD}\n\ndef more(a, b):\n    return add(a,", ADD),
    "bare": (f"{ADD}\n\ndef more(a, b):\n    return add(a,", ADD),
    "in a string": (f"{ADD}\nNAME = 'unfini", ADD),
    "in a long string": (f'{ADD}\n\ndef more():\n    """Adds\n    more', ADD),
    "after an operator": (f"{F}python\n{ADD}\nTOTAL = 1 +", ADD),
    "before a body": (f"{F}python\n{ADD}\nif __name__ == '__main__':", ADD),
    "in a body": (
        f"{F}python\n{ADD}\ndef more():\n    x = add(1, 2)\n    for y in range(",
        f"{ADD}\ndef more():\n    x = add(1, 2)\n",
    ),
    "with a mark": (f"{ADD}\n\ndef more(a, b):\n    return add(a,<|endoftext|>", ADD),
}

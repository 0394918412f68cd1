"""The shell of a sandbox treats a cell as IPython does."""

from __future__ import annotations

import json
import subprocess
import sys

COMPARED = """
import json, sys, tempfile
from IPython.core.interactiveshell import InteractiveShell
from pytest_rewardkit.local.guest.shell import make_shell

with tempfile.TemporaryDirectory() as directory:
    shell = make_shell(directory)
    looked = []
    transforms = shell.input_transformer_manager.transform_cell
    shell.input_transformer_manager.transform_cell = lambda cell: looked.append(cell) or transforms(cell)

    def both(cell):
        looked.clear()
        return [shell.transform_cell(cell), bool(looked), InteractiveShell.transform_cell(shell, cell)]

    said = [both(cell) for cell in json.loads(sys.argv[1])]
    shell.input_transformers_post.append(lambda lines: [line.upper() for line in lines])
    print(json.dumps([said, both("(1)")]))
"""

PLAIN = (
    "(1)",
    "'%time'",
    '"!ls"',
    "{1: 2}",
    "12 % 5",
    "(lambda a: a)(1)",
    "'\\n'",
    "(1, '''a''')",
)
OTHERS = (
    *("[x for x in 'abc']", "(a) = !ls", "[a] = %pwd", "(a)=  !ls", "'text'?", "(x)??", "[1,\n2]", "(1)\n%pwd"),
    *("'a\u2028b'", "1;", "(1) # ?", "", "x", "%pwd", "!ls", "?x", ">>> (1)", "In [1]: (1)", "...: 1", ",f a", "/f a"),
    *("  (1)", "%%bash\nls", "'a\x0cb'"),
)


def test_cells_that_can_only_be_python_are_not_searched_for_ipythons_syntax() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPARED, json.dumps([*PLAIN, *OTHERS])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said, changed = json.loads(done.stdout)
    assert all(ours == ipythons for ours, _, ipythons in said)
    assert not any(looked for _, looked, _ in said[: len(PLAIN)])
    assert changed[0] == changed[2]

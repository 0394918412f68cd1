"""Candidates in languages other than Python: the same tasks in each language that this machine has."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from pytest_rewardkit import Case, RewardkitUsageError, Verdict, assert_output, score_cases, score_output
from pytest_rewardkit.scorers.languages.table import LANGUAGES, Language

# Each task reads n and prints the value of its expression, which is valid in all of these languages.
TASKS = [
    *("n + 1", "n * 2", "n * n", "n * n * n", "n - 7", "7 - n", "n % 7", "(n + 3) * 5", "n * (n + 1) / 2", "1 - n * n"),
    *("n * 3 + 1", "(n - 1) * (n - 2)", "n % 2 + n % 3", "100 - n", "n * 10 % 11", "2 * n * n + n", "n + n % 5"),
    *("(n + 1) * (n + 1) - n", "n * 4 - 3", "5 * n - n * n"),
]
PROGRAMS = {
    "javascript": 'const n = Number(require("fs").readFileSync(0, "utf8"));\nconsole.log({value});\n',
    "bash": "read n\necho $(({value}))\n",
    "c": (
        "#include <stdio.h>\nint main(void) {{\n  long n;\n"
        '  scanf("%ld", &n);\n  printf("%ld\\n", (long)({value}));\n}}\n'
    ),
    "cpp": (
        "#include <iostream>\nint main() {{\n  long n;\n  std::cin >> n;\n  std::cout << ({value}) << std::endl;\n}}\n"
    ),
    "java": (
        "import java.util.Scanner;\n\npublic class Solution {{\n  public static void main(String[] args) {{\n"
        "    long n = new Scanner(System.in).nextLong();\n    System.out.println({value});\n  }}\n}}\n"
    ),
    "perl": 'my $n = <STDIN>;\nprint(({value}), "\\n");\n',
    "typescript": 'const n: number = Number(require("fs").readFileSync(0, "utf8"));\nconsole.log({value});\n',
    "go": ('package main\n\nimport "fmt"\n\nfunc main() {{\n\tvar n int\n\tfmt.Scan(&n)\n\tfmt.Println({value})\n}}\n'),
    "rust": (
        "use std::io;\n\nfn main() {{\n    let mut line = String::new();\n"
        "    io::stdin().read_line(&mut line).unwrap();\n"
        '    let n: i64 = line.trim().parse().unwrap();\n    println!("{{}}", {value});\n}}\n'
    ),
    "ruby": "n = gets.to_i\nputs({value})\n",
    "php": '<?php\n$n = (int) fgets(STDIN);\necho ({value}), "\\n";\n',
}
FENCES = {
    "javascript": "js",
    "bash": "sh",
    "c": "c",
    "cpp": "c++",
    "java": "java",
    "perl": "perl",
    "typescript": "ts",
    "go": "golang",
    "rust": "rs",
    "ruby": "rb",
    "php": "php",
}
SLOW = {
    "javascript": "while (true) {}",
    "bash": "while true; do :; done",
    "c": "int main(void) { volatile int n = 1; while (n) {} }",
    "cpp": "int main() { volatile int n = 1; while (n) {} }",
    "java": "class Main { public static void main(String[] args) { while (args.length == 0) {} } }",
    "perl": "while (1) {}",
    "typescript": "const forever: boolean = true;\nwhile (forever) {}",
    "go": "package main\n\nfunc main() {\n\tfor {\n\t}\n}",
    "rust": "fn main() { loop { std::hint::spin_loop(); } }",
    "ruby": "loop {}",
    "php": "<?php while (true) {}",
}
CRASHING = {
    "javascript": "null.x",
    "bash": "exit 3",
    "c": "#include <stdlib.h>\nint main(void) { abort(); }",
    "cpp": '#include <stdexcept>\nint main() { throw std::runtime_error("no"); }',
    "java": 'class Main { public static void main(String[] args) { throw new RuntimeException("no"); } }',
    "perl": 'die "no";',
    "typescript": 'throw new Error("no");',
    "go": 'package main\n\nfunc main() {\n\tpanic("no")\n}',
    "rust": 'fn main() { panic!("no"); }',
    "ruby": 'raise "no"',
    "php": '<?php throw new Exception("no");',
}
# The reasons for a crash, and for text that is not a program.
SAID = {
    "javascript": ("TypeError: Cannot read properties of null", "SyntaxError: "),
    "bash": ("status 3", "syntax error"),
    "c": ("ended by signal: aborted", "error: "),
    "cpp": ("ended by signal: aborted: what(): no", "error: "),
    "java": ("RuntimeException: no", "error: "),
    "perl": ("no at ", "syntax error"),
    "typescript": ("Error: no", "rror"),
    "go": ("panic: no", "expected 'package'"),
    "rust": ("panicked at", "error: "),
    "ruby": ("no (RuntimeError)", "syntax error"),
    "php": ("Exception: no", "Parse error: syntax error"),
}
BUILT = tuple(name for name in PROGRAMS if LANGUAGES[name].build)
ALL = bool(os.environ.get("REWARDKIT_ALL_LANGUAGES"))
"""Whether to run each task in each language that the machine has: some 10 minutes."""

COMMON = ("javascript", "bash", "c", "cpp", "java", "perl")
"""Languages that always run."""


WHERE = "/usr/local/bin:/usr/bin:/bin"
"""Where a sandbox looks for programs."""


@pytest.fixture(params=PROGRAMS if ALL else COMMON)
def language(request):
    lacking = [it for it in LANGUAGES[request.param].programs if not shutil.which(it.split()[0], path=WHERE)]
    if lacking:
        pytest.skip(f"{lacking[0]} is not installed")
    return request.param


def written(language, task):
    value = re.sub(r"\bn\b", "$n", task) if language in ("perl", "bash", "php") else task
    return PROGRAMS[language].format(value=value)


def cases(task):
    return [Case(stdin=f"{n}\n", expected=f"{eval(task.replace('/', '//'), {'n': n})}\n") for n in (0, 3, 10)]


def test_right_and_wrong_programs(sandbox, language):
    # A build takes about a second, so compiled languages get every seventh task.
    for place, task in enumerate(TASKS[::7] if language in BUILT and not ALL else TASKS):
        right = score_cases(sandbox, written(language, task), cases(task), language=language)
        assert (right.value, right.verdict) == (1.0, Verdict.PASSED), (task, right)
        if ALL or place % 10 == 0:
            wrong = score_cases(sandbox, written(language, f"{task} + n"), cases(task), language=language)
            assert 0 < wrong.value < 1, (task, wrong)
            assert any("the text differs" in part.reason for part in wrong.parts)


def test_the_fence_names_the_language(sandbox, language):
    response = f"Here it is:\n\n```{FENCES[language]}\n{written(language, 'n + 1')}```\n\nIt adds one.\n"
    reward = score_cases(sandbox, response, cases("n + 1"), language="auto")
    assert (reward.value, reward.reason) == (1.0, f"code judged: the only code block, as {language}")


def test_slow_crashing_and_broken_programs(sandbox, language):
    slow = score_output(sandbox, SLOW[language], "1", language=language, time_limit=1)
    assert (slow.value, slow.verdict) == (0.0, Verdict.TIMEOUT)
    crash, mistake = SAID[language]
    crashing = score_output(sandbox, CRASHING[language], "1", language=language)
    assert (crashing.value, crashing.verdict) == (0.0, Verdict.RUNTIME_ERROR)
    assert crash in crashing.reason
    program = "<?php this is (no program" if language == "php" else "this is (no program"
    broken = score_output(sandbox, program, "1", language=language)
    assert (broken.value, broken.verdict) == (
        0.0,
        Verdict.COMPILE_ERROR if language in BUILT else Verdict.RUNTIME_ERROR,
    )
    assert mistake in broken.reason


def test_types_are_stripped_where_no_compiler_is(sandbox):
    node = LANGUAGES["typescript"].otherwise
    assert node is not None
    first = Language(name="typescript", extension="ts", run="no-such-compiler {file}", otherwise=node)
    reward = score_output(sandbox, "const n: number = 7;\nconsole.log(n);", "7", language=first)
    if reward.verdict is Verdict.UNSCORED:
        assert "no no-such-compiler or node, which typescript needs" in reward.reason
    else:
        assert reward.value == 1.0


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_functions_of_javascript_are_called(sandbox):
    source = (
        "function pairs(items) { console.log('x'); return items.map((it, n) => [n, it]); }\nconst nothing = () => {};"
    )
    reward = score_cases(
        sandbox,
        f"```js\n{source}\n```",
        [
            Case(call="pairs", args=[["a", "b"]], expected=[[0, "a"], [1, "b"]]),
            Case(call="pairs", args=[[]], expected=[]),
            Case(call="nothing", args=[], expected=None),
            Case(call="missing", args=[], expected=None),
        ],
        language="js",
    )
    assert [part.value for part in reward.parts] == [1.0, 1.0, 1.0, 0.0]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    "source",
    ["process.exit(0)", "function f() { process.exit(0) }", "function f() { return 42n }", "console.log('[42]')"],
)
def test_who_gives_no_value_has_given_none(sandbox, source):
    reward = score_cases(sandbox, source, [Case(call="f", args=[], expected=42)], language="javascript")
    assert (reward.value, reward.verdict) == (0.0, Verdict.RUNTIME_ERROR)


def test_a_build_that_cannot_work_is_not_the_candidates_fault(sandbox):
    broken = Language(name="none", extension="x", build="sh -c 'exit 1'", run="{program}", version="false")
    reward = score_output(sandbox, "x", "1", language=broken)
    assert reward.verdict is Verdict.UNSCORED
    assert "does not work in the sandbox" in reward.reason


def test_of_several_blocks_the_program_is_taken(sandbox):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    program = written("c", "n + 1")
    response = f"Like this:\n\n```c\nint helper(int n);\n```\n\nAll of it:\n\n```c\n{program}```\n"
    assert score_cases(sandbox, response, cases("n + 1"), language="c").value == 1.0


def test_a_language_that_the_sandbox_lacks_is_unscored(sandbox):
    lacking = Language(name="none", extension="x", run="no-such-program {file}")
    reward = score_output(sandbox, "x", "1", language=lacking)
    assert reward.verdict is Verdict.UNSCORED
    assert "no no-such-program, which none needs" in reward.reason


def test_no_code_in_the_language_is_no_code(sandbox):
    reward = score_output(sandbox, "```python\nprint(1)\n```", "1", language="bash")
    assert (reward.value, reward.verdict) == (0.0, Verdict.NO_CODE)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"language": "jaba"}, "did you mean 'java'"),
        ({"language": 3}, "must be the name"),
        ({"language": "bash", "setup": "x = 1"}, "setup= is for candidates in Python"),
    ],
)
def test_what_is_given_wrong(sandbox, given, reason):
    with pytest.raises(RewardkitUsageError, match=reason):
        score_output(sandbox, "echo 1", "1", **given)


@pytest.mark.parametrize(
    "case", [Case(code="f(1)", expected=1), Case(call="f", args=[1], expected=1), Case(call="f", raises=ValueError)]
)
def test_cases_that_a_language_has_not(sandbox, case):
    with pytest.raises(RewardkitUsageError, match="needs a candidate in Python"):
        score_cases(sandbox, "echo 1", [case], language="bash")


def test_python_is_as_it_was(sandbox):
    assert assert_output(sandbox, "```py\nprint(1)\n```", "1", language="auto").value == 1.0
    assert assert_output(sandbox, "print(1)", "1", language="python").value == 1.0

# ruff: noqa: E501  (sources, as they are)
"""A row of MultiPL-E's and of HumanEval-X's form for each language, and candidates for each.

Every row asks for the sum of two whole numbers. The candidates: the text after the prompt; a chat's whole answer, as
models write it; a wrong one; one that ends the program before its tests run.
"""

from __future__ import annotations

from typing import NamedTuple


class Tested(NamedTuple):
    """A row, with right and wrong candidates."""

    row: dict[str, object]
    right: tuple[str, ...]
    wrong: tuple[str, ...]


MULTIPL_E = {
    "cpp": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "#include<assert.h>\n#include<bits/stdc++.h>\n// Adds.\nlong add_up(long a, long b) {\n",
            "tests": "}\nint main() {\n    auto candidate = add_up;\n    assert(candidate((1), (2)) == (3));\n}\n",
            "stop_tokens": ["\n}"],
        },
        (
            "    return a + b;",
            "    return a + b;\n}\n\nint main() {\n    return 1;\n}\n",
            "Here:\n```cpp\nlong add_up(long a, long b) {\n    return a + b;\n}\n\n"
            'int main() {\n    printf("%ld", add_up(1, 1));\n}\n```\n',
            "```cpp\n#include <iostream>\nstatic long sum(long a, long b) { return a + b; }\n"
            "long add_up(long a, long b) {\n    return sum(a, b);\n}\n```",
        ),
        ("    return a - b;", "    exit(0);"),
    ),
    "java": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": (
                "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    // Adds.\n"
                "    public static long addUp(long a, long b) {\n"
            ),
            "tests": (
                "    }\n    public static void main(String[] args) {\n    assert(addUp((1l), (2l)) == (3l));\n    }\n\n}\n"
            ),
            "stop_tokens": ["\n    }\n"],
        },
        (
            "        return a + b;\n",
            "        return a + b;\n    }\n",
            "        if (a > 0) {\n            return a + b;\n        }\n        return b + a;\n",
            "```java\npublic class Solution {\n    public static long addUp(long a, long b) {\n        return a + b;\n    }\n"
            "\n    public static void main(String[] args) {\n        System.out.println(addUp(1, 1));\n    }\n}\n```",
            "```java\nimport java.util.*;\n\npublic static long addUp(long a, long b) {\n    return a + b;\n}\n```",
            "```java\nclass Problem {\n    public static long addUp(long a, long b) {\n        return a + b;\n    }\n}\n```",
        ),
        ("        return a - b;\n", "        System.exit(0);\n        return 0;\n"),
    ),
    "js": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "//Adds.\nfunction add_up(a, b){\n",
            "tests": (
                "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add_up;\n"
                "  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();"
            ),
            "stop_tokens": ["\nfunction ", "\n/*", "\n//", "\nconsole.log"],
        },
        (
            "  return a + b;\n}\n",
            "  return a + b;\n}\nconsole.log(add_up(1, 1));\n",
            "```javascript\nconst add_up = (a, b) => a + b;\n\nmodule.exports = { add_up };\n```",
        ),
        ("  return a - b;\n}\n", "  process.exit(0);\n}\n"),
    ),
    "ts": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "//Adds.\nfunction add_up(a: number, b: number): number {\n",
            "tests": (
                "declare var require: any;\nconst assert = require('node:assert');\n\n\nfunction test() {\n"
                "  let candidate = add_up;\n  assert.deepEqual(candidate(1, 2),3);\n}\n\ntest();"
            ),
            "stop_tokens": ["\nfunction ", "\n/*", "\n//", "\nclass"],
        },
        (
            "  return a + b;\n}\n",
            "```ts\nenum Sign { Plus }\nexport function add_up(a: number, b: number): number {\n"
            "  return Sign.Plus === 0 ? a + b : 0;\n}\n```",
        ),
        ("  return a - b;\n}\n", "  (process as any).exit(0);\n}\n"),
    ),
    "sh": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "#!/bin/bash\n# Adds.\n#\n# $1 is an integer\n# $2 is an integer\nadd_up() {\n",
            "tests": (
                '}\n\ncandidate() {\n    add_up "$@"\n}\n\nset -e\nrun_test() {\n'
                '    [[ $(candidate "1" "2") = "3" ]]\n}\n\nrun_test'
            ),
            "stop_tokens": ["\n}"],
        },
        (
            "    echo $(($1 + $2))",
            "    echo $(($1 + $2))\n}\n\nadd_up 1 1\n",
            "```bash\n#!/bin/bash\nadd_up() {\n    local sum=$(($1 + $2))\n    echo ${sum#x}\n}\n```",
        ),
        ("    echo $(($1 - $2))", "    echo 4; }; exit 0; {"),
    ),
    "pl": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "# Adds.\nsub add_up {\n    my($a, $b) = @_;\n",
            "tests": (
                "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&add_up;\n"
                '        if(eq_deeply($candidate->(1, 2),3)) {\n        print "ok!" }else{\n        exit 1;\n        }\n}\n'
                "\ntesthumaneval();"
            ),
            "stop_tokens": ["\nsub", "\n#", "\n\n"],
        },
        (
            "    return $a + $b;\n}\n",
            "    return $a + $b;\n}\n\nprint add_up(1, 1);\n",
            "```perl\nuse strict;\nuse warnings;\n\nsub add_up {\n    my ($x, $y) = @_;\n    return $x + $y;\n}\n```",
        ),
        ("    return $a - $b;\n}\n", "    exit 0;\n}\n"),
    ),
    "php": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "<?php\n// Adds.\nfunction add_up($a, $b) {\n",
            "tests": (
                "function candidate(...$args) {\n    return add_up(...$args);\n}\n\nfunction test(): void {\n"
                '    if (candidate(1, 2) !== 3) { throw new Exception("Test failed!"); }\n}\n\ntest();'
            ),
            "stop_tokens": ["\nfunction", "\n?>", "\n//", "\n#"],
        },
        (
            "    return $a + $b;\n}\n",
            "    return $a + $b;\n}\n?>\n",
            "```php\n<?php\nfunction add_up($a, $b) {\n    return $a + $b;\n}\n?>\n```",
            "```php\nfunction add_up($a, $b) {\n    return $a + $b;\n}\n```",
        ),
        ("    return $a - $b;\n}\n", "    exit(0);\n}\n"),
    ),
    "rb": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "# Adds.\ndef add_up(a, b)\n",
            "tests": (
                "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_add_up\n"
                "    candidate = method(:add_up)\n    assert_equal(3, candidate.call(1, 2))\n  end\nend\n"
            ),
            "stop_tokens": ["\nclass", "\ndef", "\n#", "\n\n"],
        },
        ("  a + b\nend\n", "```ruby\n# Adds.\ndef add_up(a, b)\n  a + b\nend\n```"),
        ("  a - b\nend\n", "  exit(0)\nend\n", "  a - b\nend\nexit!(0)\n"),
    ),
    "rs": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": "use std::collections::HashMap;\n\n/// Adds.\nfn add_up(a: isize, b: isize) -> isize {\n",
            "tests": (
                "}\n\nfn main() {\n    let candidate = add_up;\n    assert_eq!(candidate(1, 2), 3);\n"
                "    let _: HashMap<isize, isize> = HashMap::from([(1, 2)]);\n}\n"
            ),
            "stop_tokens": ["\n}"],
        },
        (
            "    a + b",
            "    a + b\n}\n\nfn other() {}\n",
            "```rust\nfn add_up(a: isize, b: isize) -> isize {\n    if a > 0 {\n        return a + b;\n    }\n    b + a\n}\n\n"
            'fn main() {\n    println!("{}", add_up(1, 1));\n}\n```',
        ),
        ("    a - b", "    std::process::exit(0)"),
    ),
    "go_test.go": Tested(
        {
            "name": "HumanEval_0_add_up",
            "prompt": 'package add_up_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// Adds.\n'
            "func add_up(a int, b int) int {\n",
            "tests": (
                "func TestAdd_Up(t *testing.T) {\n  candidate := add_up\n\ttype test struct {\n\t\tactual   interface{}\n"
                "\t\texpected interface{}\n\t}\n   tests := []test{\n     { actual: candidate(1, 2), expected: 3 },\n   }\n\n"
                '\tfor i, tc := range tests {\n\t\tt.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {\n'
                '\t\t\tif fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n'
                "\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n\t\t\t}\n\t\t})\n\t}\n}\n"
            ),
            "stop_tokens": ["\nfunc", "struct", "\n// "],
        },
        (
            "\treturn a + b\n}\n",
            "\tif add_up(a, b) > 0 {\n\t\treturn 0\n\t}\n\treturn a + b\n}\n".replace("add_up(a, b)", "a - 9"),
            '```go\npackage main\n\nimport (\n\t"fmt"\n\t"sort"\n)\n\nfunc add_up(a int, b int) int {\n'
            "\tsort.Ints([]int{a})\n\treturn a + b\n}\n\nfunc main() {\n\tfmt.Println(add_up(1, 1))\n}\n```",
            "```go\nfunc add_up(a, b int) int {\n\treturn a + b\n}\n```",
        ),
        ("\treturn a - b\n}\n", "\tos.Exit(0)\n\treturn 0\n}\n"),
    ),
}

HUMANEVAL_X = {
    "CPP": Tested(
        {
            "prompt": "/*\nAdds.\n*/\n#include<stdio.h>\n#include<vector>\nusing namespace std;\nlong add_up(long a, long b){\n",
            "declaration": "#include<stdio.h>\n#include<vector>\nusing namespace std;\nlong add_up(long a, long b){\n",
            "canonical_solution": "    return a + b;\n}\n",
            "test": (
                "#undef NDEBUG\n#include<assert.h>\nint main(){\n    vector<long> a={1,2};\n"
                "    assert (add_up(a[0],a[1])==3);\n}\n"
            ),
        },
        (
            "    return max(a + b, a + b);\n}\n",
            "```cpp\nlong add_up(long a, long b) {\n    string s;\n    return a + b;\n}\nint main() {\n    return 0;\n}\n```",
        ),
        ("    return a - b;\n}\n", "    exit(0);\n}\n"),
    ),
    "Go": Tested(
        {
            "prompt": 'import (\n    "math"\n)\n\n// Adds.\nfunc AddUp(a int, b int) int {\n',
            "import": 'import (\n    "math"\n)',
            "declaration": "\nfunc AddUp(a int, b int) int {\n",
            "canonical_solution": "    return a + b\n}\n",
            "test_setup": 'package main\n\nimport (\n    "testing"\n    "github.com/stretchr/testify/assert"\n)\n',
            "test": (
                "func TestAddUp(t *testing.T) {\n    assert := assert.New(t)\n    assert.Equal(3, AddUp(1, 2))\n}\n"
            ),
        },
        (
            "    return int(math.Abs(float64(a + b)))\n}\n",
            '```go\npackage main\n\nimport "fmt"\n\nfunc AddUp(a int, b int) int {\n    return a + b\n}\n\n'
            "func main() {\n    fmt.Println(AddUp(1, 1))\n}\n```",
        ),
        ("    return a - b\n}\n", "    os.Exit(0)\n    return 0\n}\n"),
    ),
    "Java": Tested(
        {
            "prompt": (
                "import java.util.*;\nimport java.lang.*;\n\nclass Solution {\n    /**\n    Adds.\n     */\n"
                "    public long addUp(long a, long b) {\n"
            ),
            "declaration": "import java.util.*;\nimport java.lang.*;\n\nclass Solution {\n    public long addUp(long a, long b) {\n",
            "canonical_solution": "        return a + b;\n    }\n}",
            "test": (
                "public class Main {\n    public static void main(String[] args) {\n        Solution s = new Solution();\n"
                "        List<Boolean> correct = Arrays.asList(s.addUp(1, 2) == 3);\n"
                "        if (correct.contains(false)) {\n            throw new AssertionError();\n        }\n    }\n}\n"
            ),
        },
        (
            "        return a + b;\n    }\n",
            "```java\npublic class Solution {\n    public long addUp(long a, long b) {\n        return a + b;\n    }\n\n"
            "    public static void main(String[] args) {\n    }\n}\n```",
            "```java\npublic long addUp(long a, long b) {\n    return a + b;\n}\n```",
        ),
        ("        return a - b;\n    }\n}", "        System.exit(0);\n        return 0;\n    }\n}"),
    ),
    "JavaScript": Tested(
        {
            "prompt": "/* Adds.\n  */\nconst addUp = (a, b) => {\n",
            "declaration": "\nconst addUp = (a, b) => {\n",
            "canonical_solution": "  return a + b;\n}\n\n",
            "test": "const testAddUp = () => {\n  console.assert(addUp(1, 2) === 3)\n}\n\ntestAddUp()\n",
        },
        ("```js\nfunction addUp(a, b) {\n  return a + b;\n}\n```",),
        ("  return a - b;\n}\n", "  process.exit(0);\n}\n"),
    ),
    "Rust": Tested(
        {
            "prompt": (
                "\nfn main(){    \n } \n\nuse std::{slice::Iter, cmp::{max, self}};\nuse rand::Rng;\nuse regex::Regex;\nuse md5;\n"
                "/*\n Adds.\n*/\nfn add_up(a:i64, b:i64) -> i64{\n\n"
            ),
            "declaration": "\nfn main(){    \n } \n\nuse std::{slice::Iter};\nfn add_up(a:i64, b:i64) -> i64{\n\n",
            "canonical_solution": "    return max(a + b, a + b);\n}\n\n",
            "test": (
                "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn test_add_up() {\n"
                "        assert_eq!(add_up(1, 2), 3);\n    }\n\n}\n"
            ),
        },
        (
            '```rust\nfn add_up(a: i64, b: i64) -> i64 {\n    a + b\n}\n\nfn main() {\n    println!("{}", add_up(1, 1));\n}\n```',
        ),
        ("    a - b\n}\n", "    std::process::exit(0)\n}\n"),
    ),
}

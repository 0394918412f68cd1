"""Sources put together from prompt, candidate and tests: each is complete, whatever the candidate repeats of it."""

import re

import pytest

from pytest_rewardkit.datasets.formats.lacking import lacking_in
from pytest_rewardkit.datasets.formats.source_with_tests import source_with_tests


def braces(source):
    return source.count("{") - source.count("}")


BEGUN = "#include <vector>\n// Adds { up.\nlong add(long a, long b) {\n"
TESTS = "}\nint main() { return add(1, 2) != 3; }\n"


@pytest.mark.parametrize(
    "code",
    [
        "return a + b;",
        "return a + b;\n}",
        "if (add(a, 1)) { return 1; }\nreturn a + b;",
        "long add(long a, long b) { return a + b; }",
        "long add(long a, long b) { return a + b; }\nint main() { return 0; }",
    ],
)
def test_a_function(code):
    source = source_with_tests(code, "cpp", begun=BEGUN, tests=TESTS)
    assert braces(source.replace("Adds {", "")) == 0
    assert source.count("long add(long a, long b)") == source.count("#include <vector>") == 1
    assert len(re.findall(r"\bint main\(", source)) == 1


CLASS = "import java.util.*;\nclass Problem {\n    public static long add(long a, long b) {\n"
MAIN = "    }\n    public static void main(String[] args) {\n        assert(add(1, 2) == 3);\n    }\n}\n"


@pytest.mark.parametrize(
    "code",
    [
        "return a + b;",
        "return a + b; }",
        "public static long add(long a, long b) { return a + b; }",
        "public class Problem { static long add(long a, long b) { return a + b; } }",
        "import java.util.*;\nclass Other { static long add(long a, long b) { return a + b; } }",
    ],
)
def test_a_class(code):
    source = source_with_tests(code, "java", begun=CLASS, tests=MAIN)
    assert braces(source) == 0
    assert source.count("class Problem") == source.count("class") == source.count("import java.util.*;") == 1


def test_go_has_one_package_and_what_it_uses():
    code = 'package main\n\nimport "fmt"\nimport "os"\n\nfunc Add(a, b int) int {\n\tfmt.Print()\n\treturn a + b\n}\n'
    begun = 'package add_test\n\nimport (\n    "testing"\n    "math"\n)\n\nfunc Add(a int, b int) int {\n'
    tests = "func TestAdd(t *testing.T) {\n\t_ = strings.ToUpper(Add(1, 2))\n}\n"
    source = source_with_tests(code, "go_test", begun=begun, tests=tests)
    assert re.findall(r"^package .*$", source, re.MULTILINE) == ["package add_test"]
    assert re.findall(r'"(\w+)"', source) == ["fmt", "strings", "testing"]


def test_what_follows_the_end_of_a_continued_function_is_cut_off():
    source = source_with_tests("  return a;\n}\nint rest() {}", "cpp", begun=BEGUN, tests=TESTS, stops=["\n}"])
    assert "rest" not in source


@pytest.mark.parametrize(
    ("said", "own", "lacking"),
    [
        ("Can't locate Test/Deep.pm in @INC (you may need", "use Test::Deep;", "Test/Deep"),
        ("error: package org.javatuples does not exist", "import org.javatuples.*;", "org.javatuples"),
        ("Cannot find module 'left-pad'", "require('right-pad')", ""),
        ("fatal error: x.h: No such file or directory", "#include <boost/x.h>", "x.h"),
        ("AssertionError", "assert", ""),
    ],
)
def test_what_the_own_code_lacks(said, own, lacking):
    assert lacking_in(said, own) == lacking

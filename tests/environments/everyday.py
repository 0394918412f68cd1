"""Ten ordinary tests, all of right candidates: they must earn 1.0 on every machine."""

from pytest_rewardkit import Case, FileCheck, assert_cases, assert_files, assert_output

TEMPORARY_FILE = """
import tempfile
with tempfile.NamedTemporaryFile("w+") as f:
    f.write("hi")
    f.seek(0)
    print(f.read())
"""
PROCESS = """
import subprocess
print(subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout)
"""
THREADS = """
from multiprocessing.pool import ThreadPool
print(ThreadPool(2).map(abs, [-1, -2]))
"""


def test_stdin(sandbox):
    assert_cases(sandbox, "print(2 * int(input()))", cases=[Case(stdin="4", expected="8")])


def test_relative_file(sandbox):
    assert_files(sandbox, "open('out.txt', 'w').write('hi')", files=[FileCheck(path="out.txt", content="hi")])


def test_absolute_file(sandbox):
    path = "/home/user/out.txt"
    assert_files(sandbox, f"open({path!r}, 'w').write('hi')", files=[FileCheck(path=path, content="hi")])


def test_tmp(sandbox):
    code = "open('/tmp/a.txt', 'w').write('hi')\nprint(open('/tmp/a.txt').read())"
    assert_output(sandbox, code, expected="hi")


def test_temporary_file(sandbox):
    assert_output(sandbox, TEMPORARY_FILE, expected="hi")


def test_process(sandbox):
    assert_output(sandbox, PROCESS, expected="hi")


def test_threads(sandbox):
    assert_output(sandbox, THREADS, expected="[1, 2]")


def test_home(sandbox):
    sandbox.files.write("/home/user/d.csv", "a,b\n")
    assert_output(sandbox, "print(open('/home/user/d.csv').read())", expected="a,b\n")


def test_command(sandbox):
    sandbox.files.write("s.py", "print(1)")
    assert sandbox.commands.run("python3 s.py").stdout == "1\n"


def test_command_absolute(sandbox):
    sandbox.files.write("s.py", "print(1)")
    assert sandbox.commands.run("python3 /home/user/s.py").stdout == "1\n"

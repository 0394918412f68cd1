"""Gates in a pyproject.toml, and the messages about invalid ones."""

import pytest

from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.ledger.gate import Gate
from pytest_rewardkit.ledger.selection import Selection
from pytest_rewardkit.pyproject import gates_in, languages_in


@pytest.fixture
def pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"

    def write(text):
        path.write_text(text, "utf-8")
        return path

    return write


LUA = "tool.rewardkit.languages.lua"


def test_no_file_and_no_table_ask_for_nothing(pyproject, tmp_path):
    assert gates_in(tmp_path / "pyproject.toml") == []
    assert gates_in(pyproject("[tool.other]\nrewardkit = 1\n")) == []
    assert gates_in(pyproject("[tool.rewardkit]\nconfidence = 0.9\n")) == []


def test_run_and_groups(pyproject):
    path = pyproject("""
        [tool.rewardkit]
        fail_under = 0.8
        max_unscored = 3
        confidence = 0.95

        [tool.rewardkit.groups.sorting]
        must_pass = true

        [tool.rewardkit.groups."hard ones"]
        select = "graphs or knapsack"
        min_pass_rate = 0.5
        confidence = 0.9
    """)
    assert gates_in(path) == [
        Gate(fail_under=0.8, max_unscored=3, confidence=0.95),
        Gate(name="sorting", must_pass=True, confidence=0.95),
        Gate(name="hard ones", select=Selection("graphs or knapsack"), min_pass_rate=0.5, confidence=0.9),
    ]


def test_options_win(pyproject):
    path = pyproject("[tool.rewardkit]\nfail_under = 0.8\ngroups.a = {fail_under = 0.5, confidence = 0.8}\n")
    assert gates_in(path, fail_under=0.6, confidence=0.99) == [
        Gate(fail_under=0.6, confidence=0.99),
        Gate(name="a", fail_under=0.5, confidence=0.99),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "[tool.rewardkit]\n\nfail_uner = 1",
            ":3: [tool.rewardkit] unknown key 'fail_uner'; did you mean 'fail_under'?",
        ),
        ("[tool.rewardkit]\nfail_under = 80", ":2: [tool.rewardkit] fail_under: must be a number in [0, 1], not 80"),
        (
            "[tool.rewardkit]\nfail_under = true",
            ":2: [tool.rewardkit] fail_under: must be a number in [0, 1], not True",
        ),
        ("[tool.rewardkit]\nmax_unscored = -1", ":2: [tool.rewardkit] max_unscored: must be a whole number, 0 or more"),
        ("[tool.rewardkit]\nmust_pass = 1", ":2: [tool.rewardkit] must_pass: must be true or false, not 1"),
        ("[tool.rewardkit]\nconfidence = 95", ":2: [tool.rewardkit] confidence: must be a number from 0.5 to under 1"),
        ("[tool]\nrewardkit = 3", ":1: [tool.rewardkit] must be a table, not 3"),
        ("[tool.rewardkit]\ngroups = 3", ":1: [tool.rewardkit.groups] must be a table, not 3"),
        ("x = 1\n[tool.rewardkit.groups.a]\n", ":2: [tool.rewardkit.groups.a] asks for nothing; known are: fail_under"),
        (
            "[tool.rewardkit.groups.run]\nmust_pass = true",
            ":1: [tool.rewardkit.groups.run] 'run' is the name of another gate",
        ),
        (
            "[tool.rewardkit.groups.a]\nfail_under = 0.5\n[tool.rewardkit.groups.b]\nselect = 'a b'",
            ":4: [tool.rewardkit.groups.b] select: 'a b': expected 'and', 'or' or the end at column 3, not 'b'",
        ),
        (
            "[tool.rewardkit]\nconfidence = 0.9\n[tool.rewardkit.groups.a]\nfail_under = 1.0",
            ":3: [tool.rewardkit.groups.a] no number of tests shows a mean or a rate of 1",
        ),
        ("[tool.rewardkit\n", ": Expected ']' at the end of a table declaration (at line 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(pyproject, text, wrong):
    with pytest.raises(RewardkitUsageError) as refused:
        gates_in(pyproject(text))
    assert str(refused.value).startswith(f"pyproject.toml{wrong}")


def test_languages(pyproject):
    (language,) = languages_in(
        pyproject('[tool.rewardkit.languages.lua]\nextension = "lua"\nrun = "lua {file}"\nneeds = ["lua"]')
    ).values()
    assert (language.name, language.run, language.programs) == ("lua", "lua {file}", ("lua",))
    assert languages_in(pyproject("[tool.rewardkit]\nfail_under = 0.5")) == {}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            '[tool.rewardkit.languages.lua]\nrun = "lua {file}"',
            ":1: [tool.rewardkit.languages.lua] extension is missing",
        ),
        (
            'x = 1\n[tool.rewardkit.languages.lua]\nextension = "lua"\nrum = "lua"',
            ":4: [tool.rewardkit.languages.lua] unknown key 'rum'; did you mean 'run'?",
        ),
        (
            '[tool.rewardkit.languages.lua]\nextension = "lua"\nrun = "lua {fil}"',
            ":3: [tool.rewardkit.languages.lua] run: {fil} stands for nothing; did you mean 'file'?",
        ),
        (
            '[tool.rewardkit.languages.lua]\nextension = ""\nrun = "lua"',
            ":2: [tool.rewardkit.languages.lua] extension must",
        ),
        *(
            (f'[tool.rewardkit.languages.lua]\nextension = "lua"\nrun = "lua {{file}}"\n{line}', f":4: [{LUA}] {said}")
            for line, said in {
                "build = 3": "build must be a text, not 3",
                'build = "luac {file"': "build is not a command",
                "build = \"awk '{print 1}' {file}\"": "build: {print 1} stands for nothing",
                'build = "luac \'{file}"': "build is not a command: No closing quotation",
                'needs = "lua"': "needs must be a list of commands, not 'lua'",
                "needs = [3]": "needs must be a list of commands",
                "build_time_limit = -1": "build_time_limit must be a number of seconds above 0, not -1",
                "build_time_limit = true": "build_time_limit must be a number of seconds",
                'begins = "("': "begins is not a regular expression",
                'main = "class"': "main must have a group",
            }.items()
        ),
        ("[tool.rewardkit.languages]\nlua = 3", ":1: [tool.rewardkit.languages.lua] must be a table, not 3"),
    ],
)
def test_what_is_wrong_with_a_language_is_named_with_its_place(pyproject, text, wrong):
    with pytest.raises(RewardkitUsageError) as refused:
        languages_in(pyproject(text))
    assert str(refused.value).startswith(f"pyproject.toml{wrong}")

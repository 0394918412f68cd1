"""Models' answers are stored and replayed, in any process, with asynchronous fixtures and others."""

import json

import pytest

from pytest_rewardkit.reports.results.file import read

# The client notes each request in a file, in whichever process it runs.
CLIENT = """
    from pathlib import Path

    def ask(prompt):
        with open(Path(__file__).with_name("asked.txt"), "a") as file:
            file.write(f"{prompt}\\n")
        return f"candidate for {prompt}"
"""
SUITE = """
    import pytest
    from pytest_rewardkit import Candidate

    PROMPT = "sub"

    @pytest.fixture
    def candidate(prompt):
        from client import ask
        return Candidate(ask(prompt), model="m", usage={"input_tokens": 2, "output_tokens": 3}, cost=0.01)

    @pytest.mark.reward(attempts=2)
    @pytest.mark.parametrize("prompt", ["add"])
    def test_prompt_of_a_fixture(candidate, reward):
        assert candidate.model == "m"
        reward.record(candidate == "candidate for add")

    class TestConstant:
        @pytest.fixture
        def candidate(self):
            from client import ask
            return ask(PROMPT)

        def test_prompt_of_a_constant(self, candidate, reward):
            reward.record(0.5, reason=candidate)

    def test_prompt_of_a_call(recorded, reward):
        def call():
            from client import ask
            return {"text": ask("mul")}
        reward.record(recorded([{"role": "user", "content": "mul"}], call) == {"text": "candidate for mul"})

    @pytest.mark.parametrize("candidate", ["a parameter"])
    def test_parameter(candidate, reward):
        reward.record(candidate == "a parameter")

    class TestAsync:
        @pytest.fixture
        async def candidate(self, async_recorded):
            async def call():
                from client import ask
                return ask("div")
            return await async_recorded("div", call)

        @pytest.mark.asyncio
        async def test_async(self, candidate, reward):
            reward.record(candidate == "candidate for div")

    class TestAsyncFixture:
        @pytest.fixture
        async def candidate(self):
            from client import ask
            return ask("mod")

        @pytest.mark.asyncio
        async def test_async(self, candidate, reward):
            reward.record(candidate == "candidate for mod")
"""
PROMPTS = ["add", "add", "div", "mod", "mul", "sub"]


@pytest.fixture
def asked(pytester):
    """Returns the requests to the client since the last call."""
    path = pytester.path / "asked.txt"

    def read_asked():
        found = sorted(path.read_text().split()) if path.exists() else []
        path.unlink(missing_ok=True)
        return found

    return read_asked


def values(path):
    return {test.node_id: test.value for test in read(path).ledger.tests}


def test_a_model_is_asked_once_and_then_no_more(run, pytester, asked):
    pytester.makepyfile(client=CLIENT, test_suite=SUITE)
    asynchronous = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto")
    asynchronous += ("-o", "asyncio_default_fixture_loop_scope=function")
    asking = (*asynchronous, "--rewardkit-candidates=c.jsonl")
    first = run(*asking, "--rewardkit-results=first.jsonl")
    first.assert_outcomes(passed=7)
    first.stdout.fnmatch_lines(
        ["6 answers of models, 4 tokens in, 6 out, model cost $0.0200*", "candidates: * (6 new)"]
    )
    assert asked() == PROMPTS
    kept = (pytester.path / "c.jsonl").read_bytes()
    assert b"parameter" not in kept

    # Without the client: every answer is stored.
    (pytester.path / "client.py").unlink()
    again = run(*asking, "--rewardkit-results=again.jsonl", "--rewardkit-html=r.html")
    again.stdout.fnmatch_lines(["6 answers of models, 6 on record, *model cost $0.0200 ($0.0200 of it earlier)*"])
    assert values(pytester.path / "again.jsonl") == values(pytester.path / "first.jsonl")
    assert (pytester.path / "c.jsonl").read_bytes() == kept

    # Only a changed prompt is asked again.
    suite = pytester.path / "test_suite.py"
    suite.write_text(
        suite.read_text().replace('["add"]', '["addition"]').replace('"sub"', '"minus"').replace('"mod"', '"rest"')
    )
    replay = run(*asking, "--rewardkit-candidates-mode=replay", "-k", "constant or addition")
    replay.stdout.fnmatch_lines(
        ["*c.jsonl has no candidate of test_suite.py::test_prompt_of_a_fixture?attempt?-addition*"]
    )
    pytester.makepyfile(client=CLIENT)
    run(*asking)
    assert asked() == ["addition", "addition", "minus", "rest"]


def test_a_rerun_and_a_new_record(run, pytester, asked):
    pytester.makepyfile(
        client=CLIENT,
        test_suite="""
        import pytest

        @pytest.fixture
        def candidate():
            from client import ask
            return ask("add")

        def test_add(candidate, reward):
            reward.record(0.5)
            assert False
        """,
    )
    run("--rewardkit-candidates=c.jsonl.gz", "--reruns=2")
    assert asked() == ["add"]
    run("--rewardkit-candidates=c.jsonl.gz", "--rewardkit-candidates-mode=record")
    assert asked() == ["add"]


RESCORED = """
    import pytest
    from pytest_rewardkit import Reward, score_output

    @pytest.fixture
    def candidate(request):
        from client import ask
        return ask("add") + "x" * {length}

    @pytest.mark.parametrize("number", [1, 2])
    def test_add(sandbox_of_nothing, candidate, reward, number):
        from pytest_rewardkit.evidence import Evidence
        reward.record(Reward({value}, evidence=(Evidence(code=candidate),)))

    @pytest.fixture
    def sandbox_of_nothing():
        pass

    @pytest.mark.reward
    def test_that_would_ask():
        raise RuntimeError("asked")
"""


def test_candidates_of_an_earlier_run_are_scored_again(run, pytester, asked):
    pytester.makepyfile(client=CLIENT, test_suite=RESCORED.format(length=3, value=0.25))
    run(
        "--rewardkit-results=first.jsonl",
        "--rewardkit-artifacts=kept",
        "--rewardkit-artifacts-when=always",
        "--rewardkit-candidates=c.jsonl",
    )
    assert asked() == ["add", "add"]
    pytester.makepyfile(test_suite=RESCORED.format(length=3, value=0.75))
    for earlier in ("first.jsonl", "kept", "c.jsonl"):
        result = run(f"--rewardkit-rescore={earlier}", "--rewardkit-results=now.jsonl", "-rs")
        result.assert_outcomes(passed=2, skipped=1)
        result.stdout.fnmatch_lines(["*its candidate cannot be replaced by an earlier one; let the test take it from*"])
        assert list(values(pytester.path / "now.jsonl").values()) == [0.75, 0.75]
    assert asked() == []


def test_a_candidate_that_was_cut_is_not_scored_again(run, pytester, asked):
    pytester.makepyfile(client=CLIENT, test_suite=RESCORED.format(length=10_000, value=0.25))
    run("--rewardkit-results=first.jsonl", "-k", "add")
    asked()
    result = run("--rewardkit-rescore=first.jsonl", "-k", "add")
    assert result.ret == 1
    result.stdout.fnmatch_lines_random(
        [
            f"*first.jsonl has only an excerpt of the candidate of test_suite.py::test_add?{number}?; keep candidates *"
            for number in (1, 2)
        ]
    )
    assert asked() == []


def test_a_sandbox_waits_for_its_candidate(plain, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def prepared(sandbox):
            return sandbox

        @pytest.fixture
        def candidate():
            return "asked"

        def test_model(prepared, sandbox, candidate):
            pass

        class TestAgent:
            @pytest.fixture
            def candidate(self, sandbox):
                return "left in the sandbox"

            def test_agent(self, candidate, sandbox):
                pass
        """
    )
    lines = [line.split() for line in plain("--setup-plan", "-pno:xdist").outlines]
    order = [line[2] for line in lines if line[:2] == ["SETUP", "F"] and line[2] in ("sandbox", "candidate")]
    assert order == ["candidate", "sandbox", "sandbox", "candidate"]


def test_a_candidate_that_could_not_be_had_is_unscored_without_any_marker(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def candidate():
            raise ConnectionError("the model is away")

        def test_model(sandbox, candidate):
            pass

        def test_without_a_sandbox(candidate):
            pass
        """
    )
    result = run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*the test raised ConnectionError: the model is away", "UNSCORED *::test_model*"])


@pytest.mark.parametrize(
    ("args", "wrong"),
    [
        (("--rewardkit-candidates=c.jsonl", "--rewardkit-candidates-mode=replay"), "there is no * to replay"),
        (("--rewardkit-candidates=other.jsonl",), "other.jsonl, line 1: *no answer of version 1"),
        (("--rewardkit-rescore=missing",), "--rewardkit-rescore: *missing is neither a file nor a folder"),
        (("--rewardkit-rescore=x", "--rewardkit-candidates=c.jsonl"), "use one of them"),
    ],
)
def test_what_cannot_be_is_said_at_once(run, pytester, args, wrong):
    (pytester.path / "other.jsonl").write_text(json.dumps({"v": 1, "type": "run"}) + "\n")
    pytester.makepyfile("def test_nothing(): pass")
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{wrong}*"])


def test_a_fixture_of_a_wider_scope_is_refused(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def candidate():
            return "x"

        def test_it(candidate, reward):
            reward.record(1.0)
        """
    )
    run("--rewardkit-candidates=c.jsonl").stdout.fnmatch_lines(["*has the scope module; give it the scope function*"])
    run().assert_outcomes(passed=1)


MODELS = """
    import pytest
    from pytest_rewardkit import Candidate

    @pytest.fixture
    def candidate(model):
        return Candidate(model, model=model, cost=1)

    @pytest.mark.reward_models("a", "bb")
    @pytest.mark.reward(threshold=0, attempts=2)
    @pytest.mark.parametrize("number", [1, 2])
    def test_marked(candidate, number, reward):
        reward.record(len(candidate) / 4)

    @pytest.mark.parametrize("model", ["own"])
    def test_parameter(model):
        pass
"""


def test_each_test_runs_once_for_each_model(run, pytester):
    pytester.makepyfile(MODELS)
    result = run("--rewardkit-candidates=c.jsonl")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(
        [
            "a          2         0  0.25   0.25 to 0.25       $4.00",
            "bb         2         0  0.50   0.50 to 0.50       $4.00",
            "bb beside a: +0.25 over 2 tests, 95 % interval +0.25 to +0.25 (2 better)",
        ]
    )
    result = run("--rewardkit-models=a,ccc", "--rewardkit-candidates=c.jsonl")
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["8 answers of models, 4 on record*", "ccc beside a: +0.50 over 2 tests*"])


@pytest.mark.parametrize(
    ("marker", "wrong"),
    [
        ("reward_models()", "takes names of models, each once, not ()"),
        ("reward_models('a', 'a')", "takes names of models, each once"),
        ("reward_models('a' * 151)", "a model's name has at most 150 characters: 'aaa"),
        ("reward_models(names=1)", "takes only names of models, no keywords"),
        ("reward_models('a')", "the test uses neither `model` nor a fixture that does"),
    ],
)
def test_a_wrong_marker_is_refused(run, pytester, marker, wrong):
    pytester.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass\n")
    run().stdout.fnmatch_lines([f"*@pytest.mark.reward_models: {wrong}*"])


def test_the_example_suite_replays_its_answers(run, pytestconfig):
    suite = pytestconfig.rootpath / "example_suites" / "models"
    file = suite / "candidates.jsonl"
    result = run(str(suite), f"--rewardkit-candidates={file}", "--rewardkit-candidates-mode=replay")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["2 answers of models, 2 on record*", "hasty beside careful: -0.33 over 1 test*"])

"""Stored and replayed answers of models: facts about a prompt, when a model is asked, the content of a file."""

import gzip
from types import SimpleNamespace

import pytest

from pytest_rewardkit import Candidate, RewardkitUsageError, UnscoredError
from pytest_rewardkit.candidates.answer import ModelAnswer
from pytest_rewardkit.candidates.earlier import read_earlier
from pytest_rewardkit.candidates.file import read_answers, write_answers
from pytest_rewardkit.candidates.prompt import digest, plain, readable, source_digest
from pytest_rewardkit.candidates.record import AUTO, RECORD, REPLAY, AskedByTest, CandidatesOnRecord, OnRecord
from pytest_rewardkit.ledger.model_use import ModelUse, together
from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.reports.models import asked

PROMPT = "Write add"
MESSAGES = [{"role": "user", "content": "Write add"}]
calls: list[str] = []


def literal():
    calls.append("asked")
    return "Write add(a, b)"


def constant():
    """Ask."""
    calls.append(PROMPT)
    return MESSAGES


def by_a_helper():
    return constant()


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, (None, None)),
        ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}, (3, 5)),
        (SimpleNamespace(input_tokens=3, output_tokens=0), (3, 0)),
        (SimpleNamespace(prompt_token_count=3, candidates_token_count=4), (3, 4)),
    ],
)
def test_tokens_are_read_as_clients_name_them(usage, tokens):
    candidate = Candidate("pass", usage=usage)
    assert candidate == "pass"
    assert (candidate.input_tokens, candidate.output_tokens) == tokens


@pytest.mark.parametrize("wrong", [{"cost": -1}, {"cost": float("nan")}, {"usage": {"input_tokens": "many"}}])
def test_a_number_that_cannot_be_one_is_refused(wrong):
    with pytest.raises(RewardkitUsageError, match="must be a number, 0 or more"):
        Candidate("pass", **wrong)


def test_a_candidate_is_text():
    with pytest.raises(RewardkitUsageError, match="not NoneType"):
        Candidate(None)  # type: ignore[arg-type]


def test_messages_of_a_client_are_plain():
    message = SimpleNamespace(model_dump=lambda mode: {"role": "user", "content": "hi"})
    assert plain([message]) == [{"role": "user", "content": "hi"}]
    assert readable(plain([message])) == "user: hi"
    assert plain([object()]) is None


def test_a_changed_constant_is_another_source(monkeypatch):
    before = {function: source_digest(function) for function in (literal, constant, by_a_helper)}
    calls.append("as another test did")
    assert source_digest(literal) == before[literal]
    monkeypatch.setitem(constant.__globals__, "PROMPT", "Write sub")
    assert source_digest(literal) == before[literal]
    assert source_digest(constant) != before[constant]
    assert source_digest(by_a_helper) != before[by_a_helper]


def asking(mode, *answers, test="test_add", keep=lambda _: None, **options):
    record = CandidatesOnRecord(lambda: OnRecord({it.key: it for it in answers}), "c.jsonl", mode, **options)
    return AskedByTest(record, test, keep=keep)


def test_what_is_on_record_for_the_prompt_is_given_again():
    known = ModelAnswer(test="test_add", digest=digest(PROMPT), value="def add", model="m", cost=0.5)
    run = asking(AUTO, known)
    found = run.replayed(run.wanted(digest(PROMPT), prompt=PROMPT))
    assert found is not None
    assert (found.given(), found.given().model) == ("def add", "m")


@pytest.mark.parametrize(
    ("mode", "digest_now", "source_now", "asks"),
    [
        (AUTO, "p", "s", False),
        (AUTO, "other", "s", True),
        (AUTO, "p", "other", True),
        (RECORD, "p", "s", True),
        (REPLAY, "p", "s", False),
        # The fixture's client may be gone by then.
        (REPLAY, "p", "other", False),
    ],
)
def test_when_a_model_is_asked(mode, digest_now, source_now, asks):
    run = asking(mode, ModelAnswer(test="test_add", digest="p", source="s", value="x"))
    found = run.replayed(run.wanted(digest_now, prompt=None, source=source_now))
    assert (found is None) == asks


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("test_sub", "c.jsonl has no candidate of test_sub, and no model is asked"),
        ("test_add", "c.jsonl has a candidate for another prompt of test_add, and no model is asked"),
    ],
)
def test_what_is_missing_in_a_replay_is_unscored(test, reason):
    run = asking(REPLAY, ModelAnswer(test="test_add", digest="p", value="x"), test=test)
    with pytest.raises(UnscoredError) as raised:
        run.replayed(run.wanted("other", prompt=None))
    assert str(raised.value) == reason


def test_any_prompt_does_where_candidates_are_scored_again():
    run = asking(REPLAY, ModelAnswer(test="test_add", digest="p", value="x"), any_prompt=True)
    assert run.replayed(run.wanted("other", prompt=None)) is not None


def test_answers_to_one_prompt_are_told_apart_by_their_order():
    kept: list[ModelAnswer] = []
    run = asking(AUTO, keep=kept.append)
    for text in ("first", "second"):
        run.given(run.wanted_for(MESSAGES), text, 0.0)
    again = asking(REPLAY, *kept)
    found = [again.replayed(again.wanted_for(MESSAGES)) for _ in range(2)]
    assert [it.given() for it in found if it is not None] == ["first", "second"]


def test_what_is_no_text_and_no_json_is_not_kept():
    run = asking(AUTO)
    with pytest.raises(RewardkitUsageError, match="kept as text or JSON, and this is object"):
        run.given(run.wanted_for("p"), object(), 0.0)
    with pytest.raises(RewardkitUsageError, match="a prompt is a text"):
        run.wanted_for(object())


@pytest.mark.parametrize("name", ["c.jsonl", "c.jsonl.gz"])
def test_a_file_gives_back_what_was_kept(tmp_path, name):
    path = tmp_path / "of" / name
    kept = [
        ModelAnswer(test="a", value="x\ud800\u2028", prompt=MESSAGES, model="m", input_tokens=1, cost=0.1, seconds=1.5),
        ModelAnswer(test="a", what="w", number=2, value={"tool": ["ls"]}),
    ]
    assert read_answers(path) == {}
    with write_answers(path, kept[:1]) as file:
        file.write(kept[1].to_line())
    assert list(read_answers(path).values()) == kept
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "c.jsonl"
    line = ModelAnswer(test="a", value="x").to_line()
    path.write_text(line + line[:30])
    assert list(read_answers(path)) == [("a", "candidate", 1)]
    cut = tmp_path / "c.jsonl.gz"
    cut.write_bytes(gzip.compress(line.encode() * 100)[:-10])
    assert list(read_answers(cut)) == [("a", "candidate", 1)]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("nonsense", "not JSON"),
        ("[]", "an answer is an object"),
        ('{"v": 2, "type": "answer"}', "no answer of version 1"),
        ('{"v": 1, "type": "answer", "test": "a", "what": "candidate"}', "lacks 'answer'"),
        ('{"v": 1, "type": "answer", "test": 1, "what": "candidate", "answer": ""}', "test must be a text"),
        ('{"v": 1, "type": "answer", "test": "a", "what": "candidate", "answer": "", "cost": -1}', "cost must be"),
    ],
)
def test_another_file_is_refused(tmp_path, line, wrong):
    path = tmp_path / "c.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(RewardkitUsageError, match=f"line 1: .*{wrong}"):
        read_answers(path)


def test_a_path_that_is_nothing_of_an_earlier_run_is_refused(tmp_path):
    with pytest.raises(RewardkitUsageError, match="neither a file nor a folder"):
        read_earlier(tmp_path / "missing")
    with pytest.raises(RewardkitUsageError, match="no folder of a test"):
        read_earlier(tmp_path)


def test_what_was_asked_travels_with_the_record_and_adds_up():
    first = ModelUse(model="m", prompt="p", input_tokens=3, cost=0.25, seconds=1.0)
    second = ModelUse(replayed=1, model="n", cost=0.5, replayed_cost=0.5)
    both = together([first, second])
    assert both is not None
    assert Record.from_wire(Record(None, asked=both).to_wire()).asked == both
    assert asked(both) == (
        "2 answers of models, 1 on record, 3 tokens in, model cost $0.7500 ($0.5000 of it earlier), "
        "1.0 s of models' time"
    )
    assert together([]) is None

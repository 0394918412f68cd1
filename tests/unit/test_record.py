import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rewardkit import Part, Reward, Verdict
from pytest_rewardkit.evidence import Evidence
from pytest_rewardkit.ledger.record import WIRE_LIMIT, Record, SandboxUse

texts = st.none() | st.text(st.characters(), max_size=50)  # lone surrogates included
parts = st.builds(
    Part,
    st.text(st.characters(), max_size=20),
    st.none() | st.floats(0, 1),
    weight=st.floats(0, 10),
    reason=st.text(max_size=20),
    expected=texts,
    actual=texts,
    stderr=texts,
    duration=st.none() | st.floats(0, 100),
)
limits = st.dictionaries(st.sampled_from(["memory_mb", "processes"]), st.integers(1))
uses = st.builds(SandboxUse, st.floats(0, 9), st.floats(0, 9), limits)
rewards = st.builds(Reward, st.none() | st.floats(0, 1), st.lists(parts, max_size=4).map(tuple), reason=st.text())
records = st.builds(
    Record,
    st.none() | rewards,
    threshold=st.none() | st.floats(0, 1),
    weight=st.floats(0, 10),
    group=st.none() | st.text(max_size=10),
    must_pass=st.booleans(),
    sandboxes=st.lists(
        st.builds(SandboxUse, st.floats(0, 9), st.floats(0, 9), st.dictionaries(st.text(), st.integers(1))), max_size=3
    ).map(tuple),
)


@given(records)
def test_wire_form_gives_the_record_back(record):
    back = Record.from_wire(record.to_wire())
    assert back == record
    if record.reward is not None:
        assert back.reward.parts == record.reward.parts  # rewards compare by number only
        assert (back.reward.verdict, back.reward.reason) == (record.reward.verdict, record.reward.reason)


@settings(max_examples=20)
@given(st.text(st.characters(), min_size=1, max_size=3), st.integers(0, 400))
def test_wire_form_is_bounded_ascii_whatever_a_candidate_printed(text, count):
    flood = text * 4000
    parts = [
        Part(f"{n} {flood}", n % 2, reason=flood, expected=flood, actual=flood, stderr=flood) for n in range(count + 1)
    ]
    wire = Record(Reward.from_parts(parts), group="g").to_wire()
    assert len(wire) <= WIRE_LIMIT
    assert wire.isascii()
    assert wire.isprintable()
    back = Record.from_wire(wire)
    assert back.reward.value == Reward.from_parts(parts).value
    assert len(back.reward.parts) + back.left_out == count + 1


def test_texts_give_way_before_parts():
    parts = [Part(f"case {n}", 0.0, expected="e" * 4000, actual="a" * 4000) for n in range(50)]
    back = Record.from_wire(Record(Reward.from_parts(parts)).to_wire())
    assert back.left_out == 0
    assert len(back.reward.parts) == 50
    assert 0 < len(back.reward.parts[0].expected) < 4000


def test_parts_that_passed_give_way_before_parts_that_failed():
    parts = [Part("x" * 200, float(n != 777), reason="r" * 400, weight=n + 1) for n in range(1000)]
    back = Record.from_wire(Record(Reward.from_parts(parts)).to_wire())
    assert back.left_out > 0
    assert [part.weight for part in back.reward.parts if part.value == 0] == [778]
    assert [part.weight for part in back.reward.parts] == sorted(part.weight for part in back.reward.parts)


def test_how_long_parts_ran_is_known_of_those_that_were_left_out_too():
    parts = [Part("x" * 200, 1.0, reason="r" * 400, duration=0.25) for _ in range(1000)]
    wire = Record(Reward.from_parts(parts)).to_wire()
    back = Record.from_wire(wire)
    assert back.left_out > 0
    assert json.loads(wire)["timings"] == {"running": 250.0}
    assert back.to_fields() == {name: value for name, value in json.loads(wire).items() if name != "v"}
    with pytest.raises((TypeError, ValueError)):
        Record.from_fields(back.to_fields() | {"timings": ["running"]})


def test_wire_form_is_plain_json_with_a_version():
    record = Record(Reward.from_parts([Part("adds", 0.0, verdict=Verdict.TIMEOUT)]), threshold=0.0, weight=0.0)
    assert json.loads(record.to_wire()) == {
        "v": 1,
        "reward": 0.0,
        "verdict": "timeout",
        "parts": [{"name": "adds", "value": 0.0, "weight": 1.0, "verdict": "timeout"}],
        "threshold": 0.0,
        "weight": 0.0,
    }


@pytest.mark.parametrize("wire", ["[]", "{}", '{"v": 2}', "no json"])
def test_what_is_no_record_is_refused(wire):
    with pytest.raises(ValueError, match=r"no record of version 1|Expecting value"):
        Record.from_wire(wire)


PNG = "iVBORw0KGgo"


def test_evidence_arrives_without_how_to_call_the_scorer_again():
    evidence = Evidence(
        code="x = 1", stdout="1\n", stderr="oh", images=(PNG,), scorer="score_cases", arguments={"a": 1}
    )
    back = Record.from_wire(Record(Reward(0.5, evidence=(evidence,))).to_wire())
    assert back.reward.evidence == (Evidence(code="x = 1", stdout="1\n", stderr="oh", images=(PNG,)),)


def test_a_response_without_code_is_the_candidate_that_arrives():
    back = Record.from_wire(Record(Reward(0.0, evidence=(Evidence(response="Sorry."),))).to_wire())
    assert back.reward.evidence[0].candidate == "Sorry."


@pytest.mark.parametrize("text", ["x", "\x00", "\U0001f600", "\udc80"])
def test_evidence_is_bounded_with_the_rest(text):
    flood = text * 200_000
    evidence = tuple(Evidence(code=flood, stdout=flood, stderr=flood) for _ in range(20))
    wire = Record(Reward.from_parts([Part("part", 0.0, actual=flood)])).to_wire()
    assert len(wire) <= WIRE_LIMIT
    wire = Record(Reward(0.5, [Part("part", 0.5)], evidence=evidence)).to_wire()
    assert len(wire) <= WIRE_LIMIT
    assert wire.isascii()
    assert Record.from_wire(wire).reward.parts == (Part("part", 0.5),)


def test_images_come_along_as_far_as_there_is_room():
    images = tuple(PNG + letter * 20_000 for letter in "ABC")
    wire = Record(Reward(1.0, evidence=(Evidence(code="plot()", images=images),))).to_wire()
    assert len(wire) <= WIRE_LIMIT
    assert Record.from_wire(wire).reward.evidence[0].images == images[:2]


@given(st.lists(st.integers(0, 30_000), max_size=4), st.integers(0, 3))
def test_images_never_make_it_longer_than_its_bound(sizes, calls):
    evidence = Evidence(code="plot()", images=tuple(PNG + "A" * size for size in sizes))
    assert len(Record(Reward(1.0, evidence=(evidence,) * calls)).to_wire()) <= WIRE_LIMIT

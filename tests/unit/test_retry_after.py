"""A refusal that says for how long: no try comes earlier, and one that asks too much is not waited for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from e2b import RateLimitException

from pytest_rewardkit.sandboxes import again
from pytest_rewardkit.sandboxes.retry_after import retry_after, seconds_in


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-3", "0", "Wed, 21 Oct 2015 07:28:00 GMT", "1e999", "\0"])
def test_what_names_no_time(text: str) -> None:
    assert seconds_in(text) == 0.0


def test_a_number_and_a_date() -> None:
    assert seconds_in(" 2 ") == 2.0
    assert 50 < seconds_in(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) <= 60


def test_an_exception_that_no_answer_led_to() -> None:
    assert retry_after(RateLimitException("429")) == 0.0


@pytest.mark.parametrize(
    ("asked", "patience", "seconds", "least", "most"),
    [
        (7.0, 300.0, 0.0, 7.0, 7.2),
        (7.0, 300.0, 294.0, None, None),
        (0.0, 300.0, 0.0, 0.0, 0.2),
        (7.0, 0.0, 0.0, 7.0, 7.2),
        (30.0, 0.0, 0.0, None, None),
    ],
)
def test_another_try_comes_no_earlier_and_within_the_patience(
    monkeypatch: pytest.MonkeyPatch,
    asked: float,
    patience: float,
    seconds: float,
    least: float | None,
    most: float | None,
) -> None:
    monkeypatch.setattr(again, "retry_after", lambda _: asked)
    pause = again.pause_after(RateLimitException("429"), 0, seconds, patience)
    assert pause is None if least is None or most is None else pause is not None and least <= pause <= most

"""The HTML report is bounded: texts, parts, pictures, lists."""

from __future__ import annotations

import base64
import json
import struct

import pytest
from html_samples import png, report
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.reports.html import details as module
from pytest_rewardkit.reports.html.bounds import fair_limit
from pytest_rewardkit.reports.html.details import details, page_size
from pytest_rewardkit.reports.html.images import BYTES_LIMIT, RefusedImageError, data_url
from pytest_rewardkit.reports.html.island import island
from pytest_rewardkit.reports.html.model import Image, PageAttempt, PageEvidence, PageTest, Report
from pytest_rewardkit.reports.html.overview import LIST_LIMIT, overview
from pytest_rewardkit.reward import Part


def one_test(**fields: object) -> PageTest:
    (test,) = report(**fields).tests
    return test


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(0, 5000))
def test_the_fair_limit_is_the_largest_that_fits(sizes: list[int], budget: int) -> None:
    def total(limit: int) -> int:
        return sum(min(size, limit) for size in sizes)

    limit = fair_limit(sizes, budget)
    assert total(limit) <= budget
    assert limit == max(sizes) or total(limit + 1) > budget


def test_texts_that_fit_are_whole() -> None:
    (shown,) = details([one_test(evidence=PageEvidence(stdout="x" * 10_000, candidate="y"))], text_budget=130_000)
    assert shown["attempts"][0]["stdout"] == "x" * 10_000


def test_no_text_is_too_long_to_be_read() -> None:
    (shown,) = details([one_test(evidence=PageEvidence(stdout="x" * 300_000))])
    assert len(shown["attempts"][0]["stdout"]) == module.TEXT_LIMIT


def test_the_longest_texts_of_the_largest_tests_give_way() -> None:
    small = one_test(evidence=PageEvidence(stdout="s" * 500))
    large = one_test(evidence=PageEvidence(stdout="l" * 50_000, candidate="c" * 300))
    shown = list(details([small, large, large], text_budget=10_000))
    assert shown[0]["attempts"][0]["stdout"] == "s" * 500
    for test in shown[1:]:
        assert test["attempts"][0]["candidate"] == "c" * 300
        assert "characters left out" in test["attempts"][0]["stdout"]
    assert sum(len(island(test)) for test in shown) < 11_000


def test_the_budget_counts_bytes_on_the_page_not_characters() -> None:
    assert page_size("a<\0\U0001f600") == len("a") + 6 + 6 + 12
    (shown,) = details([one_test(evidence=PageEvidence(stdout="\0" * 50_000))], text_budget=12_000)
    assert 6_000 < len(json.dumps(shown)) < 13_000


def test_of_too_many_parts_the_lowest_are_shown() -> None:
    parts = [Part(f"part {index}", index % 10 / 10) for index in range(module.PARTS_LIMIT * 2)]
    (shown,) = details([one_test(parts=parts, left_out=5)])
    (attempt,) = shown["attempts"]
    assert len(attempt["parts"]) == module.PARTS_LIMIT
    assert attempt["left_out"] == module.PARTS_LIMIT + 5
    assert {part["value"] for part in attempt["parts"]} == {0.0, 0.1, 0.2, 0.3, 0.4}


def test_lists_of_names_are_cut_and_counted() -> None:
    names = [f"test_{index}" for index in range(LIST_LIMIT + 7)]
    shown = overview(Report(tests=[], missing=names, gone=dict.fromkeys(names, 1.0)))
    assert (len(shown["missing"]), shown["missingCount"]) == (LIST_LIMIT, LIST_LIMIT + 7)
    assert (len(shown["gone"]), shown["goneCount"]) == (LIST_LIMIT, LIST_LIMIT + 7)


def jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes(9)
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"hi!!"
    return b"\xff\xd8" + comment + b"\xff\xc0" + struct.pack(">H", len(frame) + 2) + frame + b"\xff\xd9"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def test_pictures_are_png_or_jpeg() -> None:
    assert data_url(Image(png())) == f"data:image/png;base64,{png()}"
    assert data_url(Image(encoded(jpeg(4, 3)))) == f"data:image/jpeg;base64,{encoded(jpeg(4, 3))}"
    assert data_url(Image("\n".join(png()))) == f"data:image/png;base64,{png()}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no base64!", "not base64"),
        ("\ud800", "not base64"),
        (encoded(b"<svg onload=alert(1)>"), "neither PNG nor JPEG"),
        (encoded(b"GIF89a" + bytes(40)), "neither PNG nor JPEG"),
        ("", "neither PNG nor JPEG"),
        (encoded(base64.b64decode(png())[:20]), "damaged PNG"),
        (encoded(jpeg(4, 3)[:12]), "damaged JPEG"),
        (encoded(b"\xff\xd8\xff\xc0"), "damaged JPEG"),
        (png(100_000, 100_000), "100000 x 100000 pixels"),
        (png(0, 5), "0 x 5 pixels"),
        (encoded(jpeg(65_000, 65_000)), "65000 x 65000 pixels"),
        ("A" * (BYTES_LIMIT * 2), "larger than"),
    ],
)
def test_any_other_picture_is_refused_with_the_reason(content: str, reason: str) -> None:
    with pytest.raises(RefusedImageError, match=reason):
        data_url(Image(content))
    (shown,) = details([one_test(evidence=PageEvidence(images=[Image(content, "chart")]))])
    (image,) = shown["attempts"][0]["images"]
    assert image["name"] == "chart"
    assert reason in image["refused"]


def test_pictures_beyond_the_budget_are_named_and_left_out() -> None:
    room = len(data_url(Image(png())))
    images = [Image(png(), "first"), Image(png(), "second")]
    (shown,) = details([one_test(evidence=PageEvidence(images=images))], image_budget=room + 1)
    first, second = shown["attempts"][0]["images"]
    assert first["url"] == data_url(images[0])
    assert second == {"name": "second", "refused": "the page has no room left for pictures"}


def test_a_test_counts_by_its_last_attempt_unless_it_says_more() -> None:
    attempts = [
        PageAttempt(verdict="passed", value=1.0, seconds=1.0),
        PageAttempt(verdict="timeout", value=0.0, seconds=2.0),
    ]
    by_attempt = PageTest(node_id="a", attempts=attempts)
    reduced = PageTest(node_id="b", attempts=attempts, verdict="partial", value=0.5)
    unscored = PageTest(node_id="c", attempts=attempts, verdict="unscored")
    table = overview(Report(tests=[by_attempt, reduced, unscored]))["table"]
    assert table["value"] == [0.0, 0.5, None]
    assert [table["verdict"]["names"][row] for row in table["verdict"]["rows"]] == ["timeout", "partial", "unscored"]
    assert table["seconds"] == [3.0, 3.0, 3.0]
    assert table["attempts"] == [2, 2, 2]


def test_the_table_says_what_cost_most() -> None:
    parts = [
        Part("first", 0.5, reason="half"),
        Part("second", 0.0, reason="all\nof it"),
        Part("third", 1.0, reason="fine"),
    ]
    attempts = [
        PageAttempt(verdict="partial", value=0.5, parts=parts, reason="the whole"),
        PageAttempt(verdict="passed", value=1.0, parts=parts[2:], reason="the whole"),
        PageAttempt(verdict="timeout", value=0.0, reason="too slow"),
        PageAttempt(verdict="passed", value=1.0),
    ]
    table = overview(Report(tests=[PageTest(node_id="a", attempts=[attempt]) for attempt in attempts]))["table"]
    assert table["why"] == ["second: all of it", "the whole", "too slow", ""]

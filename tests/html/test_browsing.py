"""The HTML report in use: it opens, sorts, filters, searches, shows a test, and works with the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from chromium import set_scheme, set_size
from html_samples import ordinary, png, report
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from pytest_rewardkit import formatting
from pytest_rewardkit.ledger.step import SandboxStep
from pytest_rewardkit.reports.html.model import Figure, Image, PageAttempt, PageEvidence, PageGate, PageTest, Report
from pytest_rewardkit.reward import Part, Verdict

if TYPE_CHECKING:
    from conftest import Page

Show = Callable[[Report], "Page"]


def name_of(test: PageTest) -> str:
    return test.node_id.partition("::")[2]


def value_of(test: PageTest) -> float:
    value = test.attempts[-1].value
    return -1.0 if value is None else value


def names(tests: list[PageTest]) -> list[str]:
    return [name_of(test) for test in tests]


def test_the_head_shows_gates_figures_and_facts(show: Show) -> None:
    page = show(ordinary())
    assert page.browser.title == "Rewards: nightly"
    assert page.texts("#gates li") == ["Run passedmean 0.52 >= 0.5", "Group files failed0.40 < 0.50"]
    assert page.texts("#figures div") == ["Mean reward0.5295 % interval 0.43 to 0.60"]
    assert page.texts("#notes dd") == ["3.12.1", "local, full isolation"]
    assert page.count == "60 tests"


def test_a_run_without_tests_opens(show: Show) -> None:
    page = show(Report(tests=[], missing=["test_a.py::test_never"]))
    assert page.count == "0 tests"
    assert "1 collected test never ran to an end" in page.text("#notes")
    assert page.all("#gates li") == []


def test_the_lowest_rewards_stand_on_top(show: Show) -> None:
    sample = ordinary(12)
    assert show(sample).rows == names(sorted(sample.tests, key=value_of))


@pytest.mark.parametrize(
    ("column", "key", "down_first"),
    [
        ("value", value_of, False),
        ("verdict", lambda test: test.attempts[-1].verdict, False),
        ("id", lambda test: test.node_id, False),
        ("group", lambda test: test.group, False),
        ("seconds", lambda test: test.attempts[-1].seconds, True),
    ],
)
def test_a_heading_sorts_by_its_column_and_again_the_other_way(
    show: Show, column: str, key: Callable[[PageTest], Any], down_first: bool
) -> None:
    sample = ordinary(12)
    page = show(sample)
    # Any other column, so that the next click is the first on its column.
    page.one("th.col-why button").click()
    for down in (down_first, not down_first):
        page.one(f"th.col-{column} button").click()
        # Equal rows stay in the order of collection, in both directions.
        assert page.rows == names(sorted(sample.tests, key=key, reverse=down))
        assert page.one(f"th.col-{column}").get_attribute("aria-sort") == ("descending" if down else "ascending")


def test_filters_work_together_and_clear_at_once(show: Show) -> None:
    sample = ordinary()
    page = show(sample)
    for chip in page.all("#verdicts button"):
        if chip.text.split(" ")[0] in ("partial", "timeout"):
            chip.click()
    verdicts = [test for test in sample.tests if test.attempts[-1].verdict in ("partial", "timeout")]
    assert page.count == f"{len(verdicts)} of 60 tests"

    Select(page.one("select[data-filter=group]")).select_by_visible_text("files")
    both = [test for test in verdicts if test.group == "files"]
    assert page.count == f"{len(both)} of 60 tests"
    assert sorted(page.rows) == sorted(names(both))

    page.one("#search").send_keys("TEST_1 00")
    found = [test for test in both if "test_1.py" in test.node_id]
    assert 0 < len(found) < len(both)
    assert sorted(page.rows) == sorted(names(found))

    page.one("#clear").click()
    assert page.count == "60 tests"
    assert page.one("#search").get_property("value") == ""


def test_search_finds_names_groups_and_reasons(show: Show) -> None:
    page = show(ordinary())
    page.one("#search").send_keys("reason 18")
    assert page.rows == ["test_row[00018]"]
    page.one("#search").clear()
    page.one("#search").send_keys("algorithms row[00003")
    assert page.rows == ["test_row[00003]"]
    page.one("#search").send_keys(" nowhere")
    assert page.rows == []
    assert page.count == "0 of 60 tests"


def test_the_charts_filter(show: Show) -> None:
    sample = ordinary()
    page = show(sample)
    zeros = sum(value_of(test) == 0 for test in sample.tests)
    bars = {bar.get_attribute("aria-label").partition(":")[0]: bar for bar in page.all(".bin")}
    assert list(bars)[:3] == ["Reward no number", "Reward 0", "Reward 0.0 to 0.1"]
    page.run("arguments[0].dispatchEvent(new MouseEvent('click'))", bars["Reward 0"])
    assert page.count == f"{zeros} of 60 tests"
    assert page.one(".bin[aria-pressed=true]").get_attribute("aria-label") == f"Reward 0: {zeros} of {zeros} tests"

    page.one("#clear").click()
    next(button for button in page.all(".group") if "files" in button.text).click()
    assert page.count == f"{sum(test.group == 'files' for test in sample.tests)} of 60 tests"
    assert Select(page.one("select[data-filter=group]")).first_selected_option.text == "files"


def test_a_test_opens_with_its_parts_code_output_and_times(show: Show) -> None:
    parts = [
        Part("adds", 1.0, expected="3", actual="3"),
        Part(
            "prints",
            0.0,
            weight=3.0,
            verdict=Verdict.WRONG_OUTPUT,
            reason="line 2 differs",
            expected="one\ntwo words\nthree",
            actual="one\ntwo  werds\nthree\nfour",
            stderr="\x1b[31mwarning\x1b[0m",
            duration=0.25,
        ),
    ]
    page = show(
        report(
            reason="half of it",
            parts=parts,
            left_out=2,
            evidence=PageEvidence(
                candidate='def add(a, b):\n    return f"{a}" # <b>\n',
                stdout="printed\n",
                stderr="",
            ),
            seconds=1.5,
            timings=[("waiting", 0.1), ("running", 0.9)],
        )
    )
    page.open_row()
    detail = page.text("#detail")
    for expected in ("test_one", "test_a.py", "0.50", "partial", "half of it", "2 more parts not kept", "1.5 s in all"):
        assert expected in detail
    assert [line.strip() for line in page.texts("#detail .part-line")] == [
        "1.00adds25 %",
        "0.00printswrong output75 %250 ms",
    ]
    assert [element.get_property("open") for element in page.all("#detail details.part")] == [False, True]
    # Words precede the removed and added lines, for readers who do not see the colours.
    assert [text.rstrip("\n") for text in page.texts(".diff .line")] == [
        " one",
        "\u2212expected: two words",
        "+actual: two  werds",
        " three",
        "+actual: four",
    ]
    assert page.texts(".diff mark") == [" words", "  werds"]
    assert page.texts(".code .keyword") == ["def", "return"]
    assert page.texts(".code .defined") == ["add"]
    assert page.texts(".code .string") == ['f"{a}"']
    assert page.texts(".code .comment") == ["# <b>"]
    assert "".join(page.texts(".code code")) == 'def add(a, b):\n    return f"{a}" # <b>\n'
    assert page.texts("#detail figure.text") == ["stderrwarning", "stdoutprinted\n", "stderrnothing"]
    assert page.texts(".timings dt") == ["waiting", "running"]
    assert page.texts(".timings dd") == ["100 ms", "900 ms"]


def test_a_difference_in_white_space_alone_is_seen(show: Show) -> None:
    page = show(report(parts=[Part("prints", 0.0, expected="a b\n", actual="a\tb")]))
    page.open_row()
    assert page.texts(".diff mark") == ["\u00b7", "\u2192"]
    assert page.text(".diff .line.expected .empty") == "\u21b5"


def test_a_closed_part_opens(show: Show) -> None:
    page = show(report(parts=[Part("adds", 1.0, expected="3", actual="3")]))
    page.open_row()
    assert page.all(".part-body") == []
    page.one("summary.part-line").click()
    page.until(lambda: page.all(".part-body"))
    assert page.text(".part-body") == "As expected3"


def test_attempts_and_what_they_amount_to(show: Show) -> None:
    attempts = [
        PageAttempt(verdict="timeout", value=0.0, reason="too slow"),
        PageAttempt(verdict="passed", value=1.0, reason="at last"),
    ]
    tests = [PageTest(node_id="test_a", attempts=attempts, figures=[("pass@1", 0.5), ("pass@5", None)], threshold=0.5)]
    page = show(Report(tests=tests, figures=[Figure("pass@1", "0.50")]))
    assert page.texts("td.col-attempts") == ["2"]
    page.open_row()
    assert page.texts(".facts dt") == ["threshold", "pass@1", "pass@5"]
    assert page.texts(".facts dd") == ["0.50", "0.50", "not defined"]
    assert "at last" in page.text("#detail")
    page.one(".attempt").click()
    assert "too slow" in page.text("#detail")
    assert "at last" not in page.text("#detail")


def test_a_reason_of_several_lines_keeps_its_columns_and_stands_once(show: Show) -> None:
    reason = "line 1 differs:\n  expected: one\n  actual:   two\n            ^"
    page = show(report(reason=reason))
    page.open_row()
    assert "monospace" in page.run("return getComputedStyle(document.querySelector('#detail .reason')).fontFamily")
    page = show(report(reason=reason, parts=[Part("output", 0.5, reason=reason)]))
    page.open_row()
    assert page.text("#detail").count("line 1 differs") == 1


def test_changes_since_the_baseline(show: Show) -> None:
    def changed(name: str, value: float, baseline: float | None, change: Any) -> PageTest:
        attempt = PageAttempt(verdict="partial", value=value)
        return PageTest(node_id=name, attempts=[attempt], baseline=baseline, change=change)

    tests = [
        changed("up", 0.7, 0.2, "better"),
        changed("down", 0.1, 0.85, "worse"),
        changed("even", 0.5, 0.5, "same"),
        changed("fresh", 0.5, None, "new"),
        changed("hardly", 0.5004, 0.5, "better"),
    ]
    page = show(Report(tests=tests, gone={"test_old": 1.0}))
    page.one("th.col-change button").click()
    assert page.rows == ["down", "even", "fresh", "hardly", "up"]
    assert page.texts("td.col-change") == ["worse \u22120.75", "", "new", "better +0.0004", "better +0.50"]
    assert "1 test only in the baseline" in page.text("#notes")
    Select(page.one("select[data-filter=change]")).select_by_visible_text("worse")
    assert page.rows == ["down"]


def test_images_show_and_refused_ones_say_why(show: Show) -> None:
    page = show(report(evidence=PageEvidence(images=[Image(png(), "chart"), Image("bm90IGFuIGltYWdl", "odd")])))
    page.open_row()
    image = page.one("#detail img")
    page.until(lambda: image.get_property("complete"))
    assert (image.get_property("naturalWidth"), image.get_property("naturalHeight")) == (3, 2)
    assert image.get_attribute("alt") == "chart"
    assert "odd: not shown: neither PNG nor JPEG" in page.text("#detail")


def test_the_keyboard_alone_is_enough(show: Show) -> None:
    sample = ordinary()
    lowest = names(sorted(sample.tests, key=value_of))
    page = show(sample)
    page.keys("/")
    assert page.focused == "search"
    page.keys("row", Keys.TAB)
    page.run("document.getElementById('tests').focus()")
    page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP)
    active = page.one("#tests").get_attribute("aria-activedescendant")
    assert page.text(f"#{active} .name") == lowest[1]
    page.keys(Keys.ENTER)
    assert page.text("#detail h2") == lowest[1]
    assert page.focused == "h2"
    page.keys("j", "j", "k")
    assert page.text("#detail h2") == lowest[2]
    page.keys(Keys.ESCAPE)
    assert not page.one("#detail").is_displayed()
    assert page.focused == "tests"
    page.keys(Keys.END, Keys.ENTER)
    assert page.text("#detail h2") == lowest[-1]
    page.keys(Keys.ESCAPE, Keys.HOME, Keys.ENTER)
    assert page.text("#detail h2") == lowest[0]


def test_moving_along_the_rows_moves_the_open_panel(show: Show) -> None:
    sample = ordinary()
    lowest = names(sorted(sample.tests, key=value_of))
    page = show(sample)
    page.open_row(0)
    page.run("document.getElementById('tests').focus()")
    page.keys(Keys.ARROW_DOWN)
    assert page.text("#detail h2") == lowest[1]
    assert page.focused == "tests"


def test_charts_work_with_the_keyboard_and_keep_the_focus(show: Show) -> None:
    page = show(ordinary())
    page.run("document.querySelectorAll('.bin')[1].focus()")
    page.keys(Keys.ENTER)
    assert page.count == "15 of 60 tests"
    page.keys(" ")
    assert page.count == "60 tests"


def test_focus_is_visible(show: Show) -> None:
    page = show(ordinary())
    seen = set()
    for _ in range(12):
        page.keys(Keys.TAB)
        style = "const e = document.activeElement; const s = getComputedStyle(e.querySelector?.('.target') ?? e);"
        outline, stroke = page.run(f"{style} return [s.outlineStyle, s.stroke]")
        assert outline != "none" or stroke != "none", page.focused
        seen.add(page.focused)
    assert "theme" in seen


def test_a_link_to_a_test_opens_it(show: Show) -> None:
    page = show(ordinary())
    page.open("#tests%2Ftest_2.py%3A%3Atest_row%5B00017%5D")
    assert page.text("#detail h2") == "test_row[00017]"
    page.open("#nothing%2")
    assert not page.one("#detail").is_displayed()


def test_the_address_names_the_open_test(show: Show) -> None:
    page = show(ordinary())
    page.open_row(0)
    name = page.text("#detail h2")
    address = page.browser.current_url
    page.open()
    page.open(address.partition("#")[1] + address.partition("#")[2])
    assert page.text("#detail h2") == name


def test_only_rows_in_view_exist_and_the_last_can_be_reached(show: Show) -> None:
    sample = ordinary(5000)
    page = show(sample)
    highest = names(sorted(sample.tests, key=value_of))[-1]
    assert page.one("#tests").get_attribute("aria-rowcount") == "5001"
    assert len(page.rows) < 100
    page.run("scrollTo(0, document.body.scrollHeight)")
    page.until(lambda: page.rows[-1] == highest)
    assert len(page.rows) < 100


def test_light_and_dark(show: Show) -> None:
    page = show(ordinary())

    def ground() -> str:
        return str(page.run("return getComputedStyle(document.body).backgroundColor"))

    light = ground()
    set_scheme(page.browser, "dark")
    dark = ground()
    assert dark != light
    page.one("#theme").click()
    assert (page.text("#theme"), ground()) == ("Theme: light", light)
    page.open()
    assert (page.text("#theme"), ground()) == ("Theme: light", light)
    page.one("#theme").click()
    assert (page.text("#theme"), ground()) == ("Theme: dark", dark)
    page.one("#theme").click()
    assert page.text("#theme") == "Theme: auto"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(show: Show, width: int) -> None:
    page = show(ordinary())
    set_size(page.browser, width, 800)
    page.open()
    assert page.run("return document.documentElement.scrollWidth") <= width
    page.open_row(0)
    assert page.one("#detail").rect["width"] == pytest.approx(
        page.run("return document.documentElement.clientWidth"), abs=20
    )
    assert page.run("return document.getElementById('detail').scrollWidth") <= width
    page.one("[aria-label=Close]").click()
    assert not page.one("#detail").is_displayed()


@pytest.mark.parametrize("width", [390, 800])
def test_names_keep_what_tells_them_apart(show: Show, width: int) -> None:
    (sample,) = report().tests
    models = ["a-model-of-one-maker-2026-01-large", "a-model-of-one-maker-2026-01-small", "another-model-of-that-maker"]
    names = [
        f"tests/of/the/same/folder/test_{module}.py::test_candidates_of_models_in_a_long_name[{model}-temperature-0-{task}-json]"
        for module in ("programs_of_the_first_kind", "programs_of_the_second_kind")
        for model in models
        for task in ("sorting-stable", "sorting-unstable")
    ]
    tests = [PageTest(node_id=name, attempts=sample.attempts) for name in names]
    page = show(Report(tests=tests))
    set_size(page.browser, width, 900)
    seen = """[...document.querySelectorAll('#tests .col-id')].map(
        (cell) => [...cell.querySelectorAll('.label')].map((label) => label.firstChild.textContent).join(' '))"""
    page.until(lambda: "\u2026" in page.run(f"return {seen}.join('')"))
    assert len(set(page.run(f"return {seen}.slice(1)"))) == len(names)
    assert page.run(
        "return [...document.querySelectorAll('.label')].every(label => label.scrollWidth <= label.clientWidth + 1)"
    )


def test_a_test_tells_what_a_model_was_asked_what_was_done_and_how_it_was_before(show: Show) -> None:
    parts = [Part("one", 0.0, stderr="warned"), Part("two", 0.0, stderr="warned")]
    sample = report(
        parts=parts,
        prompt="Write it.\nIn Python.",
        asked=[("model", "a-model"), ("cost", "$0.10")],
        steps=[SandboxStep("command", "ls -l\npwd", "a   b\nc   d"), SandboxStep("cell", "x = 1")],
    )
    (test,) = sample.tests
    test.history = [0.25, None]
    page = show(Report(tests=[test], history=[("2026-01-02", 0.5), ("2026-01-03", None)], mean=0.75))
    assert page.one("#charts .trend").get_attribute("aria-label") == "2026-01-02: 0.50, this run: 0.75"
    page.open_row()
    assert page.one("#detail .trend").get_attribute("aria-label") == (
        "2026-01-02: 0.25, 2026-01-03: \u2013, this run: 0.50"
    )
    assert "no threshold" in page.text("#detail .facts")
    detail = page.text("#detail")
    assert detail.count("warned") == 1
    assert "the same stderr as \u201cone\u201d" in detail
    assert "modela-modelcost$0.10promptWrite it.\nIn Python." in detail
    assert page.texts(".steps summary") == ["command ls -l", "cell x = 1"]
    assert page.texts(".steps pre") == ["ls -l\npwd", "a   b\nc   d", "x = 1"]
    # Text with columns is not wrapped.
    assert page.texts(".steps pre.columns") == ["a   b\nc   d"]


def test_on_paper_all_rows_stand(show: Show) -> None:
    page = show(ordinary(300))
    page.run(
        "addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('#tests .name').length })"
    )
    page.browser.execute_cdp_cmd("Page.printToPDF", {})
    assert page.run("return window.printed") == 300
    assert len(page.rows) < 100


def test_without_scripts_the_page_says_so(show: Show) -> None:
    page = show(ordinary())
    page.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.open()
        assert "scripts are off" in page.one("noscript").text
    finally:
        page.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_numbers_read_as_in_the_other_reports(show: Show) -> None:
    values = [0.0, 1.0, 0.999, 0.9951, 0.001, 0.0049, 0.5, 0.254, 0.256, 1 / 3, 2 / 3]
    seconds = [0.0004, 0.0123, 0.9994, 0.9996, 1.26, 59.9, 59.96, 60, 125.4, 4000, 0.5]
    tests = [
        PageTest(node_id=f"{place:02}", attempts=[PageAttempt(verdict="partial", value=value, seconds=spent)])
        for place, (value, spent) in enumerate(zip(values, seconds, strict=True))
    ]
    page = show(Report(tests=tests))
    page.one("th.col-id button").click()
    assert page.texts("td.col-value") == [formatting.shown(value) for value in values]
    assert page.texts("td.col-seconds") == [formatting.duration(spent) for spent in seconds]


def test_everything_that_can_be_used_has_a_name(show: Show) -> None:
    page = show(ordinary())
    page.open_row(1)
    page.browser.execute_cdp_cmd("Accessibility.enable", {})
    nodes = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    page.browser.execute_cdp_cmd("Accessibility.disable", {})
    used = [
        node
        for node in nodes
        if node.get("role", {}).get("value") in ("button", "combobox", "searchbox", "grid", "image")
    ]
    assert len(used) > 20
    assert [node for node in used if not node.get("name", {}).get("value")] == []


def test_gates_that_failed_are_told_from_those_that_passed_without_colour(show: Show) -> None:
    page = show(Report(tests=[], gates=[PageGate("Run", "failed", "mean 0.2 < 0.5")]))
    mark = "return getComputedStyle(document.querySelector('.gate strong'), '::before').content"
    assert "\u2717" in page.run(mark)
    assert page.text(".gate strong") == "Run failed"

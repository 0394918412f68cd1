"""The sources of a test's reward: its records, its marker, its failures, its subtests and its reruns."""

import pytest

from pytest_rewardkit.ledger.record import Record
from pytest_rewardkit.run.transport.user_property import PROPERTY
from pytest_rewardkit.run.worker.recorder_of import recorder_of


class Collector:
    """Collects the records from reports as they reach the controlling process, and the numbers that plugins see."""

    def __init__(self):
        self.records = {}
        self.numbers = {}

    def pytest_sessionstart(self, session):
        # Only the outermost wrapper runs around the plugin's own hook, which runs around all others.
        session.config.pluginmanager.register(self.Arrivals(self))

    class Arrivals:
        def __init__(self, collector):
            self.records = collector.records
            self.numbers = collector.numbers

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_logreport(self, report):
            name = report.nodeid.rpartition("::")[2]
            arrived = [value for key, value in report.user_properties if key == PROPERTY]
            result = yield
            if report.when == "teardown" and arrived:
                self.records.setdefault(name, []).extend(map(Record.from_wire, arrived))
                numbers = [value for key, value in report.user_properties if key == "reward"]
                if numbers:
                    self.numbers.setdefault(name, []).extend(numbers)
                assert not any(key == PROPERTY for key, _ in report.user_properties)
            return result


@pytest.fixture
def records(pytester, plugin_args):
    """Run a suite, and return each test's last record; each attempt must send exactly one."""

    def records_of(suite, *args):
        pytester.makepyfile(test_suite=suite)
        collector = Collector()
        pytester.inline_run("--rewardkit", *plugin_args, *args, plugins=[collector])
        return {name: attempts[-1] for name, attempts in collector.records.items()}, collector

    return records_of


def test_of_each_kind_of_test(records):
    last, collector = records(
        """
        import pytest
        from pytest_rewardkit import Reward, UnscoredError

        def test_recorded_twice(reward):
            reward.record(1.0, weight=3)
            reward.record(0.0, name="speed")

        def test_recorded_before_failing(reward):
            reward.record(0.5)
            assert False

        @pytest.mark.reward
        def test_marked_and_passed():
            pass

        @pytest.mark.reward
        def test_marked_and_failed():
            assert 1 == 2, "one is not two"

        @pytest.mark.reward
        def test_marked_and_failed_by_call():
            pytest.fail("no good")

        @pytest.mark.reward
        def test_marked_and_broken():
            raise OSError("no route to host")

        def test_recorded_and_broken(reward):
            reward.record(1.0)
            raise OSError("no route to host")

        def test_infrastructure(reward):
            reward.record(1.0)
            raise UnscoredError("the server went away")

        @pytest.mark.reward
        def test_skipped(reward):
            reward.record(0.5)
            pytest.skip()

        @pytest.mark.skip
        @pytest.mark.reward
        def test_skipped_by_marker():
            pass

        @pytest.mark.xfail
        @pytest.mark.reward(threshold=0.5)
        def test_expected_to_fail(reward):
            reward.record(0.25)

        @pytest.fixture
        def broken():
            assert False, "setting up"

        @pytest.mark.reward
        def test_setup_broken(broken):
            pass

        @pytest.fixture
        def breaks_after():
            yield
            assert False

        @pytest.mark.reward
        def test_teardown_broken(breaks_after):
            pass

        def test_plain():
            assert False
        """
    )
    found = {name: (record.reward.value, record.reward.reason) for name, record in last.items()}
    assert found == {
        "test_recorded_twice": (0.75, ""),
        "test_recorded_before_failing": (0.5, ""),
        "test_marked_and_passed": (1.0, ""),
        "test_marked_and_failed": (0.0, "one is not two assert 1 == 2"),
        "test_marked_and_failed_by_call": (0.0, "no good"),
        "test_marked_and_broken": (None, "the test raised OSError: no route to host"),
        "test_recorded_and_broken": (None, "the test raised OSError: no route to host"),
        "test_infrastructure": (None, "the server went away"),
        "test_expected_to_fail": (0.25, ""),
        "test_setup_broken": (None, "the test raised AssertionError: setting up assert False"),
        "test_teardown_broken": (1.0, ""),
    }
    assert {name: [found[name][0]] for name in collector.numbers} == collector.numbers
    assert all(type(number) is float for numbers in collector.numbers.values() for number in numbers)


def test_markers_travel_with_the_record(records):
    last, _ = records(
        """
        import pytest
        pytestmark = pytest.mark.reward(group="sorting", threshold=0.9)

        @pytest.mark.reward(threshold=0.0, weight=2, must_pass=True)
        class TestClass:
            def test_in_class(self, reward):
                reward.record(0.5)

        def test_in_module(reward):
            reward.record(0.95)
        """
    )
    facts = {name: (r.threshold, r.weight, r.group, r.must_pass) for name, r in last.items()}
    assert facts == {
        "test_in_class": (0.0, 2, "sorting", True),
        "test_in_module": (0.9, 1.0, "sorting", False),
    }


def test_threshold_decides_over_all_that_was_recorded(run, pytester):
    pytester.makepyfile(
        """
        import pytest
        from pytest_rewardkit import Part, Reward
        pytestmark = pytest.mark.reward(threshold=0.5)

        def test_at(reward):
            reward.record(0.0)
            reward.record(1.0)

        def test_under(reward):
            reward.record(Reward.from_parts([Part("adds", 1.0), Part("sorts", 0.0), Part("ends", 0.0)]))

        def test_unscored(reward):
            reward.record(Reward.unscored("the server went away"))

        @pytest.mark.xfail(strict=True)
        def test_expected(reward):
            reward.record(0.0)
        """
    )
    result = run()
    result.assert_outcomes(passed=1, failed=2, xfailed=1)
    result.stdout.fnmatch_lines(
        ["reward 0.33 < threshold 0.5 (partial)", "  1.00  passed         adds", "  0.00  wrong_output   sorts"]
    )
    result.stdout.fnmatch_lines(["*UnscoredError: the server went away"])


def test_threshold_works_without_the_option(plain, pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.reward(threshold=0.5)
        def test_under(reward):
            reward.record(0.25)
        """
    )
    result = plain()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["reward 0.25 < threshold 0.5 (partial)"])


def test_bad_number_fails_its_test_alone(run, pytester):
    pytester.makepyfile(
        """
        def test_bad(reward):
            reward.record(float("nan"))

        def test_good(reward):
            reward.record(1.0)
        """
    )
    result = run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*UsageError: reward.record: a reward is a number in [[]0, 1], not nan"])
    result.stdout.fnmatch_lines(["mean 1.00 over 1 scored test, 0.50 with 1 unscored as 0"])


def test_rerun_counts_once_and_its_last_attempt_counts(records, pytester):
    suite = """
        import pathlib

        def test_flaky(reward, request):
            counter = pathlib.Path(request.config.rootpath, "attempts")
            attempt = len(counter.read_text()) if counter.exists() else 0
            counter.write_text("x" * (attempt + 1))
            reward.record(attempt / 2, name=f"attempt {attempt}")
            assert attempt == 2

        def test_hopeless(reward):
            reward.record(0.0)
            assert False
    """
    last, collector = records(suite, "--reruns=3")
    assert len(collector.records["test_flaky"]) == 3
    assert [part.name for part in last["test_flaky"].reward.parts] == ["attempt 2"]
    assert collector.numbers == {"test_flaky": [0.0, 0.5, 1.0], "test_hopeless": [0.0] * 4}


def test_reruns_are_said_in_the_summary(run, pytester):
    pytester.makepyfile("def test_hopeless(reward):\n    reward.record(0.25)\n    assert False")
    result = run("--reruns=2")
    result.stdout.fnmatch_lines(["mean 0.25 over 1 scored test", "1 partial (2 reruns)"])


def test_subtests_do_not_count_twice(run, pytester):
    pytester.makepyfile(
        """
        import pytest

        def test_recorded(subtests, reward):
            reward.record(0.5)
            for number in range(3):
                with subtests.test(number=number):
                    assert number != 1

        @pytest.mark.reward
        def test_marked(subtests):
            with subtests.test("wrong"):
                assert 1 == 2
            with subtests.test("skipped"):
                pytest.skip()

        @pytest.mark.reward
        def test_marked_and_right(subtests):
            with subtests.test("right"):
                pass
        """
    )
    result = run()
    result.stdout.fnmatch_lines(["0.00 * wrong_output   *::test_marked", "0.50 * partial        *::test_recorded"])
    result.stdout.fnmatch_lines(["mean 0.50 over 3 scored tests"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*4 failed, 1 passed*"])


def test_unittest_classes_are_tests_too(run, pytester):
    pytester.makepyfile(
        """
        import pytest, unittest

        @pytest.mark.reward
        class TestCase(unittest.TestCase):
            def test_right(self):
                pass

            def test_wrong(self):
                self.assertEqual(1, 2)
        """
    )
    run().stdout.fnmatch_lines(["mean 0.50 over 2 scored tests"])


def test_pytest_inside_pytest_keeps_recorders_apart(run, pytester):
    pytester.makeconftest("pytest_plugins = ['pytester']")
    pytester.makepyfile(
        """
        def test_outer(pytester, reward):
            pytester.makepyfile("def test_inner(reward): reward.record(0.0)")
            pytester.inline_run()
            from pytest_rewardkit.run.worker.recorder import current_recorder
            assert current_recorder() is reward
            reward.record(1.0)
        """
    )
    run().stdout.fnmatch_lines(["mean 1.00 over 1 scored test"])


def test_items_keep_nothing_of_what_was_recorded(pytester):
    pytester.makepyfile(
        test_suite="""
        def test_it(reward):
            reward.record(0.5)
        """
    )

    class Kept:
        def pytest_sessionfinish(self, session):
            (item,) = session.items
            self.properties = item.user_properties
            with pytest.raises(KeyError):
                recorder_of(item)

    kept = Kept()
    pytester.inline_run("--rewardkit", plugins=[kept]).assertoutcome(passed=1)
    assert kept.properties == []


def test_skipped_unittest_tests_were_not_asked(run, pytester):
    pytester.makepyfile(
        """
        import pytest, unittest

        @pytest.mark.reward
        class TestCase(unittest.TestCase):
            def test_wrong(self):
                self.assertEqual(1, 2)

            def test_skipped_in_the_test(self):
                self.skipTest("not here")

            @unittest.skip("not yet")
            def test_skipped(self):
                pass
        """
    )
    run().stdout.fnmatch_lines(["mean 0.00 over 1 scored test"])


def test_markers_that_fixtures_and_tests_add_count(records):
    found, _ = records(
        """
        import pytest

        @pytest.fixture
        def marked(request):
            request.applymarker(pytest.mark.reward(weight=2))

        @pytest.fixture
        def broken(marked):
            raise OSError("no route")

        def test_by_a_fixture(marked):
            pass

        @pytest.mark.xfail(strict=False)
        def test_in_the_test(request):
            request.applymarker(pytest.mark.reward(group="late"))
            assert False

        def test_of_a_broken_fixture(broken):
            pass

        def test_wrong(request):
            request.applymarker(pytest.mark.reward(treshold=1))
        """
    )
    assert {name: record.reward.value for name, record in found.items()} == {
        "test_by_a_fixture": 1.0,
        "test_in_the_test": 0.0,
        "test_of_a_broken_fixture": None,
        "test_wrong": None,
    }
    assert (found["test_by_a_fixture"].weight, found["test_in_the_test"].group) == (2, "late")


def test_an_asynchronous_test_that_nothing_runs_is_unscored(run, pytester):
    pytester.makepyfile("import pytest\n\n@pytest.mark.reward\nasync def test_it():\n    pass")
    run("-p", "no:asyncio", "-p", "no:anyio").stdout.fnmatch_lines(["*pytest could not run the test: async def*"])

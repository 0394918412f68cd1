"""The hooks that conftest files can implement."""

SUITE = """
    def test_half(reward):
        reward.record(0.5)
"""


def test_record_can_be_changed_where_the_test_ran(run, pytester):
    pytester.makepyfile(SUITE)
    pytester.makeconftest(
        """
        from pytest_rewardkit import Reward

        def pytest_rewardkit_modify_record(item, record):
            assert item.name == "test_half"
            record.reward = Reward(0.25, reason="halved by the house")
        """
    )
    run().stdout.fnmatch_lines(["0.25 * partial        *::test_half", "mean 0.25 over 1 scored test"])


def test_summary_can_be_added_to(run, pytester):
    pytester.makepyfile(SUITE)
    pytester.makeconftest(
        """
        def pytest_rewardkit_summary(ledger, config):
            figures = ledger.figures()
            return [f"the house says {figures.mean}"]
        """
    )
    run().stdout.fnmatch_lines(["the house says 0.5"])


def test_provider_can_be_given(run, pytester):
    pytester.makepyfile("def test_sandbox(sandbox): sandbox.run_code('1')")
    pytester.makeconftest(
        """
        from pytest_rewardkit import SandboxUnavailable

        class Provider:
            name = "house"
            isolation = "walls"

            def describe(self):
                return "sandboxes of the house"

            def environment(self):
                return {}

            def create(self, **options):
                raise SandboxUnavailable("the house is full")

            def close(self):
                pass

        def pytest_rewardkit_provider(config):
            return Provider()
        """
    )
    run().stdout.fnmatch_lines(
        ["rewardkit: sandboxes of the house", "   - * unscored       *::test_sandbox", "      the house is full"]
    )

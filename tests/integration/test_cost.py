"""A session that does not use the plugin does not pay for it."""

import ast
import sys

import pytest

HEAVY = {"e2b", "e2b_code_interpreter", "httpx", "asyncio", "aiohttp", "IPython"}
if sys.version_info >= (3, 14):
    HEAVY -= {"asyncio"}  # pdb, which pytest loads, imports it in this version

REPORT_MODULES = """
import sys

def pytest_unconfigure(config):
    worker = getattr(config, "workerinput", {}).get("workerid", "main")
    config.rootpath.joinpath(f"modules-{worker}").write_text(repr(sorted(sys.modules)))
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "xdist"])
def test_unrelated_session_loads_nothing_heavy(pytester, monkeypatch, workers):
    # Other plugins installed here load some of these modules themselves.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(REPORT_MODULES)
    pytester.makepyfile("import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_plain(n): pass")
    result = pytester.runpytest_subprocess("-p", "pytest_rewardkit.plugin", "-p", "xdist", *workers)
    result.assert_outcomes(passed=4)
    files = sorted(pytester.path.glob("modules-*"))
    assert len(files) == (3 if workers else 1)
    for file in files:
        loaded = ast.literal_eval(file.read_text())
        assert "pytest_rewardkit.plugin" in loaded
        assert [name for name in loaded if name in HEAVY] == []
        ours = {name for name in loaded if name.startswith("pytest_rewardkit.")}
        assert ours == {
            f"pytest_rewardkit.{name}"
            for name in (
                *(
                    "plugin",
                    "plain_imports",
                    "settings",
                    "hooks",
                    "fixtures",
                    "turn",
                    "ledger",
                    "ledger.modes",
                    "datasets",
                    "datasets.plugin",
                    "candidates",
                    "candidates.fixtures",
                ),
                *("run", "run.worker", "run.worker.recorder", "run.worker.recorder_of", "run.worker.plugin"),
                *(
                    "run.worker.mistakes",
                    "run.worker.row_attempt",
                    "run.worker.server_watch",
                    "run.transport",
                    "run.transport.node_ids",
                ),
                *("run.transport.user_property", "pytest_internals", "option", "options", "option_values"),
            )
        }


def test_reporting_alone_starts_no_server_and_loads_no_sdk(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(REPORT_MODULES)
    pytester.makepyfile("def test_half(reward): reward.record(0.5)")
    result = pytester.runpytest_subprocess("-p", "pytest_rewardkit.plugin", "--rewardkit")
    result.stdout.fnmatch_lines(["rewardkit: local sandboxes*", "mean 0.50 over 1 scored test"])
    loaded = ast.literal_eval((pytester.path / "modules-main").read_text())
    assert [name for name in loaded if name in HEAVY] == []

"""The sandboxes of this process of a run: the provider, the shared local server, the SDK's variables."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
from collections import deque
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from pytest_rewardkit.errors import UnscoredError
from pytest_rewardkit.run.bounds import bounds_of
from pytest_rewardkit.run.listing import only_lists
from pytest_rewardkit.run.quota import quota_of
from pytest_rewardkit.run.termination import end_in_order
from pytest_rewardkit.run.worker.server_watch import WATCH
from pytest_rewardkit.sandboxes.absent import ABSENT, AbsentProvider
from pytest_rewardkit.sandboxes.choice import choose, resolve
from pytest_rewardkit.sandboxes.e2b import E2BProvider, kill
from pytest_rewardkit.sandboxes.failures import is_of_infrastructure
from pytest_rewardkit.sandboxes.quota.folder import folder_of_key
from pytest_rewardkit.sandboxes.servers import no_server_here, open_server
from pytest_rewardkit.sandboxes.usage.places import end_run, lock_of
from pytest_rewardkit.settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_rewardkit.local.container.server import ContainerServer
    from pytest_rewardkit.local.handle import LocalServer
    from pytest_rewardkit.run.worker.recorder import Recorder
    from pytest_rewardkit.sandboxes.factory import Factory
    from pytest_rewardkit.sandboxes.provider import Provider
    from pytest_rewardkit.sandboxes.quota.budget import Budget
    from pytest_rewardkit.sandboxes.quota.lock import Lock
    from pytest_rewardkit.sandboxes.usage.meter import UsageMeter

PLUGIN_NAME: Final = "rewardkit-provision"
_WORKERINPUT: Final = "rewardkit"
_KNOCK_SECONDS: Final = 1.0


class _SharedServer:
    """The local server of the process that started this worker."""

    def __init__(self, *, environment: Mapping[str, str], log_path: str, isolation: str, place: str) -> None:
        self._environment = environment
        self._log_path = log_path
        self.isolation = isolation
        self.place = place

    def environment(self) -> Mapping[str, str]:
        return self._environment

    def log_path(self) -> str:
        return self._log_path


class Provision:
    """Makes the provider on first use, and ends at the session's end everything that it started."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._settings = RunSettings.of(config)
        workerinput: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._is_worker = bool(workerinput)
        self._shared: Mapping[str, Any] = workerinput.get(_WORKERINPUT, {})
        self._run_id: str = self._shared.get("run_id") or workerinput.get("testrunuid") or secrets.token_hex(8)
        self._limits: dict[str, Any] = self._shared.get("limits") or self._settings.limits()
        self._provider: Provider | None = None
        self._server: LocalServer | ContainerServer | None = None
        self._budget: Budget | None = None
        self._local = threading.local()
        self._meter: UsageMeter | None = None
        self._going_on: Lock | None = None
        self._replaced: dict[str, str | None] = {}
        self._deaths: deque[str] = deque()
        self._log_size = 0

    @classmethod
    def of(cls, config: pytest.Config) -> Provision:
        """Return this process's provision, made on first use."""
        provision = config.pluginmanager.get_plugin(PLUGIN_NAME)
        if provision is None:
            provision = config.stash[WATCH] = cls(config)
            config.pluginmanager.register(provision, PLUGIN_NAME)
            config.add_cleanup(provision.close)
        return provision

    @property
    def provider(self) -> Provider:
        """The source of sandboxes; the code under test that creates sandboxes itself also uses it.

        Raises RewardkitUsageError when the requested provider cannot work here.
        """
        if self._provider is None:
            self._provider = self._config.hook.pytest_rewardkit_provider(config=self._config)
            assert self._provider is not None
            self._lead_sdk_to(self._provider)
            self.note_beginning()
            if self._provider.name == "e2b" and not self._is_worker:
                self._going_on = lock_of(os.environ, self._run_id)
                self._config.add_cleanup(end_in_order())
        return self._provider

    def budget(self, directory: Callable[[], Path]) -> Budget | None:
        """Return the bound on sandboxes alive at once and created per second; None without a bound.

        Parameters:
            directory: makes a directory that the run's processes share, used if the sandboxes belong to this run alone.
        """
        slots, rate = quota_of(self._settings)
        if self._budget is None and (slots or rate):
            from pytest_rewardkit.sandboxes.quota.budget import Budget

            # A local server's key belongs to one run. A user's own key may serve several runs.
            folder = folder_of_key(os.environ) if self.provider.name == "e2b" else directory()
            option = "--rewardkit-max-sandboxes" if self._settings.max_sandboxes else "--rewardkit-quota"
            self._budget = Budget(folder, slots, rate, option=option)
            if rate is not None and isinstance(self.provider, E2BProvider):
                self.provider.pace = self._budget.pace
        return self._budget

    def _budget_of_thread(self, directory: Callable[[], Path]) -> Budget | None:
        """Return the budget of the tests, or in another thread one that works for them: a budget is for one thread."""
        budget = self.budget(directory)
        if budget is None or threading.current_thread() is threading.main_thread():
            return budget
        own: Budget | None = getattr(self._local, "budget", None)
        if own is None:
            own = self._local.budget = budget.for_thread()
        return own

    @property
    def run_id(self) -> str:
        """The key of the run, which identifies its sandboxes."""
        return self._run_id

    @property
    def meter(self) -> UsageMeter | None:
        """Notes this process's sandboxes; None if they cost nothing and end with the run's own server.

        Raises RewardkitUsageError for a bound that cannot be enforced.
        """
        if self._meter is None:
            bounds = bounds_of(self._settings, os.environ, self.provider.name)
            if self.provider.name == "e2b" or bounds:
                from pytest_rewardkit.sandboxes.usage.journal import Journal
                from pytest_rewardkit.sandboxes.usage.meter import UsageMeter
                from pytest_rewardkit.sandboxes.usage.places import path_of

                self._meter = UsageMeter(Journal(path_of(os.environ, self._run_id)), bounds)
                if isinstance(self.provider, E2BProvider):
                    self.provider.on_retry = self._meter.journal.asked_again
                    self.provider.on_kill = self._meter.journal.gone
        return self._meter

    def lent_factory(self) -> Factory | None:
        """Makes sandboxes for reward functions that create their own; None if those need not count."""
        from pytest_rewardkit.sandboxes.factory import Factory

        if self.provider.name != "e2b":
            return None
        budget = self._budget_of_thread(lambda: folder_of_key(os.environ))
        return Factory(self.provider, {}, budget=budget, meter=self.meter, note=lambda *_: None)

    def end_sandboxes(self) -> None:
        """End the run's remaining sandboxes; harmless when repeated. Raises what the SDK raises."""
        if self._provider is None or self._is_worker:
            return
        self._provider.close()
        if self._provider.name == "e2b" and self._meter is not None:
            for sandbox_id in self._meter.journal.usage().left():
                # Not every cluster finds sandboxes by their metadata.
                kill(sandbox_id)
                self._meter.journal.gone(sandbox_id)

    @pytest.hookimpl(trylast=True)
    def pytest_rewardkit_provider(self) -> Provider:
        settings = self._settings
        name = self._shared.get("provider") or choose(
            settings.provider,
            os.environ,
            isolation=settings.isolation,
            options=settings.container(),
            # A listing starts nothing, not even to find out.
            works=(lambda: True) if only_lists(self._config) else self._local_works,
        )
        if name == ABSENT:
            return AbsentProvider(no_server_here())
        if name != "e2b" and only_lists(self._config):
            return AbsentProvider("nothing is run")
        return resolve(
            name,
            environ=os.environ,
            server=None if name == "e2b" else self._own_server(name),
            run_id=self._run_id,
            isolation=self._settings.isolation,
            say=self._say,
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        shared: dict[str, Any] = {"run_id": self._run_id, "provider": self.provider.name, "limits": self._limits}
        # Workers on other machines cannot reach a server on this machine's loopback; they start their own.
        if self._server is not None and node.gateway.spec.popen and not node.gateway.spec.via:
            shared["server"] = {
                "environment": dict(self._server.environment()),
                "log_path": self._server.log_path(),
                "isolation": getattr(self._server, "isolation", ""),
                "place": getattr(self._server, "place", ""),
            }
        node.workerinput[_WORKERINPUT] = shared

    def note_beginning(self) -> None:
        """See `ServerWatch`."""
        size = getattr(self._provider, "log_size", None)
        # A server that has not started yet has no log.
        if size is not None and getattr(self._server, "started", True):
            self._log_size = size()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self) -> None:
        if self._budget is not None:
            self._budget.yield_to_others()

    def add_cause(self, error: BaseException | None, recorder: Recorder) -> None:
        """See `ServerWatch`."""
        if (news := getattr(self._provider, "news", None)) is None:
            return
        reward = recorder.reward
        cause = reward.reason if reward is not None and reward.value is None else ""
        if error is not None and (isinstance(error, UnscoredError) or is_of_infrastructure(error)):
            cause = cause or f"{type(error).__name__}: {error}"
        if not cause or not (became := news(self._log_size)) or became in cause:
            return
        if error is not None:
            error.add_note(became)
        if reward is not None or recorder.marker is not None:
            from pytest_rewardkit.text import one_line

            recorder.note_unscored(one_line(f"{became} ({cause})", 500))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self) -> None:
        self._tell_of_deaths()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._tell_of_deaths()

    def expect_sandboxes(self) -> None:
        """Have the run's server started, as its first request would, because tests are about to need sandboxes."""
        if self.provider.name != "local":
            return
        address = urlsplit(self.provider.environment()["E2B_API_URL"])
        # The server's owner notices the connection. If it fails, the test that needs the server reports that.
        with suppress(OSError), socket.create_connection((address.hostname, address.port), _KNOCK_SECONDS):
            pass

    def close(self) -> None:
        """Restore the environment, and end the run's sandboxes if the run ends in this process."""
        for variable, value in self._replaced.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value
        self._replaced.clear()
        ended = False
        try:
            self.end_sandboxes()
            ended = True
        except Exception as error:
            # The session is over: neither a test nor a report can carry this any more.
            sys.stderr.write(f"rewardkit: sandboxes may be left over: {type(error).__name__}: {error}\n")
        if self._meter is not None:
            self._meter.journal.close(remove=ended and not self._is_worker)
        if self._going_on is not None:
            end_run(os.environ, self._run_id, self._going_on)
            self._going_on = None
        if self._server is not None:
            self._server.stop()

    def _tell_of_deaths(self) -> None:
        while self._deaths:
            from pytest_rewardkit.text import printable

            text = f"rewardkit: {self._deaths.popleft()}"
            terminal = self._config.pluginmanager.get_plugin("terminalreporter")
            if terminal is None:
                sys.stderr.write(f"{text}\n")
            else:
                writer = self._config.get_terminal_writer()
                if writer.width_of_current_line:
                    writer.line()
                terminal.write_line(printable(text, keep="\n"), yellow=True)

    def _own_server(self, name: str) -> _SharedServer | LocalServer | ContainerServer | None:
        if shared := self._shared.get("server"):
            return _SharedServer(**shared)
        if self._server is None:
            from pytest_rewardkit.local.handle import LocalServer
            from pytest_rewardkit.local.settings import ServerSettings
            from pytest_rewardkit.local.templates.named_template import to_text
            from pytest_rewardkit.pyproject import templates_in

            templates = to_text(templates_in(self._config.rootpath / "pyproject.toml"))
            settings = ServerSettings(isolation=self._settings.isolation, templates=templates, **self._limits)
            self._server = open_server(
                name, settings, self._settings.container(), say=self._say, on_death=self._deaths.append
            )
            # Boot now, because other work before the first test takes time too.
            if isinstance(self._server, LocalServer):
                self._server.boot()
        return self._server

    def _local_works(self) -> bool:
        from pytest_rewardkit.local.errors import NoSuchLevelError
        from pytest_rewardkit.local.handle import LocalServer

        server = self._own_server("local")
        assert isinstance(server, LocalServer)
        try:
            server.find_isolation()
        except NoSuchLevelError:
            server.stop()
            self._server = None
            return False
        return True

    def _say(self, text: str) -> None:
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            print(f"rewardkit: {text}", file=sys.stderr, flush=True)

    def _lead_sdk_to(self, provider: Provider) -> None:
        for variable, value in provider.environment().items():
            self._replaced[variable] = os.environ.get(variable)
            os.environ[variable] = value

"""Each step in a sandbox is recorded, whatever its result, and within bounds."""

import asyncio
from types import SimpleNamespace

import pytest

from pytest_rewardkit.ledger.ledger import Ledger
from pytest_rewardkit.ledger.model_use import ModelUse, shown_prompt
from pytest_rewardkit.ledger.record import WIRE_LIMIT, Record
from pytest_rewardkit.ledger.step import STEPS, SandboxStep, kept, told
from pytest_rewardkit.ledger.test import TestResult
from pytest_rewardkit.reports.artifacts import contents
from pytest_rewardkit.reports.html.from_ledger import report_of
from pytest_rewardkit.reward import Reward
from pytest_rewardkit.sandboxes.tracing import traced


class Commands:
    def run(self, command, timeout=None):
        if command == "false":
            raise RuntimeError("exit 1")
        return SimpleNamespace(stdout="out\n", stderr="")


class Files:
    def write(self, path, data):
        return SimpleNamespace(path=path)


class FakeSandbox:
    def __init__(self):
        self.commands, self.files = Commands(), Files()

    def run_code(self, code):
        logs = SimpleNamespace(stdout=["1\n"], stderr=[])
        return SimpleNamespace(logs=logs, text="2", error=SimpleNamespace(name="E", value="no"))


class AsyncFakeSandbox(FakeSandbox):
    async def run_code(self, code):
        return super().run_code(code)


def test_steps_are_noted_for_as_long_as_it_is_asked():
    sandbox, steps = FakeSandbox(), []
    with traced(sandbox, lambda *step: steps.append(SandboxStep(*step))):
        assert sandbox.run_code("print(1); 2").text == "2"
        sandbox.commands.run("ls", timeout=1)
        with pytest.raises(RuntimeError):
            sandbox.commands.run(command="false")
        sandbox.files.write("a.txt", data="x")
        sandbox.files.write("b.bin", b"\0")
    sandbox.commands.run("not noted")
    assert vars(sandbox.commands) == {}
    assert steps == [
        SandboxStep("cell", "print(1); 2", "1\n2\nE: no"),
        SandboxStep("command", "ls", "out"),
        SandboxStep("command", "false", "RuntimeError: exit 1"),
        SandboxStep("file", "a.txt\nx"),
        SandboxStep("file", "b.bin\n(bytes)"),
    ]
    assert told(steps[1:2]) == "[1] command\nls\n--- gave\nout"


def test_what_is_awaited_is_noted_when_it_is_there():
    sandbox, steps = AsyncFakeSandbox(), []

    async def work():
        with traced(sandbox, lambda *step: steps.append(step)):
            await sandbox.run_code(code="2")

    asyncio.run(work())
    assert steps == [("cell", "2", "1\n2\nE: no")]


@pytest.mark.parametrize("text", ["x" * 100_000, "\ud800\U0001f600" * 50_000, "short"])
def test_a_record_has_room_for_them(text):
    steps = kept([SandboxStep("command", text, text)] * (STEPS + 10))
    assert len(steps) == STEPS + 1
    record = Record(Reward(0.5), steps=steps, asked=ModelUse(prompt=shown_prompt(text)))
    assert len(record.to_wire()) <= WIRE_LIMIT
    assert Record.from_wire(record.to_wire()).steps == steps


def test_steps_stand_in_artifacts_and_on_the_page():
    steps = (SandboxStep("command", "ls", "out"),)
    assert contents("test_a", Reward(0.5), steps=steps)["steps.txt"] == told(steps).encode()
    ledger = Ledger()
    ledger.add("test_a", TestResult("passed", record=Record(Reward(1.0), steps=steps)))
    assert report_of(ledger).tests[0].attempts[0].steps == steps

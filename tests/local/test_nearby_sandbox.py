"""Sandboxes of a server on this machine are created and killed without the SDK, and become the SDK's on request."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from e2b import SandboxException
from e2b_code_interpreter import Sandbox

from pytest_rewardkit.sandboxes import nearby_sandbox
from pytest_rewardkit.sandboxes.lazy import catch_up, end, is_lazy, is_unused, lazily, put_off, renewed
from pytest_rewardkit.sandboxes.lazy import nearby_sandbox as known

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_rewardkit.sandboxes.nearby_sandbox import NearbySandbox


def made(address: dict[str, Any], **options: Any) -> NearbySandbox:
    found = nearby_sandbox.create(options, address, "", limits="", within=30)
    assert found is not None
    return found


def test_it_is_what_the_sdk_makes(address: dict[str, Any]) -> None:
    options = {"timeout": 100, "metadata": {"a": "ä"}, "envs": {"B": "1"}, "allow_internet_access": None}
    ours, sdks = made(address, **options), Sandbox.create(**options, **address)
    opened = ours.opened()
    try:
        assert opened.run_code("import os; os.environ['B']").text == "1"
        assert opened.files.list("/home/user") == sdks.files.list("/home/user")
        infos = [sandbox.get_info() for sandbox in (opened, sdks)]
        for name in ("template_id", "metadata", "envd_version", "cpu_count"):
            assert len({repr(getattr(info, name)) for info in infos}) == 1
        assert abs(infos[0].end_at - infos[1].end_at).total_seconds() < 60
        settings = [dict(vars(sandbox.connection_config)) for sandbox in (opened, sdks)]
        headers = [each.pop("_ConnectionConfig__extra_sandbox_headers") for each in settings]
        assert settings[0] == settings[1]
        assert headers[0].keys() == headers[1].keys()
    finally:
        ours.kill()
        sdks.kill()
    assert not opened.is_running()
    ours.kill()  # a second kill changes nothing


def test_the_same_key_gets_the_same(address: dict[str, Any]) -> None:
    first, second = (nearby_sandbox.create({}, address, "one-key", limits="", within=30) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.sandbox_id == second.sandbox_id
    assert Sandbox.create(idempotency_key="one-key", **address).sandbox_id == first.sandbox_id
    first.kill()


@pytest.mark.parametrize(
    ("options", "replaced"),
    [
        ({"secure": True}, {}),
        ({"timeout": "long"}, {}),
        ({"metadata": {"a": b"b"}}, {}),
        ({}, {"api_url": "http://127.0.0.1:9"}),
        ({}, {"api_key": "e2b_" + "0" * 40}),
    ],
)
def test_what_it_cannot_is_left_to_the_sdk(
    address: dict[str, Any], options: dict[str, Any], replaced: dict[str, str]
) -> None:
    assert nearby_sandbox.create(options, {**address, **replaced}, "", limits="", within=30) is None


def test_who_has_taken_a_methods_place_is_asked(address: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "run_code", lambda *_, **__: None)
    assert nearby_sandbox.create({}, address, "", limits="", within=30) is None


def test_it_becomes_the_sdks_object(address: dict[str, Any]) -> None:
    ended: list[str] = []
    sandbox = lazily(lambda: made(address), lambda found: (ended.append(found.sandbox_id), found.kill()))
    assert isinstance(sandbox, Sandbox)
    assert is_unused(sandbox)
    facts = known(sandbox)
    assert facts is not None
    assert is_lazy(sandbox)
    assert not is_unused(sandbox)
    done: list[str] = []
    assert put_off(sandbox, lambda: done.append("before it is used"))
    assert not done
    assert sandbox.sandbox_id == facts.sandbox_id
    assert done == ["before it is used"]
    assert type(sandbox) is Sandbox
    assert not put_off(sandbox, lambda: None)
    assert known(sandbox) is None
    assert sandbox.run_code("1 + 1").text == "2"
    assert renewed(sandbox)
    assert is_unused(sandbox)
    assert ended == [facts.sandbox_id]
    again = known(sandbox)
    assert again is not None
    assert put_off(sandbox, lambda: done.append("by whoever comes next"))
    catch_up(sandbox)
    catch_up(sandbox)
    assert done[1:] == ["by whoever comes next"]
    end(sandbox)
    assert ended == [facts.sandbox_id, again.sandbox_id]
    with pytest.raises(SandboxException):
        sandbox.get_info()


def test_rows_do_not_load_the_sdk(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(
        "import sys\n"
        "from pytest_rewardkit import evaluate_dataset\n"
        "row = {'id': 'a', 'prompt': 'def f(n):\\n', 'entry_point': 'f', 'canonical_solution': '', 'task_id': 'a',\n"
        "       'test': 'def check(f):\\n    assert f(1) == 2\\n'}\n"
        "samples = [{'id': 'a', 'completion': '    return 2 * n\\n'}]\n"
        "done = evaluate_dataset(None, [row], id='id', format='humaneval', samples=samples, progress=False)\n"
        "print(done[0].reward.value, sorted({'e2b', 'httpx'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "rows.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "1.0 []\n", done.stderr

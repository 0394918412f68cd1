"""Traffic from one sandbox takes only its share of the server's time; others get their turn in between."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from e2b_code_interpreter import Sandbox

from pytest_rewardkit.local.wire.async_channel import AsyncChannel
from pytest_rewardkit.local.wire.frames import encode
from pytest_rewardkit.local.wire.pipes import PipeReader
from pytest_rewardkit.local.wire.share import FRACTION, SAVED_SECONDS, Share
from pytest_rewardkit.scorers.output import score_output

if TYPE_CHECKING:
    from pytest_rewardkit.local.wire.frames import Frame

    Address = dict[str, str]


def test_a_share_is_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    share = Share(fraction=0.1, saved=0.5)
    assert share.spend(0.3) == 0.0
    assert share.spend(0.2) == pytest.approx(0.0)
    assert share.spend(0.1) == pytest.approx(1.0)
    now = 2.0
    assert share.spend(0.0) == 0.0
    now = 1000.0
    assert share.spend(0.5) == pytest.approx(0.0)
    assert share.spend(1.0) == pytest.approx(10.0)


def test_tiny_frames_leave_others_their_turn() -> None:
    async def flood() -> tuple[int, int]:
        handled = 0

        def take(_: Frame) -> None:
            nonlocal handled
            handled += 1

        flooded, flooding = socket.socketpair()
        quiet, asking = socket.socketpair()
        frames = encode({"event": "ready"})
        flooding.setblocking(False)
        sent = flooding.send(frames * (60_000 // len(frames))) // len(frames)
        heard = asyncio.get_running_loop().create_future()
        channels = [
            AsyncChannel(flooded, take, lambda _: None, share=Share()),
            AsyncChannel(quiet, heard.set_result, lambda _: None, share=Share()),
        ]
        asking.send(encode({"id": 1}))
        await heard
        before = handled
        while handled < sent:
            await asyncio.sleep(0)
        for end in (*channels, flooding, asking):
            end.close()
        return before, sent

    before, sent = asyncio.run(flood())
    assert sent > 1000
    assert before < sent / 2


def test_all_that_was_sent_comes_in_order_whoever_stops_meanwhile() -> None:
    async def exchange() -> list[int]:
        numbers: list[int] = []
        ended = asyncio.get_running_loop().create_future()
        ours, theirs = socket.socketpair()

        def take(frame: Frame) -> None:
            numbers.append(frame.message["n"])
            if frame.message["n"] % 100 == 0:
                channel.pause_reading()
                asyncio.get_running_loop().call_later(0.001, channel.resume_reading)

        channel = AsyncChannel(ours, take, ended.set_result, share=Share(fraction=0.9, saved=0.0))

        def send() -> None:
            with theirs:
                for n in range(5000):
                    theirs.sendall(encode({"n": n}))

        sender = threading.Thread(target=send)
        sender.start()
        assert await ended is None
        sender.join()
        return numbers

    assert asyncio.run(exchange()) == list(range(5000))


@pytest.mark.parametrize("kind", ["frames", "output"])
def test_a_flood_takes_no_more_than_its_share(kind: str) -> None:
    async def flood() -> tuple[float, float]:
        share = Share()
        if kind == "frames":
            ours, theirs = socket.socketpair()
            source: AsyncChannel | PipeReader = AsyncChannel(ours, lambda _: None, lambda _: None, share=share)
            writing, data = theirs.detach(), encode({"event": "ready"}) * 1000
        else:
            reading, writing = os.pipe()
            source, data = PipeReader(reading, lambda _: None, share=share), b"x" * 100

        def send() -> None:
            try:
                while True:
                    os.write(writing, data)
            except OSError:
                os.close(writing)

        sender = threading.Thread(target=send)
        sender.start()
        began, used = time.monotonic(), time.thread_time()
        await asyncio.sleep(2 * SAVED_SECONDS / FRACTION)
        passed, used = time.monotonic() - began, time.thread_time() - used
        source.close()
        await asyncio.to_thread(sender.join)
        return used, passed

    used, passed = asyncio.run(flood())
    # The loop's own iterations take time as well.
    assert used < SAVED_SECONDS + 2 * FRACTION * passed


FLOODS = {
    "frames": """
import gc, json, socket, struct
body = json.dumps({"event": "ready"}).encode()
frame = struct.pack("!IH", len(body), 0) + body
ends = [thing for thing in gc.get_objects() if isinstance(thing, socket.socket) and thing.family == socket.AF_UNIX]
while True:
    for end in ends:
        try:
            end.send(frame * 2000)
        except OSError:
            pass
""",
    "results": "from IPython.display import display, HTML\nwhile True: display(HTML('x'))",
    "output": "import os\nwhile True: os.write(1, b'x')",
    "commands": "import subprocess\nsubprocess.run('yes & yes >&2 & yes | cat & wait', shell=True)",
}

RIGHT = """
import time
total = 0
until = time.process_time() + 0.5
while time.process_time() < until:
    total += 1
print('right')
"""


@pytest.mark.parametrize("kind", FLOODS)
def test_busy_neighbours_make_no_right_candidate_a_timeout(address: Address, kind: str) -> None:
    """Its own work takes a quarter of its limit, but beside eight others more than its limit."""
    neighbours = [Sandbox.create(**address) for _ in range(8)]
    try:
        with ThreadPoolExecutor(len(neighbours)) as pool:
            floods = [pool.submit(_flood, neighbour, FLOODS[kind]) for neighbour in neighbours]
            with Sandbox.create(**address) as sandbox:
                rewards = [
                    score_output(sandbox, RIGHT, "right", time_limit=2.0, transcript=how) for how in (True, False)
                ]
            for neighbour in neighbours:
                neighbour.kill()
            for flood in floods:
                flood.result()
    finally:
        for neighbour in neighbours:
            neighbour.kill()
    assert [reward.value for reward in rewards] == [1.0, 1.0], rewards


def _flood(sandbox: Sandbox, code: str) -> None:
    try:
        sandbox.run_code(code, timeout=120, on_stdout=lambda _: None)
    except Exception:
        return  # it was killed

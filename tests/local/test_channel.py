"""The framing between server and guest, over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import threading
from pathlib import Path

import pytest

from pytest_rewardkit.local.errors import ChannelError
from pytest_rewardkit.local.wire.async_channel import AsyncChannel
from pytest_rewardkit.local.wire.channel import Channel
from pytest_rewardkit.local.wire.frames import MAX_DESCRIPTORS, MAX_FRAME_BYTES, Frame, encode


@pytest.fixture
def pair():
    left, right = (Channel(sock) for sock in socket.socketpair())
    yield left, right
    left.close()
    right.close()


@pytest.fixture
def raw_pair():
    """A bare socket for the side that lies, and a channel for the side that must notice it."""
    bare, sock = socket.socketpair()
    channel = Channel(sock)
    yield bare, channel
    bare.close()
    channel.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def header(length: int, count: int = 0) -> bytes:
    return struct.pack("!IH", length, count)


def test_messages_keep_their_order_and_content(pair):
    left, right = pair
    messages = [{"n": n, "text": "\u2028 \x00 ü"} for n in range(50)]
    for message in messages:
        left.send(message)
    assert [right.receive().message for _ in messages] == messages


def test_the_body_is_ascii():
    body = encode({"text": "ü\u2028\ud800"})[6:]
    assert body.isascii()
    assert json.loads(body) == {"text": "ü\u2028\ud800"}


def test_descriptors_arrive_with_their_own_frame(pair):
    left, right = pair
    first_read, first_write = os.pipe()
    second_read, second_write = os.pipe()
    left.send({"n": 1}, [first_read])
    left.send({"n": 2})
    left.send({"n": 3}, [second_read])
    os.write(first_write, b"first")
    os.write(second_write, b"second")
    frames = [right.receive() for _ in range(3)]
    try:
        assert [len(frame.descriptors) for frame in frames] == [1, 0, 1]
        assert os.read(frames[0].descriptors[0], 10) == b"first"
        assert os.read(frames[2].descriptors[0], 10) == b"second"
    finally:
        for frame in frames:
            frame.close()
        for descriptor in (first_read, first_write, second_read, second_write):
            os.close(descriptor)


def test_received_descriptors_do_not_leak_into_programs(pair):
    left, right = pair
    left.send({}, [0])
    frame = right.receive()
    assert not os.get_inheritable(frame.descriptors[0])
    frame.close()


def test_a_frame_larger_than_the_socket_buffer_with_descriptors(pair):
    left, right = pair
    message = {"text": "x" * (MAX_FRAME_BYTES - 100)}
    sender = threading.Thread(target=left.send, args=(message, [0, 1]))
    sender.start()
    frame = right.receive()
    sender.join()
    assert frame.message == message
    assert len(frame.descriptors) == 2
    frame.close()


def test_neighbouring_frames_may_each_carry_the_most_descriptors(pair):
    left, right = pair
    senders = [0] * MAX_DESCRIPTORS
    thread = threading.Thread(target=lambda: [left.send({"text": "x" * 2**20, "n": n}, senders) for n in range(3)])
    thread.start()
    for n in range(3):
        frame = right.receive()
        assert frame.message["n"] == n
        assert len(set(frame.descriptors)) == MAX_DESCRIPTORS
        frame.close()
    thread.join()


def test_receive_gives_none_when_the_other_side_closed(pair):
    left, right = pair
    left.send({"last": True})
    left.close()
    assert right.receive().message == {"last": True}
    assert right.receive() is None
    assert right.receive_available() is None


def test_receive_available_does_not_wait(pair):
    left, right = pair
    assert right.receive_available() == []
    left.send({"n": 1})
    left.send({"n": 2})
    assert [frame.message["n"] for frame in right.receive_available()] == [1, 2]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(header(MAX_FRAME_BYTES + 1), id="too long"),
        pytest.param(header(2, 1) + b"{}", id="descriptors announced that never came"),
        pytest.param(header(3) + b"[1]", id="no object"),
        pytest.param(header(4) + b"nope", id="no JSON"),
        pytest.param(header(9) + b'{"a":NaN}', id="NaN"),
        pytest.param(header(9) + '{"a":"ü"}'.encode("latin-1"), id="beyond ASCII"),
        pytest.param(header(10**6 + 5) + b'{"a":' + b"[" * 10**6, id="nested too deeply"),
        pytest.param(header(10**4 + 6) + b'{"a":' + b"9" * 10**4 + b"}", id="a number too long to parse"),
    ],
)
def test_a_malformed_frame_is_an_error(raw_pair, data):
    bare, channel = raw_pair
    sender = threading.Thread(target=bare.sendall, args=(data,))
    sender.start()
    with pytest.raises(ChannelError):
        channel.receive()
    sender.join()


def test_descriptors_without_frames_are_refused_and_closed(raw_pair):
    bare, channel = raw_pair
    before = open_descriptors()
    with pytest.raises(ChannelError):
        for _ in range(3):
            socket.send_fds(bare, [b"\0"], [0] * MAX_DESCRIPTORS)
            channel.receive_available()
    channel.close()
    assert open_descriptors() == before - 1


def test_more_descriptors_at_once_than_allowed_are_refused_and_closed(raw_pair):
    bare, channel = raw_pair
    before = open_descriptors()
    socket.send_fds(bare, [encode({}, 1)], [0] * (MAX_DESCRIPTORS + 1))
    with pytest.raises(ChannelError):
        channel.receive()
    channel.close()
    assert open_descriptors() == before - 1


def test_what_cannot_be_sent_is_refused_before_anything_is_sent(pair):
    left, right = pair
    for message, count, error in [
        ({"a": float("nan")}, 0, ValueError),
        ({"a": object()}, 0, TypeError),
        ({"a": "x" * (MAX_FRAME_BYTES + 1)}, 0, ValueError),
        ({}, MAX_DESCRIPTORS + 1, ValueError),
    ]:
        with pytest.raises(error):
            left.send(message, [0] * count)
    left.send({"fine": True})
    assert right.receive().message == {"fine": True}


class Peer:
    """An AsyncChannel that collects what it receives."""

    def __init__(self, sock: socket.socket, **options) -> None:
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.closed: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.channel = AsyncChannel(sock, self.frames.put_nowait, self.closed.set_result, **options)


def test_async_exchange_with_a_blocking_end():
    async def exchange() -> None:
        ours, theirs = socket.socketpair()
        peer, blocking = Peer(ours), Channel(theirs)
        peer.channel.send({"op": "hello"}, [0])
        frame = await asyncio.to_thread(blocking.receive)
        assert frame.message == {"op": "hello"}
        blocking.send({"ok": 1}, frame.descriptors)
        frame.close()
        answer = await peer.frames.get()
        assert answer.message == {"ok": 1}
        assert len(answer.descriptors) == 1
        answer.close()
        blocking.close()
        assert await peer.closed is None
        assert peer.channel.closed
        with pytest.raises(ConnectionError):
            peer.channel.send({})

    asyncio.run(exchange())


def test_async_sending_queues_what_the_socket_does_not_take():
    async def flood() -> None:
        ours, theirs = socket.socketpair()
        peer, blocking = Peer(ours), Channel(theirs)
        read_end, write_end = os.pipe()
        for n in range(20):
            peer.channel.send({"n": n, "text": "x" * 2**18}, [read_end])
        os.close(read_end)
        for n in range(20):
            frame = await asyncio.to_thread(blocking.receive)
            assert frame.message["n"] == n
            assert os.fstat(frame.descriptors[0]).st_ino == os.fstat(write_end).st_ino
            frame.close()
        os.close(write_end)
        peer.channel.close()
        blocking.close()

    before = open_descriptors()
    asyncio.run(flood())
    assert open_descriptors() == before


def test_async_close_drops_the_queue_and_its_descriptors():
    async def flood() -> None:
        ours, theirs = socket.socketpair()
        peer = Peer(ours)
        for _ in range(20):
            peer.channel.send({"text": "x" * 2**18}, [0])
        peer.channel.close()
        theirs.close()
        assert not peer.closed.done()

    before = open_descriptors()
    asyncio.run(flood())
    assert open_descriptors() == before


def test_async_malformed_frame_closes_the_channel_with_its_error():
    async def lie() -> None:
        ours, theirs = socket.socketpair()
        peer = Peer(ours)
        theirs.sendall(encode({"n": 1}) + header(3) + b"[1]")
        assert isinstance(await peer.closed, ChannelError)
        assert (await peer.frames.get()).message == {"n": 1}
        theirs.close()

    asyncio.run(lie())


def test_async_without_descriptors_throws_away_uninvited_ones():
    async def lie() -> None:
        ours, theirs = socket.socketpair()
        peer = Peer(ours, max_descriptors=0)
        before = open_descriptors()
        socket.send_fds(theirs, [encode({"n": 1})], [0, 1, 2])
        assert (await peer.frames.get()).message == {"n": 1}
        assert open_descriptors() == before
        socket.send_fds(theirs, [encode({"n": 2}, 3)], [0, 1, 2])
        assert isinstance(await peer.closed, ChannelError)
        theirs.close()

    asyncio.run(lie())


def test_async_handler_may_refuse_a_message():
    async def refuse() -> None:
        def on_frame(frame: Frame) -> None:
            raise ChannelError(f"unknown event {frame.message}")

        ours, theirs = socket.socketpair()
        closed = asyncio.get_running_loop().create_future()
        AsyncChannel(ours, on_frame, closed.set_result)
        theirs.sendall(encode({"event": "nonsense"}))
        assert "nonsense" in str(await closed)
        theirs.close()

    asyncio.run(refuse())


def test_async_reading_can_pause():
    async def pause() -> None:
        ours, theirs = socket.socketpair()
        peer = Peer(ours)
        peer.channel.pause_reading()
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                theirs.send(encode({"text": "x" * 1000}))
                await asyncio.sleep(0)
        assert peer.frames.empty()
        peer.channel.resume_reading()
        assert (await peer.frames.get()).message == {"text": "x" * 1000}
        peer.channel.close()
        theirs.close()

    asyncio.run(pause())

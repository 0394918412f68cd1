"""A name server in the private network. Some names change their addresses; some point to forbidden ones.

Questions for names below `silent` are not answered.
"""

import socket
import struct
from itertools import count
from threading import Thread

ADDRESS = "10.255.255.53"
ZONE = {
    b"site.example": ["9.9.9.9"],
    b"other.example": ["9.9.9.10"],
    b"below.site.example": ["9.9.9.10"],
    b"metadata.example": ["169.254.169.254"],
    b"loopback.example": ["127.0.0.1"],
    b"many.example": ["9.9.9.9"] * 100,
}
turns = count()


def addresses(name: bytes) -> list[str]:
    if name == b"rebind.example":
        return [("9.9.9.9", "127.0.0.1")[next(turns) % 2]]
    return ZONE.get(name, [])


def reply(query: bytes, limit: int) -> bytes | None:
    labels, position = [], 12
    while length := query[position]:
        labels.append(query[position + 1 : position + 1 + length])
        position += 1 + length
    question = query[12 : position + 5]
    if labels[0] == b"silent":
        return None
    found = addresses(b".".join(labels).lower()) if question[-4:-2] == b"\0\1" else []
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) for address in found)
    code = 0 if b".".join(labels).lower() in (*ZONE, b"rebind.example") else 3
    if len(question) + len(records) > limit:
        return query[:2] + struct.pack("!HHHHH", 0x8380 | code, 1, 0, 0, 0) + question
    return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question + records


def answer_stream(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream:
        while size := stream.read(2):
            if answer := reply(stream.read(int.from_bytes(size, "big")), 65535):
                connection.sendall(struct.pack("!H", len(answer)) + answer)


def serve_streams(listener: socket.socket) -> None:
    while True:
        Thread(target=answer_stream, args=(listener.accept()[0],), daemon=True).start()


listener = socket.create_server((ADDRESS, 53))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind((ADDRESS, 53))
Thread(target=serve_streams, args=(listener,), daemon=True).start()
print("ready", flush=True)
while True:
    query, client = datagrams.recvfrom(4096)
    if answer := reply(query, 500):
        datagrams.sendto(answer, client)

"""Services of the host, at each of its addresses. They log every client that gets through."""

import asyncio
import sys
from pathlib import Path

contacts = Path(sys.argv[1]).open("a", buffering=1)  # noqa: SIM115


class Datagrams(asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, address: object) -> None:
        print("udp", address, file=contacts)


async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    print("tcp", writer.get_extra_info("sockname"), file=contacts)
    writer.write(b"HTTP/1.0 200 OK\r\n\r\nthe host's secret")
    await writer.drain()
    writer.close()


async def main() -> None:
    loop = asyncio.get_running_loop()
    for port in (22, 80, 443, 8080):
        await asyncio.start_server(greet, None, port)
    await loop.create_datagram_endpoint(Datagrams, ("::", 53))  # also takes IPv4
    await asyncio.start_unix_server(greet, "\0rewardkit-test-host")
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())

"""The network of a sandbox: only its loopback interface, to which every IPv4 address leads.

Nothing gets out of it. If the sandbox has internet, the server listens inside it on the ports of the internet: a
connection to any address arrives there, and the server decides whether to pass it on (`local/internet/`). Otherwise
nobody listens, and connections are refused. No IPv6 address but `::1` can be reached, so programs use IPv4 at once.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from typing import Final

# linux/sockios.h, net/if.h
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP_AND_RUNNING: Final = 0x1 | 0x40
# The first interface of a network namespace is its loopback.
_LOOPBACK: Final = 1

# linux/netlink.h, linux/rtnetlink.h
_NLMSG_HEADER: Final = struct.Struct("=IHHII")
_NLMSG_ERROR: Final = struct.Struct("=i")
_NLM_F_REQUEST_ACK_CREATE: Final = 0x1 | 0x4 | 0x400
_RTM_NEWROUTE: Final = 24
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_RT_TABLE_LOCAL: Final = 255
_RTPROT_STATIC: Final = 4
_RT_SCOPE_HOST: Final = 254
_RTN_LOCAL: Final = 2
_RTA_INDEX: Final = struct.Struct("=HHI")
_RTA_OIF: Final = 4
_REPLY_BYTES: Final = 4096

_ROUTE: Final = _RTMSG.pack(
    socket.AF_INET, 0, 0, 0, _RT_TABLE_LOCAL, _RTPROT_STATIC, _RT_SCOPE_HOST, _RTN_LOCAL, 0
) + _RTA_INDEX.pack(_RTA_INDEX.size, _RTA_OIF, _LOOPBACK)
_NEW_ROUTE: Final = (
    _NLMSG_HEADER.pack(_NLMSG_HEADER.size + len(_ROUTE), _RTM_NEWROUTE, _NLM_F_REQUEST_ACK_CREATE, 1, 0) + _ROUTE
)


def lead_all_to_loopback() -> None:
    """Bring the loopback interface up, and make every IPv4 address its own.

    Raises:
        OSError: this process may not change its network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP_AND_RUNNING))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(_NEW_ROUTE)
        (code,) = _NLMSG_ERROR.unpack_from(netlink.recv(_REPLY_BYTES), _NLMSG_HEADER.size)
    if code:
        raise OSError(-code, f"the sandbox's network: {os.strerror(-code)}")

"""Which addresses belong to the internet, and which to this machine or its neighbours."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv4Network
from typing import Final

# IANA's special-purpose registry, and group and reserved addresses. Python's `is_global` differs by version.
_NOT_PUBLIC: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "168.63.129.16/32",  # the host of a machine in Azure, which hands out secrets
        ),
    )
)

# linux/netlink.h, linux/rtnetlink.h
_NLMSG_HEADER: Final = struct.Struct("=IHHII")
_NLM_F_REQUEST: Final = 0x1
_RTM_NEWROUTE: Final = 24
_RTM_GETROUTE: Final = 26
_RTMSG: Final = struct.Struct("=BBBBBBBBI")
_RTN_UNICAST: Final = 1
_RTA: Final = struct.Struct("=HH4s")
_RTA_DST: Final = 1
_ADDRESS_BITS: Final = 32
_REPLY_BYTES: Final = 4096


def is_public(address: IPv4Address) -> bool:
    """Whether an address is one of the internet's: not private, loopback or special in another way."""
    return not any(address in network for network in _NOT_PUBLIC)


def leads_outside(address: IPv4Address) -> bool:
    """Whether this machine sends packets for an address to others: not if the address, even if public, is its own."""
    destination = _RTA.pack(_RTA.size, _RTA_DST, address.packed)
    request = _RTMSG.pack(socket.AF_INET, _ADDRESS_BITS, 0, 0, 0, 0, 0, 0, 0) + destination
    header = _NLMSG_HEADER.pack(_NLMSG_HEADER.size + len(request), _RTM_GETROUTE, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(header + request)
        reply = netlink.recv(_REPLY_BYTES)
    kind = _NLMSG_HEADER.unpack_from(reply)[1]
    if kind != _RTM_NEWROUTE:
        return False  # there is no route to it
    route_type = _RTMSG.unpack_from(reply, _NLMSG_HEADER.size)[7]
    return bool(route_type == _RTN_UNICAST)

"""The addresses and names that a sandbox may connect to, and the data read from answers about names."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest

from pytest_rewardkit.local.internet.addresses import is_public, leads_outside
from pytest_rewardkit.local.internet.names import found_addresses, read_query
from pytest_rewardkit.local.internet.rules import NetworkRules

HEADER = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0)
QUESTION = b"\4site\7example\0\0\1\0\1"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_that_are_not_the_internets(address):
    assert not is_public(IPv4Address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.32.0.0", "223.255.255.255"],
)
def test_addresses_of_the_internet(address):
    assert is_public(IPv4Address(address))


def test_the_machines_own_addresses_lead_nowhere_outside():
    assert not leads_outside(IPv4Address("127.0.0.1"))
    assert not leads_outside(IPv4Address("255.255.255.255"))
    assert not leads_outside(IPv4Address("224.0.0.1"))


def test_what_is_in_no_rule_is_allowed():
    assert NetworkRules().allow_address(IPv4Address("1.1.1.1"))
    assert NetworkRules().allow_question("site.example")


def test_allowed_wins_over_denied():
    rules = NetworkRules.parse(["1.1.1.1"], ["1.1.1.0/24"])
    assert rules.allow_address(IPv4Address("1.1.1.1"))
    assert not rules.allow_address(IPv4Address("1.1.1.2"))
    assert rules.allow_address(IPv4Address("1.1.2.1"))


def test_rules_are_written_as_they_are_given():
    rules = NetworkRules.parse(["1.1.1.1", "Site.Example.", "*.below.example"], ["0.0.0.0/0", "1.2.3.4/24"])
    assert rules.allow_out() == ["1.1.1.1", "site.example", "*.below.example"]
    assert rules.deny_out() == ["0.0.0.0/0", "1.2.3.0/24"]


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("site.example", True),
        ("SITE.example.", True),
        ("www.site.example", False),
        ("site.example.evil", False),
        ("evilsite.example", False),
        ("a.below.example", True),
        ("a.b.below.example", True),
        ("below.example", False),
        ("evilbelow.example", False),
        (".below.example", False),
        ("", False),
    ],
)
def test_names(name, allowed):
    rules = NetworkRules.parse(["site.example", "*.below.example"], ["0.0.0.0/0"])
    assert rules.allow_name(name) is allowed
    assert rules.allow_question(name) is allowed


@pytest.mark.parametrize(
    "name", ["", "a b", "-a", "a..b", "a" * 64, "a." * 127 + "a", "*", "*.", "a.*.b", "é.example", "::1", "a/b"]
)
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="neither an IPv4 address or network nor a host name"):
        NetworkRules.parse([name], ["0.0.0.0/0"])


@pytest.mark.parametrize("network", ["", "1.1.1.256", "1.1.1.1/33", "1.1", "site.example", "::1"])
def test_what_is_no_network(network):
    with pytest.raises(ValueError, match="is no IPv4 address or network"):
        NetworkRules.parse([], [network])


def test_addresses_in_an_answer():
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\0\0\2\xc0\x0c"
    address = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2\3\4"
    header = struct.pack("!HHHHHH", 7, 0x8180, 1, 2, 0, 0)
    assert found_addresses(header + QUESTION + alias + address) == ("site.example", [IPv4Address("1.2.3.4")])


@pytest.mark.parametrize("behind", [b"", b"\0\0\x29\x10\0\0\0\0\0\0\0", b"a secret", QUESTION], ids=len)
def test_a_query_passes_on_its_question_and_nothing_else(behind):
    header = struct.pack("!HHHHHH", 7, 0x0120, 1, 0, 0, 1)
    assert read_query(header + QUESTION + behind) == (
        "site.example",
        struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + QUESTION,
    )


@pytest.mark.parametrize(
    "name", [b"\4site\xc0\x1c", b"\xc0\x0c", b"\4site\xc0\0", b"\x40" + b"a" * 64 + b"\0", b"\4site\x80\0"]
)
def test_a_question_that_points_elsewhere_is_none(name):
    header = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    with pytest.raises(ValueError, match="not a label"):
        read_query(header + name + b"\0\1\0\1" + b"\6secret\7example\0")


@pytest.mark.parametrize("label", [b"\14site.example", b"\4si\0e", b"\4s\xffte"])
def test_a_name_that_only_looks_like_one_is_none(label):
    question = label + b"\3com\0\0\1\0\1"
    assert found_addresses(struct.pack("!HHHHHH", 7, 0x8180, 1, 0, 0, 0) + question) == ("", [])


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        HEADER,
        HEADER[:11],
        HEADER + QUESTION,
        HEADER + QUESTION[:-1],
        HEADER + QUESTION + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\1\2",
        HEADER + b"\x3f" * 40,
        struct.pack("!HHHHHH", 7, 0x8180, 2, 0, 0, 0) + QUESTION * 2,
        struct.pack("!HHHHHH", 7, 0x8180, 1, 65535, 0, 0) + QUESTION,
    ],
)
def test_what_is_no_answer(reply):
    with pytest.raises(ValueError, match=r"cut off|not one question|not permitted"):
        found_addresses(reply)

"""The addresses to which a sandbox with internet may connect: E2B's `allow_out` and `deny_out`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_TRAFFIC: Final = IPv4Network("0.0.0.0/0")
MAX_RULES: Final = 1000

_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*\.?")
_MAX_NAME_CHARACTERS: Final = 253
_LOOKS_NUMERIC: Final = re.compile(r"[0-9./]+")


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """Allowed and denied addresses; `allow` wins. Addresses that are in neither are allowed.

    Attributes:
        allow: networks.
        names: host names, in lower case; `*.` at the start stands for any names below.
        deny: networks.
    """

    allow: tuple[IPv4Network, ...] = ()
    names: tuple[str, ...] = ()
    deny: tuple[IPv4Network, ...] = ()

    @classmethod
    def parse(cls, allow_out: Sequence[str], deny_out: Sequence[str]) -> NetworkRules:
        """The rules of a create or update call.

        Parameters:
            allow_out: IPv4 addresses, networks as `1.2.3.0/24`, and host names, also as `*.example.com`.
            deny_out: addresses and networks.

        Raises:
            ValueError: an entry is none of these, or names are allowed without denying all the rest.
        """
        if len(allow_out) + len(deny_out) > MAX_RULES:
            raise ValueError(f"{len(allow_out) + len(deny_out)} network rules are over the limit of {MAX_RULES}")
        allow = tuple(_network(text, "allowOut") for text in allow_out if _LOOKS_NUMERIC.fullmatch(text))
        names = tuple(_name(text) for text in allow_out if not _LOOKS_NUMERIC.fullmatch(text))
        deny = tuple(_network(text, "denyOut") for text in deny_out)
        if names and ALL_TRAFFIC not in deny:
            raise ValueError(
                f"allowOut has host names ({names[0]}), which needs {ALL_TRAFFIC} in denyOut: without, all is allowed"
            )
        return cls(allow, names, deny)

    def allow_out(self) -> list[str]:
        """The allowed addresses, in E2B's form."""
        return [*map(_written, self.allow), *self.names]

    def deny_out(self) -> list[str]:
        """The denied addresses, in E2B's form."""
        return [*map(_written, self.deny)]

    def allow_address(self, address: IPv4Address) -> bool:
        """Whether these rules allow connections to an address."""
        return _contains(self.allow, address) or not _contains(self.deny, address)

    def allow_question(self, name: str) -> bool:
        """Whether a sandbox may query a name; if all else is denied, queries for other names could carry data out."""
        return ALL_TRAFFIC not in self.deny or self.allow_name(name)

    def allow_name(self, name: str) -> bool:
        """Whether these rules allow connections to a host by its name, at any address."""
        name = name.lower().removesuffix(".")
        return any(
            name.endswith(rule[1:]) and len(name) > len(rule) - 1 if rule.startswith("*.") else name == rule
            for rule in self.names
        )


def _contains(networks: tuple[IPv4Network, ...], address: IPv4Address) -> bool:
    return any(address in network for network in networks)


def _written(network: IPv4Network) -> str:
    return str(network).removesuffix("/32")


def _network(text: str, field: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{field}: {text!r} is no IPv4 address or network: {error}") from error


def _name(text: str) -> str:
    name = text.lower()
    if len(name) > _MAX_NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise ValueError(f"allowOut: {text[:100]!r} is neither an IPv4 address or network nor a host name")
    return name.removesuffix(".")

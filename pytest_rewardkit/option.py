"""An option with its names on the command line, in ini files and in the environment.

The command line wins over the ini file, the ini file over the environment, the environment over the default.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# This module is loaded in every session, and a plain class is created in a tenth of a data class's time.


class Option:
    """One option with its three names: ``--rewardkit-x-y``, ``rewardkit_x_y`` and ``PYTEST_REWARDKIT_X_Y``."""

    def __init__(
        self,
        name: str,
        parse: Callable[[str], Any],
        default: Any,
        text: str,
        metavar: str | None = None,
        *,
        flag: str = "",
        alone: str = "",
        several: bool = False,
        without: str | None = None,
    ) -> None:
        self.name = name
        self.flag = flag or f"--rewardkit-{name.replace('_', '-')}"
        self.parse = parse
        self.default = default
        self.text = text
        self.metavar = metavar
        self.alone = alone
        """Its effect without ``--rewardkit`` on the command line; "" if it has none."""
        self.several = several
        """Whether it may be given several times; in ini files and variables, each value is on its own line."""
        self.without = without
        """Its value if it is given without one; None if it needs a value."""
        self.ini = self.flag.removeprefix("--").replace("-", "_")
        self.variable = f"PYTEST_{self.ini.upper()}"

    def resolve(self, config: pytest.Config) -> Any:
        if (value := config.getoption(self.ini)) is not None:
            return self._parsed(value, self.flag)
        if value := config.getini(self.ini):
            return self._parsed(value, f"{self.ini} in {config.inipath or 'the ini options'}")
        if value := os.environ.get(self.variable):
            return self._parsed(value, f"{self.variable} in the environment")
        return self.default

    def _parsed(self, value: str | list[str], place: str) -> Any:
        try:
            if self.several:
                lines = value.splitlines() if isinstance(value, str) else value
                return tuple(self.parse(line.strip()) for line in lines if line.strip())
            assert isinstance(value, str)
            return self.parse(value.strip())
        except ValueError as error:
            raise pytest.UsageError(f"{place}: {error}") from None


def add_options(parser: pytest.Parser, options: Iterable[Option]) -> None:
    """Add every option to the command line, and its twin to ini files."""
    group = parser.getgroup("rewardkit", "rewards for model-written code")
    for option in options:
        if option.metavar is None:
            group.addoption(option.flag, dest=option.ini, action="store_const", const="true", help=option.text)
        elif option.without is not None:
            group.addoption(
                option.flag,
                dest=option.ini,
                nargs="?",
                const=option.without,
                metavar=option.metavar,
                help=option.text,
            )
        else:
            action = "append" if option.several else "store"
            group.addoption(option.flag, dest=option.ini, action=action, metavar=option.metavar, help=option.text)
        parser.addini(option.ini, f"{option.text} ({option.flag})", type="string", default="")

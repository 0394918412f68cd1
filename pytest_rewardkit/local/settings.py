"""The settings of a local server; the options of `python -m pytest_rewardkit.local` have the same names."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pytest_rewardkit.local.faults import rules
from pytest_rewardkit.local.limits import Limits, check_number
from pytest_rewardkit.local.templates.named_template import NONE, NamedTemplate, templates_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

PRELOADABLE = ("numpy", "pandas", "matplotlib")
"""Modules that are slow to import, and that a fork server may have imported before it forks."""

TEMPLATES_VARIABLE = "REWARDKIT_LOCAL_TEMPLATES"
"""How a server's process gets its templates: everybody can read a command line."""

ISOLATION_CHOICES = ("auto", "strict", "full", "no-procfs", "ns-nocap", "uid", "landlock", "weak", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings(Limits):
    """Limits of the server, and of each sandbox that asks for no others."""

    isolation: str = field(
        default="auto",
        metadata={"help": "auto: the best that works here; strict: full or refuse; or the name of a level"},
    )
    preload: str = field(
        default="auto",
        metadata={
            "help": "modules to import before sandboxes start: auto (once a candidate has imported them), none, "
            f"or some of {', '.join(PRELOADABLE)}, separated by commas"
        },
    )
    max_sandboxes: int = field(default=256, metadata={"help": "sandboxes alive at once"})
    warm_sandboxes: int = field(default=2, metadata={"help": "sandboxes kept ready for the next create"})
    templates: str = field(
        default=NONE,
        metadata={"help": "a pyproject.toml with [tool.rewardkit.templates] to create sandboxes from"},
    )
    faults: str = field(
        default=rules.NONE,
        metadata={
            "help": "calls that fail on purpose: execute:reset:0.05,create:429/2:0.1; or hobby or pro for E2B's limits"
        },
    )
    faults_seed: int = field(default=1, metadata={"help": "decides which calls fail, if not all do"})

    def __post_init__(self) -> None:
        Limits.__post_init__(self)
        if self.isolation not in ISOLATION_CHOICES:
            raise ValueError(f"isolation must be one of {', '.join(ISOLATION_CHOICES)}, not {self.isolation!r}")
        unknown = set(self.preloaded()) - set(PRELOADABLE)
        if unknown:
            raise ValueError(f"preload must be auto, none, or names of {', '.join(PRELOADABLE)}, not {min(unknown)!r}")
        check_number("max_sandboxes", self.max_sandboxes, least=1)
        check_number("warm_sandboxes", self.warm_sandboxes, least=0)
        check_number("faults_seed", self.faults_seed, least=0)
        rules.parse(self.faults)
        self.named_templates()

    def named_templates(self) -> dict[str, NamedTemplate]:
        """The templates by name, without those that every server has. Raises TemplateError, a ValueError."""
        return templates_of(self.templates)

    def arguments(self) -> list[str]:
        """The command line's options for these settings, without the templates, which may hold passwords."""
        named = [item.name for item in fields(self) if item.name != "templates"]
        return [f"--{name.replace('_', '-')}={getattr(self, name)}" for name in named]

    def environment(self) -> dict[str, str]:
        """The variables for the remaining settings."""
        return {TEMPLATES_VARIABLE: self.templates}

    def preloaded(self) -> tuple[str, ...]:
        """The modules that the first fork server has."""
        return () if self.preload in ("auto", "none") else tuple(self.preload.split(","))

    def guest_options(self, preloaded: Collection[str]) -> list[str]:
        """The options of a fork server.

        Parameters:
            preloaded: the modules that it should have.
        """
        known = ",".join(name for name in PRELOADABLE if name in preloaded)
        named = ",".join(name for name in preloaded if name not in PRELOADABLE)
        return [f"--isolation={self.isolation}", f"--preload={known}", *([f"--learned={named}"] if named else [])]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds an option for each setting."""
    for item in fields(ServerSettings):
        options: dict[str, Any] = {"type": int, "metavar": "N"} if isinstance(item.default, int) else {}
        if item.name == "isolation":
            options["choices"] = ISOLATION_CHOICES
        help_text = f"{item.metadata['help']} (default: {item.default})"
        parser.add_argument(f"--{item.name.replace('_', '-')}", default=item.default, help=help_text, **options)


def from_options(options: argparse.Namespace) -> ServerSettings:
    """The settings of a parsed command line.

    Raises:
        ValueError: a number is out of its range.
    """
    return ServerSettings(**{item.name: getattr(options, item.name) for item in fields(ServerSettings)})

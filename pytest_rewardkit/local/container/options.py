"""The options of a container; the options of `python -m pytest_rewardkit.local` have the same names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOptions:
    """The engine, the image, and how the engine runs it."""

    docker_command: str = field(
        default="", metadata={"help": "command of the container engine (default: docker, else podman)"}
    )
    docker_image: str = field(
        default="", metadata={"help": "image that has this package; without it one is built when it is needed"}
    )
    docker_packages: str = field(
        default="", metadata={"help": "packages for the image that is built, as for pip, with spaces between"}
    )
    docker_options: str = field(default="", metadata={"help": "more options of `docker run`, as one text"})

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> ContainerOptions:
        """The options in the variables that match the plugin's options, such as PYTEST_REWARDKIT_DOCKER_IMAGE."""
        return cls(**{item.name: environ.get(f"PYTEST_REWARDKIT_{item.name.upper()}", "") for item in fields(cls)})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--docker`, and an option for each field."""
    parser.add_argument("--docker", action="store_true", help="in a container of Docker, OrbStack, Colima or Podman")
    environment = ContainerOptions.of_environment(os.environ)
    for item in fields(ContainerOptions):
        parser.add_argument(
            f"--{item.name.replace('_', '-')}",
            default=getattr(environment, item.name),
            metavar="TEXT",
            help=item.metadata["help"],
        )


def from_options(options: argparse.Namespace) -> ContainerOptions:
    """The options of a parsed command line."""
    return ContainerOptions(**{item.name: getattr(options, item.name) for item in fields(ContainerOptions)})

"""What a container is made of; the same names are options of `python -m pytest_rewardkit.local`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOptions:
    """The engine, the image, and how the engine is to run it."""

    docker_command: str = field(
        default="", metadata={"help": "command of the container engine (default: docker, else podman)"}
    )
    docker_image: str = field(
        default="", metadata={"help": "image that has this package, instead of one that is built when it is needed"}
    )
    docker_packages: str = field(
        default="", metadata={"help": "packages of the built image, as for pip, with spaces between"}
    )
    docker_options: str = field(default="", metadata={"help": "more options of `docker run`, as one text"})


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--docker`, and an option for each field."""
    parser.add_argument("--docker", action="store_true", help="in a container of Docker, OrbStack, Colima or Podman")
    for item in fields(ContainerOptions):
        parser.add_argument(
            f"--{item.name.replace('_', '-')}", default=item.default, metavar="TEXT", help=item.metadata["help"]
        )


def from_options(options: argparse.Namespace) -> ContainerOptions:
    """What a parsed command line says."""
    return ContainerOptions(**{item.name: getattr(options, item.name) for item in fields(ContainerOptions)})

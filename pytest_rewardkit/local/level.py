"""The isolation level of this machine, for those who only want its name. Imports little."""

from __future__ import annotations

import subprocess

from pytest_rewardkit.local.launch import guest_command


class NoSuchLevelError(Exception):
    """The isolation that was asked for cannot be had here."""


def find_level(isolation: str) -> str:
    """The name of the level that sandboxes would get, found out by trying, without starting a server.

    Parameters:
        isolation: as in `Settings`.

    Raises:
        NoSuchLevelError: what was asked for cannot be had; the text says what can.
    """
    probed = subprocess.run(
        guest_command([f"--isolation={isolation}"]),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if probed.returncode != 0:
        raise NoSuchLevelError(probed.stdout.strip() or probed.stderr.strip()[-500:])
    return probed.stdout.strip()

"""The files in a sandbox's /etc that say who `user` is, and where names are looked up."""

from __future__ import annotations

from typing import Final

from pytest_rewardkit.local.guest.identity import GUEST_NAME
from pytest_rewardkit.local.guest.layout import HOME, HOST_NAME

_PASSWD: Final = "root:x:0:0:root:/root:/bin/bash\n{name}:x:{id}:{id}:{name}:{home}:/bin/bash\n"
_GROUP: Final = "root:x:0:\n{name}:x:{id}:\n"
_HOSTS: Final = f"127.0.0.1 localhost {HOST_NAME}\n::1 localhost\n"
# The server answers there when the sandbox has internet; otherwise it refuses at once.
_NAME_SERVERS: Final = "nameserver 127.0.0.1\n"
_NAME_SERVICES: Final = "passwd: files\ngroup: files\nhosts: files dns\n"
# Login shells read this; it must not touch PATH, in which the environment's own python comes first.
_PROFILE: Final = 'if [ "${PS1-}" ]; then PS1="\\u@\\h:\\w\\$ "; fi\n'

# What a system's own pip refuses, lest somebody breaks the system, which nobody can in a sandbox.
_PIP: Final = "[global]\ndisable-pip-version-check = true\nretries = 2\n\n[install]\nbreak-system-packages = true\n"

FILES: Final = {
    "/etc/hosts": _HOSTS,
    "/etc/hostname": f"{HOST_NAME}\n",
    "/etc/nsswitch.conf": _NAME_SERVICES,
    "/etc/pip.conf": _PIP,
    "/etc/resolv.conf": _NAME_SERVERS,
    "/etc/profile": _PROFILE,
}
"""Those that are the same in every sandbox."""


def accounts(user_id: int) -> dict[str, str]:
    """Return the texts, by path, that call a user id `user`."""
    fields = {"name": GUEST_NAME, "id": user_id, "home": HOME}
    return {"/etc/passwd": _PASSWD.format(**fields), "/etc/group": _GROUP.format(**fields)}

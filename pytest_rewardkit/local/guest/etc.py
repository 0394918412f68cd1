"""The files in a sandbox's /etc that name `user` and the name servers."""

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
# Login shells read this. It must not touch PATH, in which the environment's own Python comes first.
_PROFILE: Final = 'if [ "${PS1-}" ]; then PS1="\\u@\\h:\\w\\$ "; fi\n'

# A system's own pip refuses to install, lest it break the system. In a sandbox nobody can break it.
_PIP: Final = "[global]\ndisable-pip-version-check = true\nretries = 2\n\n[install]\nbreak-system-packages = true\n"

FILES: Final = {
    "/etc/hosts": _HOSTS,
    "/etc/hostname": f"{HOST_NAME}\n",
    "/etc/nsswitch.conf": _NAME_SERVICES,
    "/etc/pip.conf": _PIP,
    "/etc/resolv.conf": _NAME_SERVERS,
    "/etc/profile": _PROFILE,
}
"""The files that are the same in every sandbox."""


def accounts(user_id: int) -> dict[str, str]:
    """Return the texts, by path, that give a user id the name `user`."""
    fields = {"name": GUEST_NAME, "id": user_id, "home": HOME}
    return {"/etc/passwd": _PASSWD.format(**fields), "/etc/group": _GROUP.format(**fields)}

"""Whether this machine trusts any certificate authority. The SDK's client cannot be built without one."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

NO_AUTHORITIES: Final = (
    "this machine trusts no authority for certificates, as minimal images do: install ca-certificates, or set "
    "SSL_CERT_FILE"
)


def has_authorities() -> bool:
    """Whether a file or a folder of certificates exists where OpenSSL and the SDK's client look."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None and Path(paths.cafile).is_file():
        return True
    return paths.capath is not None and any(Path(paths.capath).glob("*"))

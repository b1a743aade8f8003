"""Place the sockets of the local services where their paths are short enough."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from config.paths import VAR

# sun_path of sockaddr_un holds 108 bytes with its NUL on Linux, 104 on macOS and the BSDs.
MAX_SOCKET_PATH = 103


class ServiceError(Exception):
    """A local service cannot run here; the message is one line for the developer."""


def socket_path(inside: Path) -> Path:
    """Return `inside` or, if a deep folder makes it too long for a socket, a path under /tmp.

    Every shell must find the same path, so TMPDIR is not used.
    """
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(VAR)).hexdigest()[:16]
    directory = f"/tmp/daybreak-{os.getuid()}-{digest}-{inside.parent.name}"  # noqa: S108
    return Path(directory) / inside.name


def make_socket_dir(path: Path, *, owner: int | None = None) -> None:
    """Create the directory of the socket `path`; refuse one that belongs to another user."""
    directory = path.parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid not in {os.getuid(), owner}:
        raise ServiceError(f"{directory} belongs to another user; remove it and try again")
    if owner is not None:
        os.chown(directory, owner, -1)

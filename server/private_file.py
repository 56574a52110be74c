"""Files that only the server may read: written whole or not at all, and secrets made once."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def write_private(file: Path, content: bytes) -> None:
    """Write `content` whole or not at all, readable by the owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)


def kept_secret(file: Path) -> bytes:
    """The secret in `file`, made at the first call: what it signs stays valid over restarts."""
    if not file.exists():
        write_private(file, secrets.token_bytes(SECRET_BYTES))
    return file.read_bytes()

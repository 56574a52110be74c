"""What the demonstration remembers in its data folder, so that a second start keeps passwords and links."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec
from msgspec import Struct

from server.private_file import write_private

FILE = "demo-state.json"


class DemoState(Struct, kw_only=True):
    """Secrets in the clear: for the demonstration only. `feeds` are calendar secrets by `<kind>:<target>`."""

    link_secret: str
    password: str
    feeds: dict[str, str] = {}
    lesson: str = ""


def load(folder: Path) -> DemoState:
    """The folder's state, or a new one."""
    file = folder / FILE
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=DemoState)
    return DemoState(link_secret=secrets.token_hex(32), password=f"tongke-{secrets.token_hex(4)}")


def save(folder: Path, state: DemoState) -> None:
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(state), indent=1))

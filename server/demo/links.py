"""Links that sign in: for the demonstration only, from the loopback only.

Nowhere else does an address sign anyone in. A link holds what it opens and a code that only this data folder's secret
can make, so it survives restarts and says nothing to another installation.
"""

import base64
import hashlib
import hmac
import ipaddress
from typing import Literal

import msgspec
from msgspec import Struct

from timetable.errors import NotFound

Page = Literal["host", "assistant", "endpoint", "observer", "review"]


class Link(Struct, frozen=True, array_like=True):
    """`subject` is a person's id, for an endpoint the room's."""

    page: Page
    subject: str


def seal(secret: bytes, link: Link) -> str:
    body = msgspec.msgpack.encode(link)
    return base64.urlsafe_b64encode(_code(secret, body) + body).decode().rstrip("=")


def unseal(secret: bytes, text: str) -> Link:
    """The link, or NotFound for anything that `seal` did not make with this secret."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if not hmac.compare_digest(raw[:16], _code(secret, raw[16:])):
            raise NotFound("link", "…")
        return msgspec.msgpack.decode(raw[16:], type=Link)
    except (ValueError, msgspec.MsgspecError):
        raise NotFound("link", "…") from None


def is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _code(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, b"tongke demo link" + body, hashlib.sha256)[:16]

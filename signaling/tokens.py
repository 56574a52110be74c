"""This module owns join tokens: short-lived, signed claims that let one participant into one session.

A token is `<claims>.<mac>`, both base64url: the claims in MessagePack, the HMAC-SHA256 of those bytes. It travels in
the first message of a socket or in an Authorization header, never in a URL.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Literal

import msgspec
from msgspec import Struct

from signaling.errors import TokenExpired, TokenInvalid
from signaling.wire import Role

LIFETIME = 300.0
"""Seconds that a token of the socket stays good, at most."""

Audience = Literal["live", "rtc", "guest"]
"""`live`: the socket. `rtc`: WHIP and WHEP. `guest`: an invitation to watch, for which a join token is given."""


class Claims(Struct, frozen=True, kw_only=True, array_like=True):
    """Who may enter what, as what, until when (unix seconds). `jti` is unique to the token."""

    aud: Audience
    session: str
    participant: str
    role: Role
    unit: str
    unit_name: str
    name: str
    exp: float
    jti: str
    class_name: str = ""
    room: str = ""
    phone: str = ""
    access: str = ""
    """The access by which a guest came in, or the pairing of a panel; empty for whom the lesson itself lets in."""


def sign(claims: Claims, secret: bytes) -> str:
    """The token that carries `claims`."""
    body = msgspec.msgpack.encode(claims)
    return f"{_text(body)}.{_text(_mac(body, secret))}"


def verify(token: str, secret: bytes, aud: Audience, now: float) -> Claims:
    """The claims of a token that this server signed for `aud`; raises TokenInvalid or TokenExpired."""
    head, _, tail = token.partition(".")
    try:
        body, mac = _bytes(head), _bytes(tail)
    except (ValueError, binascii.Error) as error:
        raise TokenInvalid("not a token") from error
    if not hmac.compare_digest(mac, _mac(body, secret)):
        raise TokenInvalid("not signed here")
    try:
        claims = msgspec.msgpack.decode(body, type=Claims)
    except (msgspec.MsgspecError, ValueError) as error:
        raise TokenInvalid("claims of another version") from error
    if claims.aud != aud:
        raise TokenInvalid(f"meant for {claims.aud}")
    if claims.exp < now:
        raise TokenExpired(f"expired {now - claims.exp:.0f} s ago")
    return claims


def _mac(body: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, b"tongke join token 1\0" + body, hashlib.sha256).digest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)

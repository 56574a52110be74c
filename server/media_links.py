"""Short-lived addresses of recorded segments, good for one person: in them nothing can be changed or guessed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import msgspec
from msgspec import Struct

from server.auth.errors import NotPermitted

LINK_SECONDS = 4 * 3600.0


class _Claims(Struct, frozen=True, array_like=True):
    session: str
    segment: str
    person: str
    expires: int


class MediaLinks:
    """`clock` gives unix seconds."""

    def __init__(self, secret: bytes, clock: Callable[[], float]) -> None:
        self._secret = secret
        self._clock = clock

    def address(self, session: str, segment: str, person: str) -> str:
        """The path and query at which `person` may read the segment for LINK_SECONDS. Within a quarter of them it
        stays the same, so that a page which asks again does not fetch again."""
        step = LINK_SECONDS / 4
        expires = int((self._clock() // step + 1) * step + LINK_SECONDS)
        body = msgspec.msgpack.encode(_Claims(session, segment, person, expires))
        token = base64.urlsafe_b64encode(self._code(body) + body).decode().rstrip("=")
        return f"/media/{session}/{segment}?t={token}"

    def check(self, session: str, segment: str, person: str, token: str) -> None:
        """Raises NotPermitted unless `address` made the token for just this, and it still holds."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            body = raw[16:]
            if not hmac.compare_digest(raw[:16], self._code(body)):
                raise NotPermitted("watch_recordings")
            claims = msgspec.msgpack.decode(body, type=_Claims)
        except (ValueError, msgspec.MsgspecError):
            raise NotPermitted("watch_recordings") from None
        if (claims.session, claims.segment, claims.person) != (session, segment, person):
            raise NotPermitted("watch_recordings")
        if claims.expires < self._clock():
            raise NotPermitted("watch_recordings")

    def _code(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, b"tongke media link" + body, hashlib.sha256)[:16]

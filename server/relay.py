"""This module owns the way out of networks that let through neither our UDP nor our TCP port: a TURN relay (coturn),
and the credentials with which a participant may use it for a while.

The relay and the server share one secret. A name is `<unix seconds of expiry>:<who>`, its password the base64 of the
HMAC-SHA1 of the name under the secret (coturn's `use-auth-secret`, draft-uberti-behave-turn-rest). The relay needs no
list of people, and the secret itself never leaves the two.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence

from server.shapes.live import IceServer


class Relay:
    """`urls`: of the relay (turn:, turns:) and of STUN servers; `seconds`: how long credentials hold; `clock` gives
    unix seconds."""

    def __init__(self, urls: Sequence[str], secret: str, seconds: float, clock: Callable[[], float]) -> None:
        self._stun = tuple(url for url in urls if url.startswith(("stun:", "stuns:")))
        self._turn = tuple(url for url in urls if url not in self._stun)
        self._secret = secret.encode()
        self._seconds = seconds
        self._clock = clock

    def servers(self, who: str) -> tuple[IceServer, ...]:
        """What a browser is told. Whoever runs the relay sees the same name for the same `who`, and not who it is."""
        found = (IceServer(urls=self._stun),) if self._stun else ()
        if not self._turn:
            return found
        alias = hmac.digest(self._secret, b"tongke relay name\0" + who.encode(), hashlib.sha256).hex()[:16]
        username = f"{int(self._clock() + self._seconds)}:{alias}"
        mac = hmac.digest(self._secret, username.encode(), hashlib.sha1)
        return (*found, IceServer(urls=self._turn, username=username, credential=base64.b64encode(mac).decode()))

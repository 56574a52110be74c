"""This module owns one open socket of a participant: its rate, its pressure, and how it is closed.

It knows no WebSocket library: bytes go out through an Outlet, which is the socket's transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from signaling.audience import Audience
from signaling.commands import LinkReport
from signaling.frames import Encoding
from signaling.messages import Closing
from signaling.tokens import Claims

RATE = 20.0
"""Messages a second that a socket may send in the long run."""
BURST = 60.0
LAGS_ABOVE = 256 * 1024
"""Bytes waiting in the socket from which presence is left out."""
DRAINED_BELOW = 64 * 1024
TOO_SLOW_ABOVE = 1024 * 1024
TOO_SLOW_AFTER = 10.0
"""Seconds of lagging after which the socket is closed."""
MALFORMED_LIMIT = 10
"""Messages that cannot be read before the socket is closed."""
REFUSED_LIMIT = 200
"""Messages above the rate before the socket is closed."""

CloseCode = Literal[
    "replaced", "ended", "too_slow", "unauthorized", "drain", "left", "malformed", "flood", "server_error"
]
STATUS: dict[CloseCode, int] = {
    "left": 1000,
    "ended": 1000,
    "drain": 1012,
    "server_error": 1011,
    "malformed": 1007,
    "flood": 1008,
    "unauthorized": 4401,
    "replaced": 4409,
    "too_slow": 4429,
}
"""Status codes of the WebSocket close frame."""


class Outlet(Protocol):
    """The way out to one client. `write` takes whole frames, never blocks, and says how many bytes now wait in the
    socket; `close` sends a close frame after them, and cuts the line where the client does not answer."""

    def write(self, data: bytes) -> int: ...
    def buffered(self) -> int: ...
    def close(self, status: int, reason: str) -> None: ...


class Connection:
    """One socket. A participant has at most one; a newer one replaces it."""

    __slots__ = (
        "_filled",
        "_malformed",
        "_refused",
        "_tokens",
        "audience",
        "behind",
        "claims",
        "closed",
        "device",
        "encoding",
        "kind",
        "lagging_since",
        "last_written",
        "missed_presence",
        "outlet",
        "participant",
        "report",
    )

    def __init__(
        self,
        participant: str,
        device: str,
        encoding: Encoding,
        outlet: Outlet,
        now: float,
        audience: Audience = "teachers",
        claims: Claims | None = None,
    ) -> None:
        self.participant = participant
        self.audience = audience
        self.claims = claims
        """What let it in, where a token did."""
        self.device = device
        self.encoding = encoding
        self.kind: tuple[Encoding, Audience] = (encoding, audience)
        """Who has the same kind gets the same bytes."""
        self.closed: CloseCode | None = None
        self.report: LinkReport | None = None
        """What the client last said about its line."""
        self.behind: float | None = None
        """Seconds after which it hears of things, as it says."""
        self.lagging_since: float | None = None
        self.missed_presence = False
        self.last_written = now
        self.outlet = outlet
        self._tokens = BURST
        self._filled = now
        self._malformed = 0
        self._refused = 0

    def admit(self, now: float, messages: int = 1) -> bool:
        """Whether so many more messages fit the rate. Several that do not fit together are to be asked for one by one;
        too many above the rate close the socket."""
        passed = now - self._filled
        if passed > 0:
            tokens = self._tokens + passed * RATE
            self._tokens = tokens if tokens < BURST else BURST
        self._filled = now
        if self._tokens >= messages:
            self._tokens -= messages
            return True
        if messages == 1:
            self._refused += 1
            if self._refused > REFUSED_LIMIT:
                self.close("flood")
        return False

    def malformed(self) -> None:
        """Count a message that could not be read; too many close the socket."""
        self._malformed += 1
        if self._malformed >= MALFORMED_LIMIT:
            self.close("malformed")

    def write(self, frames: bytes, now: float) -> None:
        """Hand whole frames to the socket and look how much it still holds."""
        if self.closed is not None or not frames:
            return
        self.last_written = now
        self.press(self.outlet.write(frames), now)

    def check_pressure(self, now: float) -> bool:
        """Close a socket that does not drain; True when one that lagged has drained and missed presence meanwhile."""
        if self.closed is not None or self.lagging_since is None:
            return False
        waiting = self.outlet.buffered()
        self.press(waiting, now)
        if waiting >= DRAINED_BELOW or self.closed is not None:
            return False
        self.lagging_since = None
        missed, self.missed_presence = self.missed_presence, False
        return missed

    def close(self, code: CloseCode, retry_in: float = 0.0) -> None:
        """Say why, and after how many seconds to come back, then close; nothing is written afterwards."""
        if self.closed is not None:
            return
        self.closed = code
        self.outlet.write(self.encoding.frame(Closing(code=code, retry_in=retry_in)))
        self.outlet.close(STATUS[code], code)

    def press(self, waiting: int, now: float) -> None:
        """Take note that so many bytes wait in the socket."""
        if waiting <= LAGS_ABOVE and self.lagging_since is None:
            return
        lagging = now - self.lagging_since if self.lagging_since is not None else 0.0
        if waiting > TOO_SLOW_ABOVE or (lagging > TOO_SLOW_AFTER and waiting >= DRAINED_BELOW):
            self.close("too_slow")
        elif self.lagging_since is None:
            self.lagging_since = now


WriteAll = Callable[[Mapping[Connection, Any], bytes], Sequence[tuple[Connection, int]]]
"""Writes the same bytes to the outlets of many connections: for those where bytes wait then, how many. An adapter may
know a shorter way than one `write` after another."""


def write_each(outlets: Mapping[Connection, Outlet], data: bytes) -> list[tuple[Connection, int]]:
    """The plain way."""
    return [(connection, waiting) for connection, outlet in outlets.items() if (waiting := outlet.write(data))]

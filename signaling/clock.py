"""This module owns the time that pages share with the server: how they learn it, and how long a page's turn waits so
that all rooms show it together.

A turn reaches a classroom on a slow line later than the others. So it says an instant a little ahead, as far as the
slowest room needs whose line is not hopeless, and whoever hears of it before then waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from signaling.materials import MaterialOpened, PageTurned
from signaling.wire import Wire

if TYPE_CHECKING:
    from signaling.messages import AnyRoomEvent

MOST_LEAD: Final = 0.35
"""Seconds that a turn waits at most: the teacher's own words take nearly as long to get there."""
MARGIN: Final = 0.03
"""Seconds beyond what the slowest room took lately."""

Delay = Annotated[float, Meta(ge=0.0, le=60.0)]


class AskTime(Wire, frozen=True, kw_only=True, tag="ask_time"):
    """What is the time at the server? Asked a few times at the start, then every few seconds; not journalled. `sent` is
    the sender's own clock, of which the server only says it back; `behind`: seconds after which the server's words
    reached the sender lately, absent while it does not know."""

    sent: float
    behind: Delay | None = None


class TimeTold(Wire, frozen=True, kw_only=True, tag="time_told"):
    """The answer to `ask_time`."""

    sent: float
    server_time: float


def lead(delays: Iterable[float]) -> float:
    """Seconds that a turn waits, from the delays of the classrooms. Whom even the longest wait would not reach in time
    is not waited for: it is late either way."""
    within = [delay for delay in delays if 0.0 <= delay <= MOST_LEAD - MARGIN]
    return round(max(within) + MARGIN, 3) if within else 0.0


def in_step(events: Sequence[AnyRoomEvent], seconds: float) -> list[AnyRoomEvent]:
    """The same events, those that show another page with the wait in them."""
    return [
        replace(event, lead=seconds) if isinstance(event, MaterialOpened | PageTurned) else event for event in events
    ]

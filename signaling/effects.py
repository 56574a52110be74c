"""This module owns what events set off outside their room: in the store, on the media plane, in the recordings."""

from __future__ import annotations

from collections.abc import Callable

from signaling.events import (
    Joined,
    Left,
    Muted,
    Returned,
    SessionEnded,
    SessionLive,
    SessionOpened,
    SessionOverrun,
    SpotlightSet,
)
from signaling.session_media import SessionMedia
from signaling.wire import RoomEvent

RANKED = frozenset({Joined, Returned, Left, SpotlightSet})
"""What changes whose picture matters."""
WITH_EFFECTS = RANKED | {SessionOpened, SessionOverrun, SessionLive, SessionEnded, Muted}


class Effects:
    """The effects of one session's events. `changed`: its state is another one; `ended`: it is over."""

    def __init__(self, media: SessionMedia, changed: Callable[[], object], ended: Callable[[], object]) -> None:
        self._media = media
        self._changed = changed
        self._ended = ended

    def set_off(self, event: RoomEvent) -> None:
        """Do what follows from one event, which is written and folded."""
        match event:
            case SessionOpened() | SessionOverrun():
                self._changed()
            case SessionLive():
                self._changed()
                self._media.record_all()
            case SessionEnded():
                self._changed()
                self._ended()
            case Muted():
                self._media.obey_mute(event.participant)
            case Left():
                self._media.drop(event.participant)
                self._media.obey_mute(event.participant)
        if type(event) in RANKED:
            self._media.rank()

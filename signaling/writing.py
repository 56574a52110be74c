"""This module owns the writing of what happens in a session: numbered, written, folded into the room and told.

What is only the room's own is folded at once, and written with all else of the same moment before the first byte of it
is told; where the disk refuses, it is taken back as a whole, and the room is what the journal says it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from signaling.fanout import Fanout
from signaling.history import Cause, History, JournalRefused
from signaling.messages import Ack, AnyRoomEvent, Event, Refused, ServerMessage
from signaling.room import Room

log = logging.getLogger(__name__)


class Writing:
    """What has happened in one room and must be written before anybody hears of it."""

    def __init__(self, room: Room, history: History, fanout: Fanout) -> None:
        self._room = room
        self._history = history
        self._fanout = fanout
        self._doubtful = False
        """Whether the journal has refused lately: then nothing is folded before it is written."""
        self._astray = False
        """Whether the room still holds what the journal has refused, for it could not be read again either."""
        fanout.before = self.settle

    def expect(self, events: Sequence[AnyRoomEvent], cause: Cause, at: float) -> int:
        """Make events happen that have no effects outside the room, to be written with all else that happens in this
        moment. Returns the number of the last event; raises JournalRefused."""
        if self._doubtful and events:
            self.commit(events, cause, at)
        else:
            self._fold(self._history.expect(events, at, cause))
        return self._history.last_seq

    def commit(self, events: Sequence[AnyRoomEvent], cause: Cause | None, at: float) -> None:
        """Write events, and what waits before them, then make them happen; raises JournalRefused."""
        self.demand()
        expected = self._history.expect(events, at, cause)
        self._history.write()
        self._doubtful = False
        self._fold(expected)

    def demand(self) -> None:
        """Settle; raises JournalRefused where the journal refuses."""
        if not self.settle():
            raise JournalRefused("what happened before is not written")

    def settle(self) -> bool:
        """Write down what has happened in this moment. False where the journal refuses: then it has not happened, the
        room is as the journal knows it, and whoever asked for it is refused."""
        try:
            self._history.write()
        except JournalRefused as refused:
            untold = {id(message) for message in refused.untold}
            self._fanout.amend(lambda message: _unsaid(message) if id(message) in untold else message)
            self._doubtful = self._astray = True
            self._go_back()
            return False
        return not self._astray or self._go_back()

    def _go_back(self) -> bool:
        """Make the room what the journal says it is. False where the journal cannot be read just now."""
        try:
            written = list(self._history.written())
        except OSError as error:
            log.error("the journal of session %s cannot be read: %s", self._room.session, error)
            return False
        self._room.forget()
        for event, at in written:
            self._room.evolve(event, at)
        self._astray = False
        return True

    def _fold(self, events: Sequence[Event]) -> None:
        evolve, post = self._room.evolve, self._fanout.post
        for event in events:
            evolve(event.event, event.at)
            post(event)


def _unsaid(message: ServerMessage) -> Refused | None:
    """What is told in the place of an event or an answer that does not hold."""
    return Refused(msg_id=message.msg_id, code=JournalRefused.code) if isinstance(message, Ack | Refused) else None

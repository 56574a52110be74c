"""This module owns what has happened in one session: on disk, in memory for those who return, and what was answered."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Iterator

import msgspec

from signaling.commands import Hello
from signaling.errors import SignalingError
from signaling.messages import Ack, AnyRoomEvent, Event, ServerMessage
from signaling.ports import Journal

KEPT_EVENTS = 4096
"""Events kept in memory for those who return; who missed more gets a snapshot."""
KEPT_ANSWERS = 256
"""Answers kept for each participant, to answer a repeated command as before."""

Cause = tuple[str, str]
"""Participant and message id of the command behind an event."""

log = logging.getLogger(__name__)
_events: msgspec.msgpack.Encoder = msgspec.msgpack.Encoder()
_CAUSE = _events.encode("cause")
_LARGEST_SMALL_MAP = 0x8F


class JournalRefused(SignalingError):
    """The journal did not take an event: it has not happened."""

    code = "journal_unwritable"


class History:
    """A journal with its newest events and the answers that were given."""

    def __init__(self, session: str, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._recent: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._answers: dict[str, OrderedDict[str, ServerMessage]] = {}

    @property
    def epoch(self) -> int:
        return self._journal.epoch

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    def replay(self) -> Iterator[tuple[AnyRoomEvent, float]]:
        """Everything from the beginning; the answers to the commands behind it are known again afterwards."""
        for entry in self._journal.read():
            cause = entry.event.get("cause")
            if isinstance(cause, list | tuple):
                participant, msg_id = cause
                self.remember(participant, msg_id, Ack(msg_id=msg_id, seq=entry.seq))
            event: AnyRoomEvent = msgspec.convert(entry.event, AnyRoomEvent)
            yield event, entry.at

    def append(self, event: AnyRoomEvent, at: float, cause: Cause | None) -> Event:
        """Write one event down; raises JournalRefused when the disk does not take it. `cause` goes with the last event
        of a command, so that the command, repeated after a crash, is recognised."""
        body = _events.encode(event)
        if cause is not None:
            body = _with_cause(body, cause)
        try:
            seq = self._journal.append(body, at)
        except Exception as error:
            # which errors these are is the journal's own business; none of them may take the room down
            log.error("the journal of session %s refused an event: %s", self._session, error)
            raise JournalRefused(str(error)) from error
        told = Event(epoch=self._journal.epoch, seq=seq, at=at, event=event)
        self._recent.append(told)
        return told

    def missed(self, hello: Hello) -> list[Event] | None:
        """The events after those that a returning client has seen; None when only a snapshot can tell."""
        last = self._journal.last_seq
        if hello.epoch != self._journal.epoch or hello.seq is None or hello.seq > last:
            return None
        if hello.seq < last and (not self._recent or self._recent[0].seq > hello.seq + 1):
            return None
        return [event for event in self._recent if event.seq > hello.seq]

    def answer(self, participant: str, msg_id: str) -> ServerMessage | None:
        """What a command of this id was answered before."""
        answers = self._answers.get(participant)
        return None if answers is None else answers.get(msg_id)

    def remember(self, participant: str, msg_id: str, answer: ServerMessage) -> None:
        """Keep the answer to a command."""
        answers = self._answers.get(participant)
        if answers is None:
            answers = self._answers[participant] = OrderedDict()
        answers[msg_id] = answer
        if len(answers) > KEPT_ANSWERS:
            answers.popitem(last=False)

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()


def _with_cause(body: bytes, cause: Cause) -> bytes:
    """The packed map `body` with one more entry; decoding it for that would cost as much as all the rest of a command.
    Structs are maps of up to 15 entries in their shortest form, and of 16 bits of length beyond."""
    entry = _CAUSE + _events.encode(cause)
    if body[0] < _LARGEST_SMALL_MAP:
        return bytes((body[0] + 1,)) + body[1:] + entry
    if body[0] == _LARGEST_SMALL_MAP:
        return b"\xde\x00\x10" + body[1:] + entry
    return body[:1] + (int.from_bytes(body[1:3], "big") + 1).to_bytes(2, "big") + body[3:] + entry

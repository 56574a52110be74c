"""This module owns what has happened in one session: on disk, in memory for those who return, and what was answered."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from signaling.commands import Hello
from signaling.errors import SignalingError
from signaling.messages import Ack, AnyRoomEvent, Event, ServerMessage
from signaling.ports import Journal, JournalEntry

KEPT_EVENTS = 4096
"""Events kept in memory for those who return; who missed more gets a snapshot."""
KEPT_ANSWERS = 256
"""Answers kept for each participant at least, to answer a repeated command as before."""

Cause = tuple[str, str]
"""Participant and message id of the command behind an event."""

log = logging.getLogger(__name__)
_events: msgspec.msgpack.Encoder = msgspec.msgpack.Encoder()
_CAUSE = _events.encode("cause")
_LARGEST_SMALL_MAP = 0x8F


class JournalRefused(SignalingError):
    """The journal did not take what has been expected: it has not happened. `untold`: the events, and the answers that
    were given meanwhile; nobody may hear of them."""

    code = "journal_unwritable"

    def __init__(self, why: str, untold: Sequence[ServerMessage] = ()) -> None:
        super().__init__(why)
        self.untold = untold


class _Answers:
    """The newest answers to one participant, at least KEPT_ANSWERS of them."""

    __slots__ = ("newest", "older")

    def __init__(self) -> None:
        self.newest: dict[str, ServerMessage] = {}
        self.older: dict[str, ServerMessage] = {}

    def get(self, msg_id: str) -> ServerMessage | None:
        return self.newest.get(msg_id) or self.older.get(msg_id)

    def keep(self, msg_id: str, answer: ServerMessage) -> None:
        if len(self.newest) >= KEPT_ANSWERS:
            self.older, self.newest = self.newest, {}
        self.newest[msg_id] = answer

    def forget(self, msg_id: str) -> ServerMessage | None:
        return self.newest.pop(msg_id, None) or self.older.pop(msg_id, None)


class History:
    """A journal with its newest events and the answers that were given.

    What happens in one moment is `expect`ed, then written all at once. Until `write` has returned it may be refused as
    a whole: nobody may hear of it, neither of its events nor of the answers that were given meanwhile.
    """

    def __init__(self, session: str, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._recent: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._answers: dict[str, _Answers] = {}
        self._waiting: list[tuple[bytes, float]] = []
        self._expected: list[Event] = []
        """The events that wait."""
        self._given: list[tuple[str, str]] = []
        """Participant and message id of the answers that hold only once what waits is written."""
        self.epoch = journal.epoch
        self.last_seq = journal.last_seq
        """The number of the newest event, expected or written."""

    def replay(self) -> Iterator[tuple[AnyRoomEvent, float]]:
        """Everything from the beginning; the answers to the commands behind it are known again afterwards."""
        for entry in self._journal.read():
            cause = entry.event.get("cause")
            if isinstance(cause, list | tuple):
                participant, msg_id = cause
                self.remember(participant, msg_id, Ack(msg_id=msg_id, seq=entry.seq))
            yield _event_of(entry), entry.at

    def written(self) -> Iterator[tuple[AnyRoomEvent, float]]:
        """Everything from the beginning that the journal has taken."""
        for entry in self._journal.read():
            yield _event_of(entry), entry.at

    def expect(self, events: Iterable[AnyRoomEvent], at: float, cause: Cause | None) -> list[Event]:
        """Give events their numbers, and let them wait for `write`. `cause` goes with the last one, so that the
        command behind them, repeated after a crash, is recognised."""
        waiting, epoch, seq = self._waiting, self.epoch, self.last_seq
        expected: list[Event] = []
        for event in events:
            seq += 1
            waiting.append((_events.encode(event), at))
            expected.append(Event(epoch=epoch, seq=seq, at=at, event=event))
        if expected and cause is not None:
            waiting[-1] = (_with_cause(waiting[-1][0], cause), at)
        self.last_seq = seq
        self._expected += expected
        return expected

    def write(self) -> None:
        """Write down what waits; raises JournalRefused when the disk does not take it: then it has never been."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self._journal.extend(waiting)
        except Exception as error:
            # which errors these are is the journal's own business; none of them may take the room down
            log.error("the journal of session %s refused %d events: %s", self._session, len(waiting), error)
            raise JournalRefused(str(error), self._take_back()) from error
        self._recent.extend(self._expected)
        self._expected.clear()
        if self._given:
            self._given.clear()

    def missed(self, hello: Hello) -> list[Event] | None:
        """The events after those that a returning client has seen; None when only a snapshot can tell."""
        last = self.last_seq
        if hello.epoch != self.epoch or hello.seq is None or hello.seq > last:
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
            answers = self._answers[participant] = _Answers()
        answers.keep(msg_id, answer)
        if self._waiting:
            self._given.append((participant, msg_id))

    def close(self) -> None:
        """Let go of the journal. What it has taken is in the file, also where the disk does not say so."""
        try:
            self._journal.close()
        except Exception as error:
            # as in `write`: the other sessions of the process must be closed, too
            log.error("the journal of session %s could not be closed: %s", self._session, error)

    def _take_back(self) -> list[ServerMessage]:
        """Forget the events that wait, and the answers that were given since the first of them."""
        untold: list[ServerMessage] = [*self._expected]
        self._expected.clear()
        self.last_seq -= len(untold)
        given, self._given = self._given, []
        untold += filter(None, (self._answers[participant].forget(msg_id) for participant, msg_id in given))
        return untold


def _event_of(entry: JournalEntry) -> AnyRoomEvent:
    event: AnyRoomEvent = msgspec.convert(entry.event, AnyRoomEvent)
    return event


def _with_cause(body: bytes, cause: Cause) -> bytes:
    """The packed map `body` with one more entry; decoding it for that would cost as much as all the rest of a command.
    Structs are maps of up to 15 entries in their shortest form, and of 16 bits of length beyond."""
    entry = _CAUSE + _events.encode(cause)
    if body[0] < _LARGEST_SMALL_MAP:
        return bytes((body[0] + 1,)) + body[1:] + entry
    if body[0] == _LARGEST_SMALL_MAP:
        return b"\xde\x00\x10" + body[1:] + entry
    return body[:1] + (int.from_bytes(body[1:3], "big") + 1).to_bytes(2, "big") + body[3:] + entry

"""The process that answers questions about one standing table: its slots, its repairs, what a new one would break.

It keeps the table of the last question indexed, so the next one about the same table takes milliseconds; the event
loop's process neither builds models nor searches. `python -m server.repair_worker` reads questions from standard
input and answers them on standard output, each as four bytes of length and MessagePack.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import BinaryIO

import msgspec
from msgspec import Struct

from server.collector import collect_seldom
from timetable.checker import check
from timetable.commitments import commitments_of
from timetable.errors import NotFound
from timetable.model import Finding, Register, Slot, Table
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.repair import CannotRepair, Repair, repair
from timetable.repairing.slots import SlotVerdict, slots

SIZE_BYTES = 4


class Subject(Struct, frozen=True, tag=True):
    """What the next questions are about: a table, among the standing tables of other communities."""

    register: Register
    table: Table
    around: tuple[Table, ...]


class AskSlots(Struct, frozen=True, tag=True):
    lesson: str


class AskRepair(Struct, frozen=True, tag=True):
    """`number` rises from search to search."""

    lesson: str
    target: Slot
    seconds: float
    number: int = 0


class Stop(Struct, frozen=True, tag=True):
    """The search of that number need not go on. It is read while the search goes on, and has no answer."""

    number: int


class AskCheck(Struct, frozen=True, tag=True):
    """What a new table would break that is not broken now."""

    table: Table


Question = Subject | AskSlots | AskRepair | AskCheck


class Answer(Struct, frozen=True, omit_defaults=True):
    """The part that was asked for. `missing` is the noun and id of what is not there; `refused` says that the repair
    is impossible, for the reasons in `findings`; `stopped` that it was looked for no further."""

    slots: tuple[SlotVerdict, ...] = ()
    repair: Repair | None = None
    findings: tuple[Finding, ...] = ()
    refused: bool = False
    stopped: bool = False
    missing: tuple[str, str] | None = None


class Desk:
    """Answers one question after the other."""

    def __init__(self) -> None:
        self.stopped = 0
        """The number of the last search that need not go on; written by who reads the questions."""
        self._subject: Subject | None = None
        self._arrangement: Arrangement | None = None

    def answer(self, question: Question) -> Answer:
        if isinstance(question, Subject):
            self._take(question)
            return Answer()
        assert self._arrangement is not None
        assert self._subject is not None
        try:
            if isinstance(question, AskSlots):
                return Answer(slots=slots(self._arrangement, question.lesson))
            if isinstance(question, AskRepair):
                found = self._repair(self._arrangement, question)
                return Answer(stopped=True) if self.stopped >= question.number else Answer(repair=found)
        except NotFound as error:
            return Answer(missing=(error.noun, error.id))
        except CannotRepair as error:
            if isinstance(question, AskRepair) and self.stopped >= question.number:
                return Answer(stopped=True)
            return Answer(refused=True, findings=error.findings)
        return Answer(findings=self._broken(self._subject, question))

    def _take(self, subject: Subject) -> None:
        register = subject.register
        community = next(c for c in register.communities if c.id == subject.table.community)
        problem = Problem(register, community, commitments_of(register, subject.around))
        self._subject, self._arrangement = subject, Arrangement(problem, subject.table)

    def _repair(self, arrangement: Arrangement, question: AskRepair) -> Repair:
        return repair(
            arrangement,
            question.lesson,
            question.target,
            seconds=question.seconds,
            should_stop=lambda: self.stopped >= question.number,
        )

    @staticmethod
    def _broken(subject: Subject, question: AskCheck) -> tuple[Finding, ...]:
        before = check(subject.register, *subject.around, subject.table)
        after = check(subject.register, *subject.around, question.table)
        return tuple(finding for finding in after if finding not in before)


def frame(message: Struct) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(SIZE_BYTES, "big") + body


def work(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until the questions end. They are read beside, so that one can be stopped while it is answered."""
    desk = Desk()
    questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, desk, questions), name="questions", daemon=True).start()
    while (question := questions.get()) is not None:
        sink.write(frame(desk.answer(question)))
        sink.flush()


def _read(source: BinaryIO, desk: Desk, questions: queue.SimpleQueue[Question | None]) -> None:
    decoder = msgspec.msgpack.Decoder(Question | Stop)
    try:
        while size := source.read(SIZE_BYTES):
            message = decoder.decode(source.read(int.from_bytes(size, "big")))
            if isinstance(message, Stop):
                desk.stopped = message.number
            else:
                questions.put(message)
    finally:
        # whatever ended the reading ends the process
        questions.put(None)


if __name__ == "__main__":
    collect_seldom()
    work(sys.stdin.buffer, sys.stdout.buffer)

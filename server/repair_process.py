"""The process that answers about standing tables, seen from the server: started by the first question, ended when none
comes for a while, and asked one question at a time.

A search takes seconds, and people wait for it or do not; nobody's accepted repair waits for it. So a check goes before
all searches and stops the one that is under way, which begins again after it; a search that its asker gives up is
stopped as well. The process stays: what it has before it took longer to set out than most answers take.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import structs

from server.repair_worker import SIZE_BYTES, Answer, AskCheck, AskRepair, Question, Stop, Subject, frame
from server.solver_process import PROJECT
from timetable.errors import TimetableError
from timetable.model import Register, Table

LONGEST_ANSWER = 60.0


class WorkerStopped(TimetableError):
    """The worker ended, or did not answer in time."""

    code = "worker_stopped"


@dataclass(frozen=True, slots=True)
class Known:
    """What the process has before it."""

    register: Register
    table: Table
    around: tuple[tuple[str, int], ...]


class RepairProcess:
    """The process; one question at a time, checks before all others. It ends after so many seconds without any."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Condition()
        self._busy = False
        self._checks = 0
        """Checks that wait for their turn."""
        self._searching: int | None = None
        """The number of the search under way."""
        self._stopped = 0
        """That of the last which need not go on."""
        self._numbers = itertools.count(1)
        self._asked: set[asyncio.Task[Answer]] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._known: Known | None = None
        self._idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    @property
    def questions(self) -> int:
        """How many are asked and not answered yet."""
        return len(self._asked)

    async def ask(self, known: Known, subject: Subject, question: Question) -> Answer:
        """The answer about what is known. Raises WorkerStopped. Who cancels a search ends it, and the process goes on
        with the next question."""
        while True:
            number = next(self._numbers)
            if isinstance(question, AskRepair):
                question = structs.replace(question, number=number)
            asked = asyncio.create_task(self._in_turn(known, subject, question))
            self._asked.add(asked)
            asked.add_done_callback(self._asked.discard)
            try:
                answer = await asyncio.shield(asked)
            except asyncio.CancelledError:
                if self._searching == number:
                    # its answer is still to come, and must not be taken for the next one's
                    self._stop()
                    asked.add_done_callback(_unheard)
                else:
                    asked.cancel()
                raise
            if not answer.stopped:
                return answer

    async def _in_turn(self, known: Known, subject: Subject, question: Question) -> Answer:
        check = isinstance(question, AskCheck)
        async with self._turn:
            self._checks += check
            if check and self._searching is not None:
                self._stop()
            try:
                await self._turn.wait_for(lambda: not self._busy and (check or not self._checks))
                self._busy = True
            finally:
                self._checks -= check
                self._turn.notify_all()
        try:
            return await self._answered(known, subject, question)
        finally:
            self._busy = False
            async with self._turn:
                self._turn.notify_all()

    async def _answered(self, known: Known, subject: Subject, question: Question) -> Answer:
        if self._idle is not None:
            self._idle.cancel()
        try:
            if isinstance(question, AskRepair):
                self._searching = question.number
            return await asyncio.wait_for(self._answer(known, subject, question), LONGEST_ANSWER)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
            self._kill()
            raise WorkerStopped from error
        except BaseException:
            # the answer still to come must not be taken for the next one's
            self._kill()
            raise
        finally:
            self._searching = None
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._kill)

    async def _answer(self, known: Known, subject: Subject, question: Question) -> Answer:
        if self._process is None or self._process.returncode is not None:
            self._known = None
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server.repair_worker"),
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            if self._stopped == self._searching:
                self._stop()  # there was nobody to tell before
        questions: Sequence[Question] = (question,)
        if not self._same(known):
            questions = (subject, question)
        answer = Answer()
        for one in questions:
            answer = await self._exchange(self._process, one)
        self._known = known
        return answer

    def _same(self, known: Known) -> bool:
        have = self._known
        return (
            have is not None
            and (have.register is known.register or have.register == known.register)
            and have.around == known.around
            and (have.table is known.table or have.table == known.table)
        )

    @staticmethod
    async def _exchange(process: asyncio.subprocess.Process, question: Question) -> Answer:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(await asyncio.to_thread(frame, question))
        await process.stdin.drain()
        size = int.from_bytes(await process.stdout.readexactly(SIZE_BYTES), "big")
        return msgspec.msgpack.decode(await process.stdout.readexactly(size), type=Answer)

    def _stop(self) -> None:
        """Have the search under way end; its answer says that it was stopped, unless it was there already."""
        if self._searching is None:
            return
        self._stopped = self._searching
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(frame(Stop(self._searching)))

    def _kill(self) -> None:
        self._known = None
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def close(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        process = self._process
        self._kill()
        for asked in tuple(self._asked):
            asked.cancel()
        if process is not None:
            await process.wait()


def _unheard(asked: asyncio.Task[Answer]) -> None:
    """What came of a question that nobody waits for: whatever it was, somebody else's question meets it too."""
    if not asked.cancelled():
        asked.exception()

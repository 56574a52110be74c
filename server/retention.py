"""Deletes recordings whose time is over: a lesson's after the retention time, a rehearsal's after a week.

What people wrote in the review stays; the pictures, voices and single answers of the pupils do not.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from recordings.errors import JournalLocked
from recordings.journal import Journal
from recordings.manifest import MANIFEST_FILE
from recordings.repair import sessions
from server.answer_files import AnswerFiles
from server.journals import FileJournals
from signaling.plan import SessionRecord
from signaling.ports import SessionStore

DAY_SECONDS = 86400.0
REHEARSAL_DAYS = 7
PERIOD_SECONDS = 3600.0

log = structlog.get_logger()


class Retention:
    """`clock` gives unix seconds, `days` is how long a lesson's recording is kept."""

    def __init__(
        self,
        store: SessionStore,
        folder: Path,
        answers: AnswerFiles,
        journals: FileJournals,
        *,
        days: int,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._folder = folder
        self._answers = answers
        self._journals = journals
        self._days = days
        self._clock = clock

    async def run(self) -> None:
        """Look once an hour until cancelled."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.error("retention_failed", exc_info=error)
            await asyncio.sleep(PERIOD_SECONDS)

    async def look(self) -> list[str]:
        """Delete what is due; the ids of the sessions whose recordings are gone."""
        deleted = []
        for folder in await asyncio.to_thread(lambda: list(sessions(self._folder))):
            record = await self._due(folder.name)
            if record is None:
                continue
            try:
                gone = await asyncio.to_thread(_delete, folder)
            except OSError as error:
                # one folder that the disk refuses to let go must not keep the others
                log.error("recording_not_deleted", session=folder.name, error=str(error))
                continue
            if gone:
                log.info("recording_deleted", session=folder.name, kept_days=self._kept(record))
                deleted.append(folder.name)
        for session in await asyncio.to_thread(lambda: list(self._answers.sessions())):
            record = await self._due(session)
            if record is not None:
                journal = self._journals.path(record.journal)
                if await asyncio.to_thread(self._answers.forget, session, journal):
                    log.info("answers_forgotten", session=session, kept_days=self._kept(record))
        return deleted

    async def _due(self, session: str) -> SessionRecord | None:
        """The session, where its time is over."""
        record = await self._store.get(session)
        if record is None or record.ended_at is None:
            return None
        return record if self._clock() - record.ended_at >= self._kept(record) * DAY_SECONDS else None

    def _kept(self, record: SessionRecord) -> int:
        return REHEARSAL_DAYS if record.kind == "rehearsal" else self._days


def _delete(folder: Path) -> bool:
    """Delete a folder that nobody writes into. The manifest goes last, so that a deletion cut short is repeated."""
    try:
        Journal.open(folder / MANIFEST_FILE).close()
    except JournalLocked:
        return False
    for file in folder.iterdir():
        if file.name != MANIFEST_FILE:
            file.unlink()
    shutil.rmtree(folder)
    return True

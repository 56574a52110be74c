"""Deletes recordings whose time is over: a lesson's after the retention time, a rehearsal's after a week.

What people wrote in the review stays; the pictures, voices and single answers of the pupils do not.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from recordings.errors import RecordingsError
from recordings.journal import is_written
from recordings.manifest import MANIFEST_FILE, read_recording
from recordings.repair import sessions
from server.answer_files import AnswerFiles
from server.journals import FileJournals
from signaling.plan import SessionRecord
from signaling.ports import SessionStore

DAY_SECONDS = 86400.0
REHEARSAL_DAYS = 7
PERIOD_SECONDS = 3600.0

log = structlog.get_logger()


class DeletedFile(Struct, frozen=True):
    """A file that is gone: of whom, and what it was."""

    participant: str
    file: str
    size: int
    sha256: str


class RecordingDeleted(Struct, frozen=True, kw_only=True, tag="recording_deleted", tag_field="type"):
    """The event in the session's journal that proves the deletion."""

    kept_days: int
    files: tuple[DeletedFile, ...]


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
            if record is not None and await self._attempt(folder.name, self._delete, folder, record):
                log.info("recording_deleted", session=folder.name, kept_days=self._kept(record))
                deleted.append(folder.name)
        for session in await asyncio.to_thread(lambda: list(self._answers.sessions())):
            record = await self._due(session)
            if record is None:
                continue
            journal = self._journals.path(record.journal)
            if await self._attempt(session, self._answers.forget, session, journal):
                log.info("answers_forgotten", session=session, kept_days=self._kept(record))
        return deleted

    async def _attempt(self, session: str, work: Callable[..., bool], *arguments: object) -> bool:
        """Whether the work is done; what the disk refuses to let go must not keep the others, and is tried again."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except (OSError, RecordingsError) as error:
            log.error("not_deleted", session=session, work=work.__name__, error=str(error))
            return False

    def _delete(self, folder: Path, record: SessionRecord) -> bool:
        """Delete a folder that nobody writes into. The files go first: a full disk must not keep them. Then the
        session's journal is told what they were, and the manifest goes last, so that all of it is repeated where it
        was cut short."""
        if is_written(folder / MANIFEST_FILE):
            return False
        recording = read_recording(folder)
        for file in folder.iterdir():
            if file.name != MANIFEST_FILE:
                file.unlink()
        gone = RecordingDeleted(
            kept_days=self._kept(record),
            files=tuple(
                DeletedFile(facts.opened.participant, facts.opened.file, facts.sealed.size, facts.sealed.sha256)
                for facts in recording.segments
                if facts.sealed is not None
            ),
        )
        with self._journals.open(record.journal) as journal:
            journal.append(msgspec.to_builtins(gone), self._clock())
        shutil.rmtree(folder)
        return True

    async def _due(self, session: str) -> SessionRecord | None:
        """The session, where its time is over."""
        record = await self._store.get(session)
        if record is None or record.ended_at is None:
            return None
        return record if self._clock() - record.ended_at >= self._kept(record) * DAY_SECONDS else None

    def _kept(self, record: SessionRecord) -> int:
        return kept_days(record.kind, self._days)


def kept_days(kind: str, days: int) -> int:
    """Days from a session's end until its recording is deleted."""
    return REHEARSAL_DAYS if kind == "rehearsal" else days

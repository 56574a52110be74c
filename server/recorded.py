"""This module owns what lies on disk of a session: its recording with the index of each file, and its journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from recordings.errors import JournalLocked, JournalUnwritable, NotARecording
from recordings.fragments import index_file
from recordings.journal import Record, read_journal
from recordings.manifest import Recording, read_recording
from recordings.release import ReleaseChanged
from recordings.segment_index import FragmentIndex
from recordings.timeline import build_timeline
from recordings.withdrawal import units_of_photos
from server.journals import FileJournals
from server.retention import RecordingDeleted
from server.review_view import Recorded
from signaling.ports import SessionStore

INDEXES = 256
"""Indexes of files kept in memory: those of some twenty lessons, the last that were looked at."""

DELETED = RecordingDeleted.__struct_config__.tag

SESSIONS = 64
"""Ended sessions of which it is kept in memory whose photos they are."""

JOURNAL_TRIES, JOURNAL_PAUSE = 25, 0.2
"""A session that has just ended holds its journal for a moment longer; pause in seconds."""

log = structlog.get_logger()


class RecordedSessions:
    """`clock` gives unix seconds. Session ids are made by the server and safe in a path."""

    def __init__(
        self, journals: FileJournals, folder: Path, sessions: SessionStore, clock: Callable[[], float]
    ) -> None:
        self._journals = journals
        self._folder = folder
        self._sessions = sessions
        self._clock = clock
        self._indexes: dict[Path, FragmentIndex] = {}
        self._photos: dict[str, dict[str, str]] = {}

    def read(self, session: str) -> Recorded:
        """What was recorded of a session; reads its manifest, its journal and what is new in its files."""
        folder = self._folder / session
        recording = read_recording(folder) if folder.exists() else Recording(session=session)
        indexes: dict[str, FragmentIndex] = {}
        for facts in recording.segments:
            file = folder / facts.opened.file
            try:
                found = index_file(file, self._indexes.pop(file, None))
            except (NotARecording, OSError):
                continue  # just begun: there is nothing to play yet
            indexes[facts.id] = self._indexes[file] = found
        for file in list(self._indexes)[:-INDEXES]:
            self._indexes.pop(file, None)
        durations = {id: found.duration for id, found in indexes.items()}
        events = self.events(session)
        deleted = next((record.at for record in reversed(events) if record.event["type"] == DELETED), None)
        return Recorded(build_timeline(recording, events, self._clock(), durations), indexes, deleted)

    def events(self, session: str) -> list[Record]:
        """Everything that happened in a session; reads its whole journal."""
        path = self._journals.path(self._journals.locate(session))
        if not path.exists():
            return []
        return [record for _, record in read_journal(path).records if record is not None]

    def units_of_photos(self, session: str) -> dict[str, str]:
        """Whose class each photo of an ended session is of; a page asks for many of one at once."""
        found = self._photos.pop(session, None)
        self._photos[session] = found = units_of_photos(self.events(session)) if found is None else found
        for old in list(self._photos)[:-SESSIONS]:
            self._photos.pop(old, None)
        return found

    def file_of(self, session: str, segment: str) -> tuple[Path, str] | None:
        """The file of a segment and the unit it is of; None where there is none, or no more."""
        folder = self._folder / session
        if not folder.exists():
            return None
        recording = read_recording(folder)
        units = {entry.participant: entry.unit for entry in recording.participants}
        for facts in recording.segments:
            file = folder / facts.opened.file
            if facts.id == segment and file.exists():
                return file, units.get(facts.opened.participant, "")
        return None

    async def write_down(self, session: str, event: ReleaseChanged, at: float) -> None:
        """Add the change to the session's journal. The database holds it already: a disk that refuses undoes no
        withdrawal."""
        for last in range(JOURNAL_TRIES):
            record = await self._sessions.get(session)
            try:
                # while the session is not finished in the store, a restart would go on with its journal
                if record is not None and record.ended_at is not None:
                    await asyncio.to_thread(self._append, record.journal, event, at)
                    return
            except JournalLocked:
                pass
            except JournalUnwritable as error:
                log.error("release_not_in_journal", session=session, code=error.code, detail=str(error))
                return
            if last < JOURNAL_TRIES - 1:
                await asyncio.sleep(JOURNAL_PAUSE)
        log.error("release_not_in_journal", session=session, code=JournalLocked.code)

    def _append(self, journal: str, event: ReleaseChanged, at: float) -> None:
        with self._journals.open(journal) as written:
            written.append(msgspec.to_builtins(event), at)

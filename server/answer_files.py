"""Photos of pupils' work, one folder for each session, and what must be forgotten of their answers in time.

A session's folder stands for all that single pupils answered: as long as it is there, the retention has work to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recordings.errors import JournalLocked
from recordings.journal import Journal, Record, read_journal

OF_PUPILS = frozenset({"answered", "photo_added"})
"""Kinds of events that hold what single pupils answered."""


class AnswerFiles:
    """Session and photo ids are made by the server and safe in a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, session: str, photo: str, picture: bytes) -> None:
        """Write a photo; it is there whole or not at all."""
        folder = self._folder / session
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{photo}"
        part.write_bytes(picture)
        part.replace(self._path(session, photo))

    def read(self, session: str, photo: str) -> bytes | None:
        try:
            return self._path(session, photo).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, session: str, photo: str) -> None:
        self._path(session, photo).unlink(missing_ok=True)

    def remember(self, session: str, events: list[Record]) -> None:
        """Note that there is something to forget of this session, where there is."""
        if any(record.event["type"] in OF_PUPILS for record in events):
            (self._folder / session).mkdir(parents=True, exist_ok=True)

    def sessions(self) -> Iterator[str]:
        """Those of which something is still to be forgotten."""
        return (path.name for path in sorted(self._folder.glob("*")) if path.is_dir())

    def forget(self, session: str, journal: Path) -> bool:
        """Delete the photos and take the pupils' answers out of the journal; False while somebody writes it. Done again
        after a crash in between: the folder goes last."""
        if journal.exists() and not _scrub(journal):
            return False
        shutil.rmtree(self._folder / session, ignore_errors=True)
        return True

    def _path(self, session: str, photo: str) -> Path:
        return self._folder / session / f"{photo}.jpg"


def _scrub(journal: Path) -> bool:
    """Write the journal anew without what single pupils answered: that they answered, and which option, stays."""
    try:
        # held to the end: what somebody wrote meanwhile would be lost
        held = Journal.open(journal)
    except JournalLocked:
        return False
    fresh = journal.with_suffix(".scrubbed")
    with held:
        fresh.unlink(missing_ok=True)
        with Journal.open(fresh) as written:
            for _, record in read_journal(journal).records:
                if record is not None:
                    written.append(_forgotten(record.event), record.at)
        fresh.replace(journal)
    return True


def _forgotten(event: dict[str, Any]) -> dict[str, Any]:
    if event["type"] == "answered" and event.get("text"):
        return {**event, "text": "…"}
    return event

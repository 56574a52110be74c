"""This module owns what a recording writes down about itself: its segments in the manifest, its states to people.

Everything here happens on the recorder's own thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from recordings.errors import JournalUnwritable, SegmentUnwritable
from recordings.fragments import trim
from recordings.manifest import Ended, Entry, Finished, Manifest, Opened, Participant, Paused
from recordings.repair import seal_ended
from recordings.segment_log import EndedSegment, NewSegment

logger = logging.getLogger(__name__)


class RecordingState(StrEnum):
    """What people are told about the recording of one participant; `unsupported` is about the picture's codec."""

    RECORDING = "recording"
    PAUSED = "paused"
    UNSUPPORTED = "unsupported"
    NO_CONSENT = "no_consent"
    OFF = "off"


class Register:
    """The manifest of a session under way. `zero` is the lesson's zero on the recorder's clock."""

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        zero: float,
        on_state: Callable[[str, RecordingState], object],
        room: Callable[[], int],
        reserve: int,
    ) -> None:
        """`room` tells the free bytes of the disk; below `reserve` of them no segment is begun."""
        self._manifest = manifest
        self._folder = folder
        self._zero = zero
        self._on_state = on_state
        self._room = room
        self._reserve = reserve
        self._states: dict[str, RecordingState] = {}
        self._count = len(manifest.recording().segments)
        self._files: dict[str, Path] = {}

    def lesson_time(self, now: float) -> float:
        return now - self._zero

    def participant(self, entry: Participant) -> None:
        """Somebody's recording begins, or turns out to be impossible."""
        self._states.pop(entry.participant, None)
        self._note(entry)
        if not entry.consent:
            self.tell(entry.participant, RecordingState.NO_CONSENT)
        elif entry.codec:
            self.tell(entry.participant, RecordingState.UNSUPPORTED)

    def tell(self, participant: str, state: RecordingState) -> None:
        """Report a state once, when it changes."""
        if self._states.get(participant) != state:
            self._states[participant] = state
            self._on_state(participant, state)

    def lack_of_room(self) -> SegmentUnwritable | None:
        """The error of writing anything now; None while the disk has room."""
        free = self._room()
        return None if free >= self._reserve else SegmentUnwritable(self._folder.name, f"{free} bytes of disk left")

    def opened(self, participant: str, source: str, new: NewSegment) -> tuple[str, Path]:
        """Announce a segment and name its file. Raises SegmentUnwritable."""
        lack = self.lack_of_room()
        if lack is not None:
            raise lack
        self._count += 1
        id = f"{self._count:04d}"
        path = self._folder / f"{id}{new.suffix}"
        started_at = self.lesson_time(new.zero)
        try:
            self._manifest.add(
                Opened(id, participant, source, path.name, started_at, new.video, new.audio, new.synchronised)
            )
        except JournalUnwritable as error:
            raise SegmentUnwritable(path.name, error.reason) from error
        self._files[id] = path
        self.tell(participant, RecordingState.RECORDING)
        return id, path

    def ended(self, segment: EndedSegment) -> None:
        duration = segment.duration if segment.whole else trim(self._files[segment.id])
        self._note(Ended(segment.id, duration, segment.gaps, segment.whole))

    def paused(self, participant: str, error: SegmentUnwritable, now: float) -> None:
        """The participant's media cannot be written just now."""
        if self._states.get(participant) != RecordingState.PAUSED:
            logger.warning("recording of %s is paused: %s", participant, error.reason)
            self._note(Paused(participant, self.lesson_time(now), error.reason))
        self.tell(participant, RecordingState.PAUSED)

    def unreadable(self, participant: str) -> None:
        """The participant's picture is in a codec that cannot be recorded; the sound may go on."""
        self.tell(participant, RecordingState.UNSUPPORTED)

    def finished(self, now: float) -> None:
        self._note(Finished(self.lesson_time(now)))

    def seal(self) -> None:
        """Add the checksums that are missing, and let the manifest go."""
        try:
            seal_ended(self._manifest, self._folder)
        finally:
            self._manifest.close()

    def _note(self, entry: Entry) -> None:
        try:
            self._manifest.add(entry)
        except JournalUnwritable as error:
            # What a full disk keeps out of the manifest is found again by the repair at the next start.
            logger.warning("a %s is missing from the manifest: %s", type(entry).__name__, error.reason)


class ViewLog:
    """The register as one view sees it."""

    def __init__(self, register: Register, participant: str, source: str, clock: Callable[[], float]) -> None:
        self.source = source
        self._register = register
        self._participant = participant
        self._clock = clock

    def opened(self, new: NewSegment) -> tuple[str, Path]:
        return self._register.opened(self._participant, self.source, new)

    def ended(self, segment: EndedSegment) -> None:
        self._register.ended(segment)

    def paused(self, error: SegmentUnwritable) -> None:
        self._register.paused(self._participant, error, self._clock())

    def unreadable(self) -> None:
        self._register.unreadable(self._participant)

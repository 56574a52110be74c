"""This module owns a session's manifest: which segments there are, whose, from when, and whether they are whole.

The manifest is a journal of its own beside the segment files, and the truth about them: a segment is announced in it
before its file is made. What it says is folded into a `Recording`, the value everybody else reads.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import TracebackType

import msgspec

from recordings.journal import Damage, Journal, Scan, read_journal

MANIFEST_FILE = "manifest.journal"

_ENCODER = msgspec.msgpack.Encoder()


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The lesson's timeline begins at this Unix time."""

    session: str
    started_at: float


class Participant(msgspec.Struct, frozen=True, tag="participant"):
    """Who is in the lesson: `side` is "host" or "member". Without consent nothing of theirs is written.

    `at` is in lesson seconds. `codec` names the picture's codec when it is one that cannot be recorded.
    """

    participant: str
    side: str
    unit: str
    title: str
    consent: bool
    at: float
    codec: str = ""


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A segment begins. `started_at` is where its file's zero lies, in lesson seconds."""

    segment: str
    participant: str
    source: str
    file: str
    started_at: float
    video: bool
    audio: bool
    synchronised: bool


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A segment has ended; its picture's `gaps` are in seconds from its zero. `whole`: its file was closed properly."""

    segment: str
    duration: float
    gaps: tuple[tuple[float, float], ...]
    whole: bool


class Sealed(msgspec.Struct, frozen=True, tag="sealed"):
    """The file of an ended segment as it has to stay."""

    segment: str
    size: int
    sha256: str


class Paused(msgspec.Struct, frozen=True, tag="paused"):
    """Nothing of the participant could be written at this lesson second."""

    participant: str
    at: float
    reason: str


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """The recording ended at this lesson second."""

    at: float


Entry = Began | Participant | Opened | Ended | Sealed | Paused | Finished


class SegmentFacts(msgspec.Struct, frozen=True):
    """One segment. `ended` is None while it is being written (or after a crash, until repaired); so is `sealed`."""

    opened: Opened
    ended: Ended | None = None
    sealed: Sealed | None = None

    @property
    def id(self) -> str:
        return self.opened.segment


class Recording(msgspec.Struct, frozen=True):
    """Everything the manifest says. Segments and participants are in the order they began in."""

    session: str = ""
    started_at: float = 0.0
    participants: tuple[Participant, ...] = ()
    segments: tuple[SegmentFacts, ...] = ()
    pauses: tuple[Paused, ...] = ()
    finished_at: float | None = None
    damage: tuple[Damage, ...] = ()


class Manifest:
    """A manifest open for writing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @classmethod
    def open(cls, folder: Path) -> Manifest:
        """Raises JournalLocked while another process records into the folder, JournalUnwritable."""
        return cls(Journal.open(folder / MANIFEST_FILE))

    def add(self, entry: Entry) -> None:
        """Raises JournalUnwritable."""
        self._journal.append(_ENCODER.encode(entry))

    def recording(self) -> Recording:
        return _fold([record.event for record in self._journal.records()], self._journal.damage)

    def flush(self) -> None:
        self._journal.flush()

    def close(self) -> None:
        self._journal.close()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_recording(folder: Path) -> Recording:
    """What the folder's manifest says now, also while it is being written."""
    found: Scan = read_journal(folder / MANIFEST_FILE)
    return _fold([record.event for _, record in found.records if record is not None], found.damage)


def seal(path: Path, segment: str) -> Sealed:
    """The size and SHA-256 of an ended segment's file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Sealed(segment, file.tell(), digest.hexdigest())


def _fold(events: list[dict[str, object]], damage: tuple[Damage, ...]) -> Recording:
    recording = Recording(damage=damage)
    participants: dict[str, Participant] = {}
    segments: dict[str, SegmentFacts] = {}
    pauses: list[Paused] = []
    for event in events:
        try:
            entry = msgspec.convert(event, Entry)
        except msgspec.ValidationError:
            continue  # of a newer program; what this one knows is played, mended and deleted all the same
        match entry:
            case Began():
                recording = msgspec.structs.replace(recording, session=entry.session, started_at=entry.started_at)
            case Participant():
                participants[entry.participant] = entry
            case Opened():
                segments[entry.segment] = SegmentFacts(entry)
                recording = msgspec.structs.replace(recording, finished_at=None)
            case Ended() if entry.segment in segments:
                segments[entry.segment] = msgspec.structs.replace(segments[entry.segment], ended=entry)
            case Sealed() if entry.segment in segments:
                segments[entry.segment] = msgspec.structs.replace(segments[entry.segment], sealed=entry)
            case Paused():
                pauses.append(entry)
            case Finished():
                recording = msgspec.structs.replace(recording, finished_at=entry.at)
    return msgspec.structs.replace(
        recording, participants=tuple(participants.values()), segments=tuple(segments.values()), pauses=tuple(pauses)
    )

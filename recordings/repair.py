"""This module owns what a crash leaves to do: ending the segments nobody ended, and telling what is wrong with files.

Repairing never touches a fragment. A torn tail is cut behind the last whole one, and a file whose closing was cut short
gets back the eight bytes which closing overwrites, so that ordinary players read it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from recordings.errors import NotARecording
from recordings.fragments import index_file, trim
from recordings.manifest import MANIFEST_FILE, Ended, Manifest, SegmentFacts, read_recording, seal
from recordings.segment_index import SUFFIXES, FragmentIndex


class Finding(msgspec.Struct, frozen=True):
    """Something wrong with a recording: a stable code, and what it is about (a segment or a file name)."""

    code: str
    subject: str
    detail: str = ""


def verify(folder: Path) -> list[Finding]:
    """Everything wrong with one session's folder. Reads every byte of its files, and changes nothing."""
    recording = read_recording(folder)
    findings = [
        Finding("manifest_damaged", MANIFEST_FILE, f"{damage.length} bytes at {damage.offset}")
        for damage in recording.damage
    ]
    for facts in recording.segments:
        findings += _verify_segment(folder, facts)
    known = {facts.opened.file for facts in recording.segments}
    strays = sorted(path.name for path in folder.iterdir() if path.suffix in SUFFIXES and path.name not in known)
    return findings + [Finding("file_unknown", name) for name in strays]


def repair(folder: Path) -> list[Finding]:
    """End and seal what a crash left open in one session's folder; what was found and mended.

    Raises JournalLocked while the session is being recorded, JournalUnwritable.
    """
    if not (folder / MANIFEST_FILE).exists():
        return []
    with Manifest.open(folder) as manifest:
        findings = mend(manifest, folder)
        seal_ended(manifest, folder)
        return findings


def sessions(root: Path) -> Iterator[Path]:
    """The folders below `root` that hold a recording."""
    return (path.parent for path in sorted(root.glob(f"*/{MANIFEST_FILE}")))


def mend(manifest: Manifest, folder: Path) -> list[Finding]:
    """End what nobody ended, without reading whole files: a server that comes back in a lesson must not wait for it."""
    findings: list[Finding] = []
    for facts in manifest.recording().segments:
        path = folder / facts.opened.file
        if facts.ended is None:
            index = _index(path)
            duration = trim(path)
            findings.append(Finding("segment_unfinished", facts.id, f"{duration:.3f}"))
            manifest.add(Ended(facts.id, duration, (), whole=index is not None and index.closed))
    return findings


def seal_ended(manifest: Manifest, folder: Path) -> None:
    """Add the checksums of ended segments that have none. Raises JournalUnwritable, OSError."""
    for facts in manifest.recording().segments:
        path = folder / facts.opened.file
        if facts.ended is not None and facts.sealed is None and path.exists():
            manifest.add(seal(path, facts.id))


def _verify_segment(folder: Path, facts: SegmentFacts) -> list[Finding]:
    path = folder / facts.opened.file
    if facts.ended is None:
        return [Finding("segment_unfinished", facts.id)]
    if not path.exists():
        return (
            [Finding("file_missing", facts.id, path.name)] if facts.sealed is not None or facts.ended.duration else []
        )
    if facts.sealed is None:
        return [Finding("segment_unsealed", facts.id, path.name)]
    found = seal(path, facts.id)
    if found.size != facts.sealed.size:
        return [Finding("size_differs", facts.id, f"{found.size} instead of {facts.sealed.size}")]
    if found.sha256 != facts.sealed.sha256:
        return [Finding("checksum_differs", facts.id, found.sha256)]
    if facts.ended.duration and _index(path) is None:
        return [Finding("unreadable", facts.id, path.name)]
    return []


def _index(path: Path) -> FragmentIndex | None:
    try:
        return index_file(path)
    except (NotARecording, FileNotFoundError):
        return None

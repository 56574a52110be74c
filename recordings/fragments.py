"""This module owns the byte layout of an MP4 segment: where its start and its fragments are, from box headers alone. Of
a file of pictures in VP8 `webm` knows that; which of the two a file is, its first bytes tell.

A hybrid fragmented MP4 as the recorder writes it:

    growing or crashed   ftyp free free[ftyp] moov (moof mdat)*
    closed               ftyp free mdat[ftyp moov (moof mdat)*] moov

Closing appends a `moov` of the whole and overwrites eight bytes, the header of the second `free`, with that of an
`mdat` that swallows everything up to it. The bytes of the inner `ftyp`, its `moov` and the fragments stay where they
were, so one index serves a file in every state, and a player's byte ranges outlive the closing. Boxes are those of
ISO/IEC 14496-12; the codec names are those of RFC 6381.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from recordings import webm
from recordings.errors import NotARecording
from recordings.segment_index import ByteRange, Fragment, FragmentIndex, Read, TrackFacts

_MAX_HEADER = 1 << 20
_NOT_SYNC = 0x10000


class Box(NamedTuple):
    kind: bytes
    offset: int
    header: int
    size: int

    @property
    def body(self) -> int:
        return self.offset + self.header

    @property
    def end(self) -> int:
        return self.offset + self.size


def index_file(path: Path, known: FragmentIndex | None = None) -> FragmentIndex:
    """The index of a file in any state. With the `known` index of an earlier moment only what came since is read.

    Raises NotARecording when there is no readable initialization segment (yet), OSError when the file is not there.
    """
    with path.open("rb", buffering=0) as file:
        handle = file.fileno()
        size = os.fstat(handle).st_size
        index_of = webm.index if os.pread(handle, 4, 0) == webm.MAGIC else index
        try:
            return index_of(lambda offset, length: os.pread(handle, length, offset), size, known)
        except ValueError as error:
            raise NotARecording(path.name, str(error)) from error


def index(read: Read, size: int, known: FragmentIndex | None = None) -> FragmentIndex:
    """The index of `size` bytes. Raises ValueError (and nothing else) when they hold no initialization segment."""
    if known is None:
        init, tracks = _initialization(read, size)
        position, fragments = init.offset + init.size, []
    else:
        init, tracks, position, fragments = known.init, known.tracks, known.end, list(known.fragments)
    end = position
    closed = False
    by_number = {track.number: track for track in tracks}
    while (head := _box(read, position, size)) is not None:
        if head.kind == b"moov":
            # The moov of the whole, written while closing; the header over the second `free` is the last thing to come.
            closed = head.end <= size and read(init.offset - 4, 4) == b"mdat"
            break
        data = _box(read, head.end, size) if head.kind == b"moof" else None
        if data is None or data.kind != b"mdat" or data.end > size or head.size > _MAX_HEADER:
            break
        fragments.append(_fragment(read, head, data, by_number))
        position = end = data.end
    return FragmentIndex(init, tracks, tuple(fragments), end, closed)


def init_segment(path: Path, found: FragmentIndex) -> bytes:
    """The bytes of the initialization segment, to be appended before any fragment."""
    with path.open("rb") as file:
        file.seek(found.init.offset)
        return file.read(found.init.size)


def trim(path: Path) -> float:
    """Leave only the whole fragments of a file that was not closed, and tell their seconds; 0 when there are none.

    A closing that did not come to its end is taken back, so that ordinary players read the file too. Raises OSError.
    """
    try:
        found = index_file(path)
    except (NotARecording, FileNotFoundError):
        return 0.0
    if not found.closed:
        with path.open("r+b") as file:
            if found.container == "webm":
                webm.reopen(file)
            else:
                file.seek(found.init.offset)
                inner = int.from_bytes(file.read(4), "big")
                file.seek(found.init.offset - 8)
                file.write((inner + 8).to_bytes(4, "big") + b"free")
            file.truncate(found.end)
            file.flush()
            os.fsync(file.fileno())
    return found.duration


def _initialization(read: Read, size: int) -> tuple[ByteRange, tuple[TrackFacts, ...]]:
    """The inner ftyp and its moov lie behind the first eight bytes of the second free (mdat, once closed)."""
    ftyp = _box(read, 0, size)
    free = None if ftyp is None or ftyp.kind != b"ftyp" else _box(read, ftyp.end, size)
    outer = None if free is None or free.kind != b"free" else _box(read, free.end, size)
    # Closing a file beyond 4 GiB would use the 16-byte header, which takes the inner ftyp's own along: the recorder
    # begins a new segment long before.
    if outer is None or outer.kind not in (b"free", b"mdat") or outer.header != 8:
        raise ValueError("no initialization segment")
    inner = _box(read, outer.body, size)
    moov = None if inner is None or inner.kind != b"ftyp" else _box(read, inner.end, size)
    if inner is None or moov is None or moov.kind != b"moov" or moov.end > size or moov.size > _MAX_HEADER:
        raise ValueError("no initialization segment")
    tracks = tuple(_tracks(read(moov.body, moov.size - moov.header)))
    if not tracks:
        raise ValueError("no track of a known kind")
    return ByteRange(inner.offset, moov.end - inner.offset), tracks


def _tracks(moov: bytes) -> Iterator[TrackFacts]:
    defaults = {}
    for extends in _children(moov, b"mvex"):
        for trex in _children(extends, b"trex"):
            defaults[_u32(trex, 4)] = (_u32(trex, 12), _u32(trex, 20))
    for trak in _children(moov, b"trak"):
        tkhd, mdhd, entry = _first(trak, b"tkhd"), _first(trak, b"mdia", b"mdhd"), _sample_entry(trak)
        number = _u32(tkhd, 20 if tkhd[:1] == b"\1" else 12)
        timescale = _u32(mdhd, 20 if mdhd[:1] == b"\1" else 12)
        if entry is None or not timescale:
            continue
        kind, codec, width, height = entry
        duration, flags = defaults.get(number, (0, 0))
        yield TrackFacts(number, kind, timescale, codec, width, height, duration, flags)


def _sample_entry(trak: bytes) -> tuple[str, str, int, int] | None:
    stsd = _first(trak, b"mdia", b"minf", b"stbl", b"stsd")
    for entry, body in _walk(stsd[8:]):
        if entry == b"avc1":
            configuration = _first(body[78:], b"avcC")
            if len(configuration) >= 4:
                return "video", f"avc1.{configuration[1:4].hex()}", _u16(body, 24), _u16(body, 26)
        if entry == b"Opus":
            return "audio", "opus", 0, 0
    return None


def _fragment(read: Read, head: Box, data: Box, tracks: dict[int, TrackFacts]) -> Fragment:
    moof = read(head.body, head.size - head.header)
    starts: list[float] = []
    ends: list[float] = []
    sound: list[bool] = []
    keyframe = False
    for traf in _children(moof, b"traf"):
        tfhd = _first(traf, b"tfhd")
        track = tracks.get(_u32(tfhd, 4))
        if track is None:
            continue
        duration, flags = _tfhd_defaults(tfhd, track)
        tfdt = _first(traf, b"tfdt")
        start = _u64(tfdt, 4) if tfdt[:1] == b"\1" else _u32(tfdt, 4)
        length = 0
        first_flags: int | None = None
        for trun in _children(traf, b"trun"):
            lasts, begins = _run(trun, duration, flags)
            length += lasts
            first_flags = begins if first_flags is None else first_flags
        starts.append(start / track.timescale)
        ends.append((start + length) / track.timescale)
        sound.append(track.kind == "audio")
        if track.kind == "video":
            keyframe = first_flags is not None and not first_flags & _NOT_SYNC
    time = min(starts, default=0.0)
    only_sound = bool(sound) and all(sound) and not any(track.kind == "video" for track in tracks.values())
    return Fragment(time, max(ends, default=0.0) - time, head.offset, data.end - head.offset, keyframe or only_sound)


def _tfhd_defaults(tfhd: bytes, track: TrackFacts) -> tuple[int, int]:
    present = _u32(tfhd, 0)
    position = 8 + (8 if present & 0x1 else 0) + (4 if present & 0x2 else 0)
    duration, flags = track.default_duration, track.default_flags
    if present & 0x8:
        duration, position = _u32(tfhd, position), position + 4
    if present & 0x10:
        position += 4
    if present & 0x20:
        flags = _u32(tfhd, position)
    return duration, flags


def _run(trun: bytes, duration: int, flags: int) -> tuple[int, int]:
    """How long a run lasts, in the track's ticks, and the flags of its first sample."""
    present, count = _u32(trun, 0), _u32(trun, 4)
    position = 8 + (4 if present & 0x1 else 0)
    first: int | None = None
    if present & 0x4:
        first, position = _u32(trun, position), position + 4
    width = 4 * (present >> 8 & 0xF).bit_count()
    if first is None:
        before = (4 if present & 0x100 else 0) + (4 if present & 0x200 else 0)
        first = _u32(trun, position + before) if present & 0x400 else flags
    if not present & 0x100:
        return duration * count, first
    available = (len(trun) - position) // width
    return sum(_u32(trun, position + sample * width) for sample in range(min(count, available))), first


def _box(read: Read, offset: int, size: int) -> Box | None:
    head = read(offset, 16) if offset + 8 <= size else b""
    if len(head) < 8:
        return None
    length, header = _u32(head, 0), 8
    if length == 1 and len(head) == 16:
        length, header = _u64(head, 8), 16
    if length < header:
        return None
    return Box(head[4:8], offset, header, length)


def _walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position + 8 <= len(data):
        length = _u32(data, position)
        if length < 8 or position + length > len(data):
            return
        yield data[position + 4 : position + 8], data[position + 8 : position + length]
        position += length


def _children(data: bytes, kind: bytes) -> Iterator[bytes]:
    return (body for found, body in _walk(data) if found == kind)


def _first(data: bytes, *path: bytes) -> bytes:
    for kind in path:
        data = next(_children(data, kind), b"")
    return data


def _u16(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "big")


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "big")


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "big")

"""This module owns the byte layout of a WebM segment: where its start and its clusters are, from element headers alone.

Browsers play VP8 by Media Source from WebM only. As the recorder writes it:

    growing or crashed   EBML Segment(of unknown size) Void Info Tracks Tags Cluster*
    closed               EBML Segment(of its size) SeekHead Void Info Tracks Tags Cluster* Cues

Closing appends an index and changes bytes before the first cluster in place, the segment's size last. So one index
serves a file in every state. Elements are those of RFC 9559.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from recordings.segment_index import ByteRange, Fragment, FragmentIndex, Read, TrackFacts

MAGIC = b"\x1a\x45\xdf\xa3"

_EBML, _SEGMENT, _TRACKS, _CLUSTER, _CUES = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
_TRACK, _NUMBER, _CODEC, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0xD7, 0x86, 0xE0, 0xB0, 0xBA
_TIME, _SIMPLE_BLOCK, _BLOCK_GROUP, _BLOCK, _REFERENCE = 0xE7, 0xA3, 0xA0, 0xA1, 0xFB
_CODECS = {b"V_VP8": ("video", "vp8"), b"A_OPUS": ("audio", "opus")}
_UNKNOWN = b"\x01" + b"\xff" * 7
_MAX_HEADER = 1 << 20
_MAX_BLOCKS = 20_000
_LASTS = {"video": 1 / 15, "audio": 0.02}
"""Seconds that a track's only block of a cluster is taken to last: nothing in the file says it."""


class Element(NamedTuple):
    id: int
    body: int
    size: int | None
    """None: unknown, it reaches to the end."""

    @property
    def end(self) -> int:
        return self.body + (self.size or 0)


class _Block(NamedTuple):
    track: int
    time: int
    keyframe: bool


def index(read: Read, size: int, known: FragmentIndex | None = None) -> FragmentIndex:
    """The index of `size` bytes. Raises ValueError (and nothing else) when they hold no whole start of a segment."""
    segment = _segment(read, size)
    if known is None:
        init, tracks = _initialization(read, segment.body, size)
        position, fragments = init.size, []
    else:
        init, tracks, position, fragments = known.init, known.tracks, known.end, list(known.fragments)
    kinds = {track.number: track.kind for track in tracks}
    end, closed = position, False
    while (found := _element(read, position, size)) is not None:
        if found.size is None or found.end > size:
            break
        if found.id == _CLUSTER:
            fragments.append(_fragment(read, position, found, kinds))
            position = end = found.end
        elif found.id == _CUES:
            closed = segment.size is not None and segment.end <= size
            break
        else:
            break
    return FragmentIndex(init, tracks, tuple(fragments), end, closed, "webm")


def reopen(file: BinaryIO) -> None:
    """Take back what closing has done to the beginning: the segment is of unknown size again, so players read on to the
    end of the file."""
    file.seek(0)
    head = file.read(_MAX_HEADER)
    segment = _segment(lambda offset, length: head[offset : offset + length], len(head))
    if segment.size is not None:
        file.seek(segment.body - len(_UNKNOWN))
        file.write(_UNKNOWN)


def _segment(read: Read, size: int) -> Element:
    ebml = _element(read, 0, size)
    segment = None if ebml is None or ebml.id != _EBML or not ebml.size else _element(read, ebml.end, size)
    if ebml is None or segment is None or segment.id != _SEGMENT or segment.body - ebml.end != 12:
        raise ValueError("no segment")
    return segment


def _initialization(read: Read, position: int, size: int) -> tuple[ByteRange, tuple[TrackFacts, ...]]:
    tracks: tuple[TrackFacts, ...] = ()
    while (found := _element(read, position, size)) is not None and found.id != _CLUSTER:
        if found.size is None or found.end > min(size, _MAX_HEADER):
            raise ValueError("no initialization segment")
        if found.id == _TRACKS:
            tracks = tuple(_tracks(read(found.body, found.size)))
        position = found.end
    if found is None or not tracks:
        raise ValueError("no track of a known kind, or nothing in it")
    return ByteRange(0, position), tracks


def _tracks(data: bytes) -> Iterator[TrackFacts]:
    for id, body in _children(data):
        if id != _TRACK:
            continue
        facts = dict(_children(body))
        kind = _CODECS.get(facts.get(_CODEC, b""))
        if kind is not None:
            picture = dict(_children(facts.get(_VIDEO, b"")))
            width, height = _number(picture.get(_WIDTH, b"")), _number(picture.get(_HEIGHT, b""))
            yield TrackFacts(_number(facts.get(_NUMBER, b"")), kind[0], 1000, kind[1], width, height)


def _fragment(read: Read, offset: int, cluster: Element, kinds: dict[int, str]) -> Fragment:
    blocks = [block for block in _blocks(read, cluster) if block.track in kinds]
    starts: list[float] = []
    ends: list[float] = []
    for number, kind in kinds.items():
        times = [block.time / 1000 for block in blocks if block.track == number]
        if times:
            starts.append(times[0])
            ends.append(times[-1] + (times[-1] - times[-2] if len(times) > 1 else _LASTS[kind]))
    pictures = [block for block in blocks if kinds[block.track] == "video"]
    keyframe = pictures[0].keyframe if pictures else "video" not in kinds.values()
    time = min(starts, default=0.0)
    return Fragment(time, max(0.0, max(ends, default=0.0) - time), offset, cluster.end - offset, keyframe)


def _blocks(read: Read, cluster: Element) -> Iterator[_Block]:
    position, time = cluster.body, 0
    for _ in range(_MAX_BLOCKS):
        found = _element(read, position, cluster.end)
        if found is None or found.size is None or found.end > cluster.end:
            return
        if found.id == _TIME:
            time = _number(read(found.body, min(found.size, 8)))
        elif found.id == _SIMPLE_BLOCK:
            if block := _block(read(found.body, 4), time):
                yield block
        elif found.id == _BLOCK_GROUP:
            parts = dict(_children(read(found.body, min(found.size, _MAX_HEADER))))
            if block := _block(parts.get(_BLOCK, b"")[:4], time):
                yield block._replace(keyframe=_REFERENCE not in parts)
        position = found.end


def _block(head: bytes, time: int) -> _Block | None:
    if len(head) < 4 or not head[0] & 0x80:
        return None  # more tracks than we write
    return _Block(head[0] & 0x7F, time + int.from_bytes(head[1:3], "big", signed=True), head[3] & 0x80 != 0)


def _element(read: Read, offset: int, size: int) -> Element | None:
    """None: there is no whole header of an element."""
    head = read(offset, 12) if offset < size else b""
    id_length = 9 - head[0].bit_length() if head else 0
    if not 1 <= id_length <= 4 or len(head) <= id_length:
        return None
    length = 9 - head[id_length].bit_length()
    if length > 8 or len(head) < id_length + length:
        return None
    value = int.from_bytes(head[id_length : id_length + length], "big") & ((1 << 7 * length) - 1)
    unknown = value == (1 << 7 * length) - 1
    return Element(int.from_bytes(head[:id_length], "big"), offset + id_length + length, None if unknown else value)


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while (found := _element(lambda offset, length: data[offset : offset + length], position, len(data))) is not None:
        if found.size is None or found.end > len(data):
            return
        yield found.id, data[found.body : found.end]
        position = found.end


def _number(data: bytes) -> int:
    return int.from_bytes(data[:8], "big")

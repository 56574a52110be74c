"""This module owns photos as phones send them: JPEG only, of a bounded size, and nothing in them but the picture.

A phone writes the place and the time into its photos. Pupils' work needs neither: every segment that is not needed to
draw the picture is dropped, without decoding it.
"""

from __future__ import annotations

from typing import Final

LARGEST_BYTES: Final = 1 << 20
LONGEST_EDGE: Final = 4096

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_DRAWN_WITH = _FRAMES | {0xC4, 0xDB, 0xDD, 0xE0, 0xEE}
"""Frames, Huffman and quantisation tables, restart interval, JFIF's and Adobe's words about colours."""
_ALONE = frozenset(range(0xD0, 0xD8)) | {0x01}


class PhotoUnreadable(Exception):
    """The bytes are no JPEG picture that a browser could show, or one that is too large."""

    code = "photo_unreadable"


def clean(data: bytes) -> bytes:
    """The picture without anything else; raises PhotoUnreadable, whatever the bytes are."""
    if len(data) > LARGEST_BYTES or data[:2] != bytes((0xFF, _START)) or data[-2:] != bytes((0xFF, _END)):
        raise PhotoUnreadable("not a whole JPEG file")
    kept = bytearray(data[:2])
    position, framed = 2, False
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise PhotoUnreadable("no marker where one belongs")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _ALONE:
            position += 2
            continue
        if marker in (_START, _END):
            break
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position : position + 2 + length]
        if length < 2 or len(segment) < 2 + length:
            break
        if marker in _FRAMES:
            _check_frame(segment)
            framed = True
        if marker == _SCAN:
            if not framed:
                break
            scan = data[position:]
            if _appended(scan, len(segment)):
                break
            return bytes(kept + scan)
        if marker in _DRAWN_WITH:
            kept += segment
        position += 2 + length
    raise PhotoUnreadable("its segments are damaged")


def _check_frame(segment: bytes) -> None:
    """A frame header: marker, length, precision, height, width, components."""
    if len(segment) < 10:
        raise PhotoUnreadable("a frame header is cut short")
    height, width = int.from_bytes(segment[5:7], "big"), int.from_bytes(segment[7:9], "big")
    if not (0 < height <= LONGEST_EDGE and 0 < width <= LONGEST_EDGE):
        raise PhotoUnreadable(f"{width} x {height} pixels")


def _appended(scan: bytes, header: int) -> bool:
    """Whether something other than entropy-coded data, tables and further scans follows the first scan's header. What
    hides behind an end of image, or in a comment between scans, is not the picture."""
    at = header
    while (at := scan.find(0xFF, at)) >= 0:
        marker = scan[at + 1] if at + 1 < len(scan) else _END
        if marker == _END:
            return at + 2 != len(scan)
        if marker in (0x00, 0xFF) or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker not in (0xC4, 0xDB, 0xDD, _SCAN):
            return True
        length = int.from_bytes(scan[at + 2 : at + 4], "big")
        if length < 2:
            return True
        at += 2 + length
    return True

"""Photos are taken as pictures only: what a phone writes beside them is dropped, and nothing else passes for one."""

from __future__ import annotations

import contextlib
import io
from typing import cast

import av
import pytest
from av.video.stream import VideoStream
from hypothesis import given
from hypothesis import strategies as st

from server.photo import LARGEST_BYTES, PhotoUnreadable, clean


def jpeg(width: int = 64, height: int = 48) -> bytes:
    """A picture as an encoder writes it."""
    out = io.BytesIO()
    with av.open(out, "w", format="mjpeg") as container:
        stream = cast(VideoStream, container.add_stream("mjpeg", rate=1))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        frame = av.VideoFrame(width, height, "yuvj420p")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return out.getvalue()


PICTURE = jpeg()
PLACE = b"Exif\0\0 35.5N 112.4E"
EXIF = b"\xff\xe1" + (len(PLACE) + 2).to_bytes(2, "big") + PLACE


def decoded(data: bytes) -> tuple[int, int]:
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
        return frame.width, frame.height


def test_place_and_time_are_dropped_and_the_picture_stays() -> None:
    cleaned = clean(PICTURE[:2] + EXIF + PICTURE[2:])
    assert PLACE not in cleaned
    assert decoded(cleaned) == (64, 48)
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff\xd9",
        b"<svg onload='alert(1)'/>",
        PICTURE[:-2],
        PICTURE[: len(PICTURE) // 2],
        PICTURE + b"<script>\xff\xd9",
        PICTURE + PICTURE,
        PICTURE[:-2] + EXIF + PICTURE[-2:],
        b"\xff\xd8" + b"\xff\xfe\0\2" * (LARGEST_BYTES // 4) + PICTURE[2:],
        jpeg(4400, 16),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(PhotoUnreadable):
        clean(data)


@given(st.binary(max_size=200), st.integers(0, len(PICTURE)), st.integers(0, len(PICTURE)))
def test_no_bytes_make_it_fail_otherwise(noise: bytes, start: int, end: int) -> None:
    for data in (noise, PICTURE[:start] + noise + PICTURE[end:], b"\xff\xd8" + noise + b"\xff\xd9"):
        with contextlib.suppress(PhotoUnreadable):
            assert len(clean(data)) <= len(data)

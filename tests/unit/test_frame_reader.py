"""What a client's bytes are read as: the same messages however the network cuts them, and a status for every breach."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.frame_reader import BINARY, CLOSE, NO_STATUS, PING, PONG, TEXT, Control, FrameBroken, FrameReader

LARGEST = 4096
FINAL = 0x80


def framed(first: int, payload: bytes, mask: bytes = b"\x01\x02\x03\xff") -> bytes:
    """A client's frame, its length in the shortest form."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    hidden = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes((first,)) + length + mask + hidden


def fed(reader: FrameReader, data: bytes, size: int) -> None:
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])


MASKS = st.binary(min_size=4, max_size=4)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes | str | Control], bytes]:
    """Messages in one or several parts, with control frames between all of them, and their bytes."""
    said: list[bytes | str | Control] = []
    data = b""
    for message in draw(st.lists(st.binary(max_size=400) | st.text(max_size=100), max_size=5)):
        payload = message.encode() if isinstance(message, str) else message
        opcode = TEXT if isinstance(message, str) else BINARY
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for number, part in enumerate(parts):
            if draw(st.booleans()):
                ping = Control(draw(st.sampled_from((PING, PONG))), draw(st.binary(max_size=125)))
                said.append(ping)
                data += framed(FINAL | ping.opcode, ping.payload, draw(MASKS))
            last = FINAL if number == len(parts) - 1 else 0
            data += framed(last | (0 if number else opcode), part, draw(MASKS))
        said.append(message)
    return said, data


@given(streams(), st.lists(st.integers(1, 300), max_size=60))
def test_the_same_is_read_however_the_bytes_are_cut(stream: tuple[list[object], bytes], cuts: list[int]) -> None:
    said, data = stream
    reader, read = FrameReader(LARGEST), []
    for size in cuts:
        read += reader.feed(data[:size])
        data = data[size:]
    assert [*read, *reader.feed(data)] == said


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_give_messages_or_a_status(chunks: list[bytes]) -> None:
    reader = FrameReader(LARGEST)
    with contextlib.suppress(FrameBroken):
        for chunk in chunks:
            reader.feed(chunk)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x82\x01x", 1002),  # not masked
        (framed(0xC2, b"x"), 1002),  # a reserved bit
        (framed(0x83, b"x"), 1002),  # an unknown opcode
        (framed(0x80, b"x"), 1002),  # a part of nothing
        (framed(0x02, b"x") + framed(0x82, b"x"), 1002),  # a message within another
        (framed(0x09, b""), 1002),  # a ping in parts
        (framed(0x89, b"x" * 126), 1002),
        (framed(0x88, b"x"), 1002),
        (framed(0x88, (1005).to_bytes(2, "big")), 1002),
        (framed(0x88, (1000).to_bytes(2, "big") + b"\xff"), 1007),
        (framed(0x81, b"\xff"), 1007),
        (framed(0x82, b"x" * (LARGEST + 1)), 1009),
        (b"\x82\xff" + b"\xff" * 12, 1009),
        (framed(0x02, b"x" * LARGEST) + framed(0x80, b"xx"), 1009),
        (framed(0x02, b"") + framed(0x00, b"") * (LARGEST + 1) + framed(0x80, b"xx"), 1009),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else str(value),
)
def test_a_breach_has_its_status(data: bytes, status: int) -> None:
    for size in (1, 3, len(data)):
        with pytest.raises(FrameBroken) as caught:
            fed(FrameReader(LARGEST), data, size)
        assert caught.value.status == status


@pytest.mark.parametrize(("payload", "status"), [(b"", NO_STATUS), (b"\x03\xe8bye", 1000), (b"\x0f\xa0", 4000)])
def test_a_close_says_its_status(payload: bytes, status: int) -> None:
    assert FrameReader(LARGEST).feed(framed(FINAL | CLOSE, payload)) == [Control(CLOSE, payload, status)]


def test_a_message_may_be_as_large_as_is_allowed() -> None:
    assert FrameReader(LARGEST).feed(framed(0x82, b"x" * LARGEST)) == [b"x" * LARGEST]

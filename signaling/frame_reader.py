"""This module owns what comes in on a socket: a client's bytes to whole messages and control frames (RFC 6455).

Pure: bytes go in, messages come out. A client that breaks the protocol is told by the status of the close frame.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_CONTINUATION = 0x0
_KNOWN = frozenset({_CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_FINAL, _RESERVED, _OPCODE, _MASKED, _LENGTH = 0x80, 0x70, 0x0F, 0x80, 0x7F
_WHOLE_BINARY = _FINAL | BINARY
_LONGEST_CONTROL = 125
_SHORT_HEAD = 6
"""Bytes before the payload of a short frame of a client: opcode, length, and four of the mask."""
_MASKED_LONGEST = _MASKED | _LONGEST_CONTROL
_REPEATED: Final = [sum(1 << 32 * word for word in range((size + 3) // 4)) for size in range(_LONGEST_CONTROL + 1)]
"""By the payload's size: times this, a mask lies over all of it."""
_ONES: Final = [(1 << 8 * size) - 1 for size in range(_LONGEST_CONTROL + 1)]
NO_STATUS = 1005
"""What stands for a close frame that says none."""

Status = Literal[1002, 1007, 1009]


class FrameBroken(Exception):
    """The client's bytes are no WebSocket frames that a server may take; status and words are for the close frame."""

    def __init__(self, status: Status, why: str) -> None:
        super().__init__(why)
        self.status = status


class Control(NamedTuple):
    """A control frame: CLOSE, PING or PONG. For CLOSE, `status` is what the client said."""

    opcode: int
    payload: bytes
    status: int = 0


class FrameReader:
    """The bytes of one socket. `largest`: bytes of one message, at most."""

    __slots__ = ("_kept", "_largest", "_needs", "_opcode", "_parts", "_size")

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._kept = bytearray()
        self._needs = 0
        """How long `_kept` must be before it is worth looking at again."""
        self._opcode = 0
        """Of the message whose parts are coming; 0: none is."""
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes | str | Control]:
        """What `data` completes, in order: binary messages, texts and control frames. Raises FrameBroken; what came
        before the broken frame is lost with it."""
        if self._kept:
            self._kept += data
            if len(self._kept) < self._needs:
                return []
            data = bytes(self._kept)
            self._kept.clear()
        size = len(data)
        found: list[bytes | str | Control] = []
        at = 0
        while size - at >= 2:
            first, second = data[at], data[at + 1]
            end = at + _SHORT_HEAD + second - _MASKED
            if first == _WHOLE_BINARY and _MASKED <= second <= _MASKED_LONGEST and end <= size and not self._opcode:
                # nearly all that ever comes; the long way costs as much as carrying out a command
                length = second - _MASKED
                mask = int.from_bytes(data[at + 2 : at + _SHORT_HEAD], "little") * _REPEATED[length] & _ONES[length]
                body = int.from_bytes(data[at + _SHORT_HEAD : end], "little") ^ mask
                found.append(body.to_bytes(length, "little"))
                at = end
                continue
            head = at + _SHORT_HEAD
            length = second & _LENGTH
            if length > _LONGEST_CONTROL:
                head += 2 if length == 126 else 8
            if size < head:
                self._check(data[at], data[at + 1], 0)
                self._needs = head - at
                break
            if length > _LONGEST_CONTROL:
                length = int.from_bytes(data[at + 2 : head - 4], "big")
            self._check(data[at], data[at + 1], length)
            end = head + length
            if size < end:
                self._needs = end - at
                break
            whole = self._frame(data[at], _unmasked(data[head:end], data[head - 4 : head]))
            if whole is not None:
                found.append(whole)
            at = end
        else:
            self._needs = 2
        if at < size:
            self._kept += data[at:]
        return found

    def _check(self, first: int, second: int, length: int) -> None:
        opcode = first & _OPCODE
        if first & _RESERVED or opcode not in _KNOWN:
            raise FrameBroken(1002, "reserved bits or an unknown opcode")
        if not second & _MASKED:
            raise FrameBroken(1002, "a client masks its frames")
        if opcode >= CLOSE:
            if not first & _FINAL or second & _LENGTH > _LONGEST_CONTROL:
                raise FrameBroken(1002, "a control frame is short and whole")
        elif (opcode == _CONTINUATION) != bool(self._opcode):
            raise FrameBroken(1002, "parts of a message follow each other")
        elif length + self._size > self._largest:
            raise FrameBroken(1009, f"a message has at most {self._largest} bytes")

    def _frame(self, first: int, payload: bytes) -> bytes | str | Control | None:
        opcode = first & _OPCODE
        if opcode >= CLOSE:
            return Control(opcode, payload, _status(payload) if opcode == CLOSE else 0)
        if not first & _FINAL:
            self._opcode = self._opcode or opcode
            self._parts.append(payload)
            # each part counts for more than its bytes, so that empty ones do not gather for ever
            self._size += len(payload) + 1
            return None
        if opcode == _CONTINUATION:
            opcode, payload = self._opcode, b"".join((*self._parts, payload))
            self._opcode = self._size = 0
            self._parts.clear()
        return payload if opcode == BINARY else _text(payload)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameBroken(1007, "a text is UTF-8") from None


def _status(payload: bytes) -> int:
    if not payload:
        return NO_STATUS
    status = int.from_bytes(payload[:2], "big")
    named = 1000 <= status <= 1014 and status not in (1004, 1005, 1006)
    if len(payload) < 2 or not (named or 3000 <= status <= 4999):
        raise FrameBroken(1002, "no status that a client may close with")
    _text(payload[2:])
    return status

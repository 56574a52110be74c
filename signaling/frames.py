"""This module owns bytes on the socket: messages to and from MessagePack or JSON, and the WebSocket frame around them.

A message for a whole room is encoded once and framed once, whoever receives it: a server's frames carry no mask, so
they are the same bytes for every socket (RFC 6455, section 5.2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from signaling.errors import Refusal
from signaling.messages import ClientMessage, ServerMessage

LARGEST_MESSAGE = 64 * 1024
"""Bytes of one message from a client, at most."""

_TEXT, _BINARY = 0x81, 0x82
_SHORT_HEADS = {opcode: [bytes((opcode, size)) for size in range(126)] for opcode in range(0x80, 0x90)}


@dataclass(frozen=True, eq=False)
class Encoding:
    """One of the two forms of the wire; `subprotocol` is its name in the WebSocket handshake."""

    subprotocol: str
    opcode: int
    encode: Callable[[ServerMessage], bytes]
    decode: Callable[[Any], ClientMessage]
    """From bytes, or from a text where the encoding is one."""

    def frame(self, message: ServerMessage) -> bytes:
        """The whole frame that carries `message`."""
        return frame(self.opcode, self.encode(message))

    def read(self, data: bytes | str) -> ClientMessage:
        """The message in `data`; raises Refusal, whatever the bytes are."""
        try:
            return self.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError, TypeError) as error:
            # TypeError: a text where bytes belong
            raise Refusal("malformed_message") from error


def frame(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame."""
    size = len(payload)
    if size < 126:
        return _SHORT_HEADS[opcode][size] + payload
    if size < 65536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((opcode, 127)) + size.to_bytes(8, "big") + payload


_from_msgpack: msgspec.msgpack.Decoder[ClientMessage] = msgspec.msgpack.Decoder(ClientMessage)
_from_json: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)

MSGPACK = Encoding("tongke.live.1+msgpack", _BINARY, msgspec.msgpack.Encoder().encode, _from_msgpack.decode)
JSON = Encoding("tongke.live.1+json", _TEXT, msgspec.json.Encoder().encode, _from_json.decode)
ENCODINGS = {encoding.subprotocol: encoding for encoding in (MSGPACK, JSON)}

"""This module owns what a camera may say to the program that plays it: plain RTSP answers and media, never the way to
another host.

ffmpeg goes wherever a redirection sends it, so it is never connected to the camera itself: it talks to a port of this
process, and every answer is read, and written anew, before it hears of it. Where a camera sends its watcher is kept for
the caller, who knows in which networks cameras stand. Media are passed unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

from server.cameras.address import PORTS

CONNECT_SECONDS = 10.0
LONGEST_LINE = 4096
MOST_HEADERS = 64
LARGEST_BODY = 64 * 1024
"""Bytes: an SDP has a few hundred."""
READ = 16 * 1024

PASSED = {
    b"cseq": b"CSeq",
    b"session": b"Session",
    b"transport": b"Transport",
    b"content-type": b"Content-Type",
    b"content-base": b"Content-Base",
    b"public": b"Public",
    b"rtp-info": b"RTP-Info",
    b"range": b"Range",
    b"www-authenticate": b"WWW-Authenticate",
}
"""The headers that a player needs. `Location` is none of them."""


class NoAnswer(Exception):
    """What the camera said is no RTSP."""


class Gate:
    """A port on the loopback that stands for one camera at `source`, an address whose host is a number."""

    def __init__(self, source: str) -> None:
        self._source = urlsplit(source)
        self._port = 0
        self.redirected_to = ""
        """Where the camera has sent its watcher; empty: nowhere."""

    @property
    def url(self) -> str:
        """The address that the player opens."""
        credentials, at, _ = self._source.netloc.rpartition("@")
        netloc = f"{credentials}{at}127.0.0.1:{self._port}"
        return urlunsplit(("rtsp", netloc, self._source.path, self._source.query, ""))

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LONGEST_LINE)
        self._port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, heard: StreamReader, player: StreamWriter) -> None:
        camera: StreamWriter | None = None
        asking: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                said, camera = await self._dial()
            asking = asyncio.create_task(_pour(heard, camera))
            async for piece in self._pieces(said, camera):
                player.write(piece)
                await player.drain()
        except (OSError, NoAnswer, ValueError, asyncio.IncompleteReadError):
            # the player sees the end, and says so
            pass
        finally:
            if asking is not None:
                asking.cancel()
            for writer in (player, camera):
                if writer is not None:
                    writer.close()

    async def _dial(self) -> tuple[StreamReader, StreamWriter]:
        parts = self._source
        context: ssl.SSLContext | None = None
        if parts.scheme == "rtsps":
            # cameras sign their certificates themselves; the network that the operator named is what is trusted
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = parts.port or PORTS[parts.scheme]
        return await asyncio.open_connection(parts.hostname, port, ssl=context, limit=LONGEST_LINE)

    async def _pieces(self, said: StreamReader, camera: StreamWriter) -> AsyncIterator[bytes]:
        """What the player is told, in whole answers and packets."""
        while True:
            first = await said.readexactly(1)
            if first == b"$":
                head = await said.readexactly(3)
                yield first + head + await said.readexactly(int.from_bytes(head[1:], "big"))
                continue
            line = (first + await said.readline()).strip()
            if not line:
                continue
            headers, body = await _rest(said)
            version, _, status = line.partition(b" ")
            if not version.startswith(b"RTSP/"):
                # a camera's own request: nothing that a player could do
                camera.write(b"RTSP/1.0 501 Not Implemented\r\nCSeq: %s\r\n\r\n" % headers.get(b"cseq", b"0"))
                continue
            code = status[:3]
            if len(code) != 3 or not code.isdigit():
                raise NoAnswer(line)
            if code.startswith(b"3"):
                self.redirected_to = headers.get(b"location", b"").decode("latin-1") or "nowhere"
                return
            yield _written(code, headers, body)


@contextlib.contextmanager
def opened(gate: Gate) -> Iterator[Gate]:
    """The gate at work on a thread of its own, because the player holds this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(gate._listen(), loop).result()
    try:
        yield gate
    finally:
        asyncio.run_coroutine_threadsafe(_shut(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _shut(server: asyncio.Server) -> None:
    server.close()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


async def _pour(heard: StreamReader, camera: StreamWriter) -> None:
    """What the player says goes to the camera as it is."""
    with contextlib.suppress(OSError):
        while data := await heard.read(READ):
            camera.write(data)
            await camera.drain()
    camera.close()


async def _rest(said: StreamReader) -> tuple[dict[bytes, bytes], bytes]:
    """The headers of a message by their small names, and its body. Of doubled ones the first counts, but for the ways
    to sign in, of which the player chooses."""
    headers: dict[bytes, bytes] = {}
    for _ in range(MOST_HEADERS):
        line = await said.readline()
        if not line.endswith(b"\n"):
            raise NoAnswer(line)
        if not line.strip():
            break
        name, colon, value = line.partition(b":")
        if not colon:
            raise NoAnswer(line)
        name, value = name.strip().lower(), bytes(byte for byte in value.strip() if 32 <= byte < 127)
        if name == b"www-authenticate" and name in headers:
            headers[name] += b"\r\nWWW-Authenticate: " + value
        else:
            headers.setdefault(name, value)
    else:
        raise NoAnswer("too many headers")
    length = headers.pop(b"content-length", b"0")
    if not length.isdigit() or len(length) > 6 or int(length) > LARGEST_BODY:
        raise NoAnswer(length)
    return headers, await said.readexactly(int(length))


def _written(code: bytes, headers: dict[bytes, bytes], body: bytes) -> bytes:
    lines = [b"RTSP/1.0 " + code + b" -"]
    lines += [PASSED[name] + b": " + value for name, value in headers.items() if name in PASSED]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body

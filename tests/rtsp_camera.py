"""A camera for tests: RTSP 1.0 over TCP (RFC 2326), interleaved, with Basic authentication; real H.264, G.711, Opus.

It sends from the moment of PLAY, round and round, at the pace of a camera.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Literal

from tests.recorded_media import FPS, camera, microphone, packetize, units

SECONDS = 4


class Camera:
    """`user`, `password`: who may watch; `sound`: what its microphone gives; `elsewhere`: where it sends its watchers
    from the next one on, at which of their questions."""

    def __init__(
        self, sound: Literal["opus", "pcma"], user: str = "admin", password: str = "", preset: str = "ultrafast"
    ) -> None:
        self.sound, self.user, self.password = sound, user, password
        self.played = 0
        self.refused = 0
        self.asked: list[str] = []
        self.elsewhere: tuple[str, str] | None = None
        self._pictures = camera(SECONDS, preset=preset)
        self._server: asyncio.Server
        self._closed = False
        self._playing: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"rtsp://{self.user}:{self.password}@{host}:{port}/stream"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def cut(self) -> None:
        """Tear every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def close(self) -> None:
        self._closed = True
        self._server.close()
        self.cut()
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closed:
            # who pulls comes again at once: this one was let in while all others were torn
            writer.transport.abort()
            return
        self._writers.add(writer)
        playing: asyncio.Task[None] | None = None
        try:
            while line := await reader.readline():
                if line[:1] == b"$":  # an interleaved RTCP packet of the watcher's, no text
                    continue
                headers: dict[str, str] = {}
                while (header := (await reader.readline()).decode("latin-1")) not in ("\r\n", ""):
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                method = line.split(b" ")[0].decode("latin-1")
                self.asked.append(method)
                writer.write(self._answer(method, headers))
                if method == "PLAY" and playing is None and self._allows(headers):
                    self.played += 1
                    playing = asyncio.ensure_future(self._play(writer))
                    self._playing.add(playing)
                    playing.add_done_callback(self._playing.discard)
                if method == "TEARDOWN":
                    return
        except (ConnectionError, asyncio.LimitOverrunError, ValueError):
            return
        finally:
            if playing is not None:
                playing.cancel()
            self._writers.discard(writer)
            writer.close()

    def _allows(self, headers: dict[str, str]) -> bool:
        held = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return not self.password or headers.get("authorization") == f"Basic {held}"

    def _answer(self, method: str, headers: dict[str, str]) -> bytes:
        head = f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq', '0')}\r\n"
        if self.elsewhere is not None and method == self.elsewhere[0]:
            return f"{head.replace('200 OK', '302 Found')}Location: {self.elsewhere[1]}\r\n\r\n".encode()
        if method == "OPTIONS":
            return f"{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n".encode()
        if not self._allows(headers):
            self.refused += 1
            refusal = head.replace("200 OK", "401 Unauthorized")
            return f'{refusal}WWW-Authenticate: Basic realm="camera"\r\n\r\n'.encode()
        if method == "DESCRIBE":
            sdp = self._sdp()
            kind = f"Content-Type: application/sdp\r\nContent-Base: {self.url}/\r\nContent-Length: {len(sdp)}\r\n\r\n"
            return f"{head}{kind}{sdp}".encode()
        if method == "SETUP":
            channels = re.search(r"interleaved=(\d+-\d+)", headers.get("transport", ""))
            chosen = channels[1] if channels else "0-1"
            return f"{head}Transport: RTP/AVP/TCP;unicast;interleaved={chosen}\r\nSession: 1\r\n\r\n".encode()
        return f"{head}Session: 1\r\n\r\n".encode()

    def _sdp(self) -> str:
        parameters = [unit for unit in units(self._pictures[0].data) if unit[0] & 31 in (7, 8)]
        sprop = ",".join(base64.b64encode(unit).decode() for unit in parameters)
        sound = {"opus": "97\r\na=rtpmap:97 opus/48000/2", "pcma": "8\r\na=rtpmap:8 PCMA/8000"}[self.sound]
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "t=0 0", "m=video 0 RTP/AVP 96"]
        lines += ["a=rtpmap:96 H264/90000", f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}"]
        lines += ["a=control:video", f"m=audio 0 RTP/AVP {sound}", "a=control:audio", ""]
        return "\r\n".join(lines)

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sound = microphone(SECONDS) if self.sound == "opus" else [bytes((0x55, 0xD5) * 80)] * (SECONDS * 50)
        tick = 960 if self.sound == "opus" else 160
        numbers = [0, 0]
        loop = asyncio.get_running_loop()
        started = loop.time()

        def send(channel: int, kind: int, stamp: int, payload: bytes, marker: bool, ssrc: int) -> None:
            which = channel // 2
            head = bytes((0x80, kind | (0x80 if marker else 0))) + numbers[which].to_bytes(2, "big")
            packet = head + (stamp & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big") + payload
            numbers[which] = (numbers[which] + 1) & 0xFFFF
            writer.write(b"$" + bytes((channel,)) + len(packet).to_bytes(2, "big") + packet)

        spoken = 0
        with contextlib.suppress(ConnectionError):
            for shown in range(1_000_000):
                payloads = packetize(self._pictures[shown % len(self._pictures)].data)
                for number, payload in enumerate(payloads):
                    send(0, 96, shown * 90_000 // FPS, payload, number == len(payloads) - 1, 1)
                while spoken * 0.02 <= shown / FPS:
                    send(2, 97 if self.sound == "opus" else 8, spoken * tick, sound[spoken % len(sound)], False, 2)
                    spoken += 1
                await writer.drain()
                await asyncio.sleep(max(0.0, started + (shown + 1) / FPS - loop.time()))


@contextlib.asynccontextmanager
async def rtsp_camera(
    sound: Literal["opus", "pcma"] = "pcma", password: str = "", preset: str = "ultrafast"
) -> AsyncIterator[Camera]:
    found = Camera(sound, password=password, preset=preset)
    await found.open()
    try:
        yield found
    finally:
        await found.close()

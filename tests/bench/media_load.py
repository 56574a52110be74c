"""One publisher and N subscribers against the hub or Janus, in a process of their own, so that the server's CPU time is
the server's alone: python -m tests.bench.media_load hub|janus URL PID HOST SUBSCRIBERS SECONDS.

The publisher sends 720p-like H264 (made up: nothing on the way decodes it) and Opus. Subscribers are real DTLS and SRTP
peers of aiortc, which throw media away at the socket unread and so send no feedback: what is measured is forwarding.
Both servers get the same packets under the same SRTP profile. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import aioice.ice
import aiortc.rtcdtlstransport
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from av import Packet

RATE = 25
KEYFRAME_EVERY = 50
FRAME_BYTES = 7000  # 1.4 Mbit/s of video
SETTLE = 2.0
PROFILE = aiortc.rtcdtlstransport.SRTP_AEAD_AES_128_GCM


class PacketTrack(MediaStreamTrack):
    """Encoded packets at a steady rate; the bytes hold no start code by chance."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.sent = 0
        self._start = time.monotonic()
        self._random = random.Random(kind)
        self._rate = RATE if kind == "video" else 50

    async def recv(self) -> Packet[Any]:
        await asyncio.sleep(max(0.0, self._start + self.sent / self._rate - time.monotonic()))
        packet = Packet(self._video() if self.kind == "video" else self._bytes(90))
        clock = 90000 if self.kind == "video" else 48000
        packet.pts, packet.time_base = self.sent * clock // self._rate, Fraction(1, clock)
        self.sent += 1
        return packet

    def _bytes(self, size: int) -> bytes:
        return bytes(self._random.choices(range(1, 256), k=size))

    def _video(self) -> bytes:
        if self.sent % KEYFRAME_EVERY:
            return b"\0\0\0\1\x41" + self._bytes(FRAME_BYTES)
        sets = b"\0\0\0\1\x67\x42\xe0\x1f" + self._bytes(8) + b"\0\0\0\1\x68\xce" + self._bytes(2)
        return sets + b"\0\0\0\1\x65" + self._bytes(3 * FRAME_BYTES)


class Server(Protocol):
    async def publish(self, pc: RTCPeerConnection) -> None: ...
    async def subscribe(self, pc: RTCPeerConnection, name: str) -> None: ...


class Hub:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def publish(self, pc: RTCPeerConnection) -> None:
        await self._negotiate(pc, "publish/host")

    async def subscribe(self, pc: RTCPeerConnection, name: str) -> None:
        pc.addTransceiver("audio", "recvonly")
        pc.addTransceiver("video", "recvonly")
        await self._negotiate(pc, f"subscribe/{name}")

    async def _negotiate(self, pc: RTCPeerConnection, path: str) -> None:
        await pc.setLocalDescription(await pc.createOffer())
        async with self._http.post(f"{self._url}/{path}", data=pc.localDescription.sdp) as answer:
            answer.raise_for_status()
            await pc.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))


class Janus:
    """Janus's video room, by its WebSocket API."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._session: int | None = None
        self._room = random.getrandbits(30)
        self._feed = 0

    async def _open(self) -> None:
        self._socket = await self._http.ws_connect(self._url, protocols=("janus-protocol",))
        self._reader = asyncio.ensure_future(self._read())
        self._session = (await self._ask({"janus": "create"}))["data"]["id"]
        create = {"request": "create", "room": self._room, "publishers": 20, "bitrate": 0, "videocodec": "h264"}
        create |= {"audiocodec": "opus", "h264_profile": "42e01f", "transport_wide_cc_ext": False}
        await self._message(await self._attach(), create)

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message.data)
            waiting = self._waiting.get(answer.get("transaction", ""))
            if waiting is not None and not waiting.done() and answer["janus"] != "ack":
                waiting.set_result(answer)

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        transaction = f"{random.getrandbits(60)}"
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        known = {"session_id": self._session} if self._session is not None else {}
        await self._socket.send_json(message | known | {"transaction": transaction})
        answer: dict[str, Any] = await asyncio.wait_for(waiting, 15)
        del self._waiting[transaction]
        if answer["janus"] == "error" or "error" in answer.get("plugindata", {}).get("data", {}):
            raise RuntimeError(str(answer))
        return answer

    async def _attach(self) -> int:
        return int((await self._ask({"janus": "attach", "plugin": "janus.plugin.videoroom"}))["data"]["id"])

    async def _message(
        self, handle: int, body: dict[str, Any], jsep: RTCSessionDescription | None = None
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"janus": "message", "handle_id": handle, "body": body}
        if jsep is not None:
            message["jsep"] = {"type": jsep.type, "sdp": jsep.sdp, "trickle": False}
        return await self._ask(message)

    async def publish(self, pc: RTCPeerConnection) -> None:
        await self._open()
        handle = await self._attach()
        join = {"request": "join", "ptype": "publisher", "room": self._room}
        self._feed = (await self._message(handle, join))["plugindata"]["data"]["id"]
        await pc.setLocalDescription(await pc.createOffer())
        answer = await self._message(handle, {"request": "publish"}, pc.localDescription)
        await pc.setRemoteDescription(RTCSessionDescription(answer["jsep"]["sdp"], "answer"))

    async def subscribe(self, pc: RTCPeerConnection, name: str) -> None:
        handle = await self._attach()
        join = {"request": "join", "ptype": "subscriber", "room": self._room, "streams": [{"feed": self._feed}]}
        offer = await self._message(handle, join)
        await pc.setRemoteDescription(RTCSessionDescription(offer["jsep"]["sdp"], "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await self._message(handle, {"request": "start"}, pc.localDescription)


class Counted:
    """Media that reaches a subscriber's socket; it goes no further."""

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.packets = self.octets = 0
        for protocol in {
            p for t in pc.getTransceivers() for p in t.receiver.transport.transport._connection._protocols
        }:
            self._listen(protocol)

    def _listen(self, protocol: Any) -> None:
        handle = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            if 127 < data[0] < 192 and not 192 <= data[1] <= 223:
                self.packets += 1
                self.octets += len(data)
            else:
                handle(data, address)

        protocol.datagram_received = received


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # the thread has just ended
            continue
    return total / 1e9


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


async def connected(*peers: RTCPeerConnection) -> None:
    async with asyncio.timeout(20):
        while any(pc.connectionState != "connected" for pc in peers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def measure(server: Server, pid: int, subscribers: int, seconds: float) -> dict[str, float]:
    publisher = connection()
    publisher.addTransceiver(PacketTrack("audio"), "sendonly")
    video = publisher.addTransceiver(PacketTrack("video"), "sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    h264 = [c for c in codecs if c.parameters.get("profile-level-id") == "42e01f"]
    video.setCodecPreferences(h264 + [c for c in codecs if c.mimeType == "video/rtx"])
    await server.publish(publisher)
    await connected(publisher)
    await asyncio.sleep(1)  # Janus knows a feed only some time after it is connected
    watching = [connection() for _ in range(subscribers)]
    for number, pc in enumerate(watching):
        await server.subscribe(pc, f"member{number}")
    await connected(*watching)
    counted = [Counted(pc) for pc in watching]
    await asyncio.sleep(SETTLE)
    packets, octets = [c.packets for c in counted], sum(c.octets for c in counted)
    cpu, begun = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, elapsed = cpu_seconds(pid) - cpu, time.monotonic() - begun
    each = [after.packets - before for after, before in zip(counted, packets, strict=True)]
    octets = sum(c.octets for c in counted) - octets
    return {
        "us_per_packet": cpu / sum(each) * 1e6,
        "packets": sum(each),
        "rate": min(each) / elapsed,
        "spread": (max(each) - min(each)) / max(each),
        "size": octets / sum(each),
        "core": cpu / elapsed,
    }


async def main(kind: str, url: str, pid: str, host: str, subscribers: str, seconds: str) -> None:
    aioice.ice.get_host_addresses = lambda **_: [host]
    aiortc.rtcdtlstransport.SRTP_PROFILES[:] = [PROFILE]
    async with aiohttp.ClientSession() as http:
        server: Server = Hub(http, url) if kind == "hub" else Janus(http, url)
        print(json.dumps(await measure(server, int(pid), int(subscribers), float(seconds))), flush=True)
        os._exit(0)  # eleven peers need not say goodbye


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

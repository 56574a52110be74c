"""One publisher and N subscribers against the hub or Janus, in a process of their own, so that the server's CPU time is
the server's alone: python -m tests.bench.media_load hub|janus URL PID HOST SUBSCRIBERS SECONDS silent|reports|loss.

The publisher sends 720p-like H264 (made up: nothing on the way decodes it) and Opus. Subscribers are real DTLS and SRTP
peers of aiortc, which throw media away at the socket unread. What they send back is made up: nothing (`silent`), or a
report and an estimate a second (`reports`), or NACKs besides, as 2 % of the packets are lost each way (`loss`). Both
servers get the same packets under the same SRTP profile. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
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
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtp import RtcpPsfbPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpRtpfbPacket, pack_remb_fci
from aiortc.sdp import SessionDescription
from av import Packet

RATE = 25
KEYFRAME_EVERY = 50
FRAME_BYTES = 7000  # 1.4 Mbit/s of video
SETTLE = 1.0
LOSS = 0.02
PROFILE = aiortc.rtcdtlstransport.SRTP_AEAD_AES_128_GCM


class PacketTrack(MediaStreamTrack):
    """Encoded packets at a steady rate; the bytes hold no start code by chance."""

    def __init__(self, kind: str, rate: int = RATE, frame: int = FRAME_BYTES) -> None:
        super().__init__()
        self.kind = kind
        self.sent = 0
        self._start = time.monotonic()
        self._random = random.Random(kind)
        self._rate, self._frame = rate if kind == "video" else 50, frame

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
            return b"\0\0\0\1\x41" + self._bytes(self._frame)
        sets = b"\0\0\0\1\x67\x42\xe0\x1f" + self._bytes(8) + b"\0\0\0\1\x68\xce" + self._bytes(2)
        return sets + b"\0\0\0\1\x65" + self._bytes(3 * self._frame)


HOST_RATE, MEMBER_RATE = 850_000, 250_000  # bit/s of pictures, as a lesson has them


async def mesh(http: aiohttp.ClientSession, url: str, pid: int, rooms: int, seconds: float) -> dict[str, float]:
    """Rooms that all see and hear each other; the first one is the host."""
    hub = Hub(http, url)
    publishers = [connection() for _ in range(rooms)]
    for number, pc in enumerate(publishers):
        pc.addTransceiver(PacketTrack("audio"), "sendonly")
        picture = PacketTrack("video", rate=15, frame=(MEMBER_RATE if number else HOST_RATE) // 15 // 8)
        offer_h264(pc.addTransceiver(picture, "sendonly"))
        await hub.publish(pc, f"room{number}")
    await connected(*publishers)
    watching = [connection() for _ in range(rooms)]
    for number, pc in enumerate(watching):
        await hub.subscribe(pc, f"room{number}", pairs=rooms - 1)
    await connected(*watching)
    receivers = [Receiver(pc, True, 0.0, number) for number, pc in enumerate(watching)]
    feedback = [asyncio.ensure_future(receiver.run()) for receiver in receivers]
    await asyncio.sleep(SETTLE)
    packets = sum(receiver.packets for receiver in receivers)
    cpu, begun = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, elapsed = cpu_seconds(pid) - cpu, time.monotonic() - begun
    packets = sum(receiver.packets for receiver in receivers) - packets
    for task in feedback:
        task.cancel()
    return {"core": cpu / elapsed, "rate": packets / elapsed, "us_per_packet": cpu / packets * 1e6}


class Server(Protocol):
    async def publish(self, pc: RTCPeerConnection) -> None: ...
    async def subscribe(self, pc: RTCPeerConnection, name: str) -> None: ...


class Hub:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http, self._url = http, url

    async def publish(self, pc: RTCPeerConnection, name: str = "host") -> None:
        await self._negotiate(pc, f"publish/{name}")

    async def subscribe(self, pc: RTCPeerConnection, name: str, pairs: int = 1) -> None:
        for _ in range(pairs):
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


class Receiver:
    """Media that reaches a subscriber's socket, which goes no further, and the feedback that a browser would send: a
    report and an estimate a second; with `loss` it misses that share of the packets and asks for them again."""

    def __init__(self, pc: RTCPeerConnection, feedback: bool, loss: float, seed: int) -> None:
        self.packets = self.octets = self.missed = 0
        self.pictured = False  # have pictures come? they begin with a keyframe
        self._feedback, self._loss = feedback, loss
        self._random = random.Random(seed)
        self._highest: dict[int, int] = {}  # by SSRC
        self._dropped: dict[int, set[int]] = {}
        self._videos = {
            ssrc
            for media in SessionDescription.parse(pc.remoteDescription.sdp).media
            if media.kind == "video"
            for ssrc in [described.ssrc for described in media.ssrc][:1]
        }
        self._dtls = pc.getTransceivers()[0].receiver.transport
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
                self.pictured = self.pictured or len(data) > 500
                if self._feedback:
                    self._see(int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big"))
            else:
                handle(data, address)

        protocol.datagram_received = received

    def _see(self, ssrc: int, number: int) -> None:
        before = self._highest.get(ssrc)
        ahead = (number - before) & 0xFFFF if before is not None else 1
        if ahead < 32768:
            self._highest[ssrc] = number
        if ssrc in self._videos and self._loss and self._random.random() < self._loss:
            self.missed += 1
            self._dropped.setdefault(ssrc, set()).add(number)

    async def run(self) -> None:
        """Send what a receiver sends, until cancelled."""
        next_report = 0.0
        while True:
            await asyncio.sleep(0.05)
            feedback = []
            for ssrc, numbers in self._dropped.items():
                feedback.append(bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=ssrc, lost=sorted(numbers)[:100])))
            self._dropped.clear()
            now = time.monotonic()
            if now >= next_report and self._highest:
                next_report = now + 1
                share = int(self._loss * 256)
                reports = [
                    RtcpReceiverInfo(ssrc, share if ssrc in self._videos else 0, 0, number, 0, 0, 0)
                    for ssrc, number in self._highest.items()
                ]
                feedback.append(bytes(RtcpRrPacket(1, reports)))
                estimate = pack_remb_fci(5_000_000, sorted(self._videos))
                feedback.append(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=estimate)))
            if feedback:
                with contextlib.suppress(ConnectionError):
                    await self._dtls._send_rtp(b"".join(feedback))


def lose(pc: RTCPeerConnection, loss: float) -> None:
    """Let that share of what a publisher sends be lost on its way."""
    chance = random.Random(7)
    for protocol in {p for t in pc.getTransceivers() for p in t.sender.transport.transport._connection._protocols}:
        transport = protocol.transport
        send = transport.sendto

        def sendto(data: bytes, address: Any, send: Any = send) -> None:
            if 127 < data[0] < 192 and not 192 <= data[1] <= 223 and chance.random() < loss:
                return
            send(data, address)

        protocol.transport = _Lossy(transport, sendto)


class _Lossy:
    """A transport that sends in another way."""

    def __init__(self, transport: Any, sendto: Any) -> None:
        self._transport, self.sendto = transport, sendto

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


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


def offer_h264(section: RTCRtpTransceiver) -> None:
    codecs = RTCRtpSender.getCapabilities("video").codecs
    h264 = [c for c in codecs if c.parameters.get("profile-level-id") == "42e01f"]
    section.setCodecPreferences(h264 + [c for c in codecs if c.mimeType == "video/rtx"])


async def connected(*peers: RTCPeerConnection) -> None:
    async with asyncio.timeout(20):
        while any(pc.connectionState != "connected" for pc in peers):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def measure(server: Server, pid: int, subscribers: int, seconds: float, duty: str) -> dict[str, float]:
    publisher = connection()
    publisher.addTransceiver(PacketTrack("audio"), "sendonly")
    video = publisher.addTransceiver(PacketTrack("video"), "sendonly")
    offer_h264(video)
    await server.publish(publisher)
    await connected(publisher)
    await asyncio.sleep(1)  # Janus knows a feed only some time after it is connected
    watching = [connection() for _ in range(subscribers)]
    for number, pc in enumerate(watching):
        await server.subscribe(pc, f"member{number}")
    await connected(*watching)
    loss = LOSS if duty == "loss" else 0.0
    counted = [Receiver(pc, duty != "silent", loss, number) for number, pc in enumerate(watching)]
    feedback = [asyncio.ensure_future(receiver.run()) for receiver in counted if duty != "silent"]
    if loss:
        lose(publisher, loss)
    async with asyncio.timeout(30):
        while not all(receiver.pictured for receiver in counted):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLE)
    packets, octets = [c.packets for c in counted], sum(c.octets for c in counted)
    cpu, begun = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, elapsed = cpu_seconds(pid) - cpu, time.monotonic() - begun
    each = [after.packets - before for after, before in zip(counted, packets, strict=True)]
    octets = sum(c.octets for c in counted) - octets
    for task in feedback:
        task.cancel()
    return {
        "us_per_packet": cpu / sum(each) * 1e6,
        "packets": sum(each),
        "rate": min(each) / elapsed,
        "spread": (max(each) - min(each)) / max(each),
        "size": octets / sum(each),
        "core": cpu / elapsed,
    }


async def main(kind: str, url: str, pid: str, host: str, subscribers: str, seconds: str, duty: str) -> None:
    aioice.ice.get_host_addresses = lambda **_: [host]
    aiortc.rtcdtlstransport.SRTP_PROFILES[:] = [PROFILE]
    async with aiohttp.ClientSession() as http:
        if kind == "mesh":
            found = await mesh(http, url, int(pid), int(subscribers), float(seconds))
        else:
            server: Server = Hub(http, url) if kind == "hub" else Janus(http, url)
            found = await measure(server, int(pid), int(subscribers), float(seconds), duty)
        print(json.dumps(found), flush=True)
        os._exit(0)  # eleven peers need not say goodbye


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

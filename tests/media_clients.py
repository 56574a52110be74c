"""Real WebRTC clients for the tests of the media plane: aiortc peers on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import aioice.ice
import numpy
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from av import AudioFrame, VideoFrame

from signaling.media.hub import Answer, MediaConfig, MediaHub

WIDTH, HEIGHT, RATE = 160, 120, 20


@contextlib.contextmanager
def loopback_candidates(address: str = "127.0.0.1") -> Iterator[None]:
    """aioice offers no loopback addresses by itself."""
    found = aioice.ice.get_host_addresses
    aioice.ice.get_host_addresses = lambda **_: [address]
    try:
        yield
    finally:
        aioice.ice.get_host_addresses = found


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true value of `condition`; an assertion fails when it stays false for too long."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - the conditions are other people's state
            await asyncio.sleep(0.01)
    return value


class Picture(MediaStreamTrack):
    """Frames of one grey level, at a steady rate."""

    kind = "video"

    def __init__(self, level: int = 128) -> None:
        super().__init__()
        self.level = level
        self.sent = 0
        self._start: float | None = None

    async def recv(self) -> VideoFrame:
        loop = asyncio.get_running_loop()
        if self._start is None:
            self._start = loop.time()
        await asyncio.sleep(max(0.0, self._start + self.sent / RATE - loop.time()))
        pixels = numpy.full((HEIGHT * 3 // 2, WIDTH), 128, numpy.uint8)
        pixels[:HEIGHT] = self.level
        pixels[:16, : 8 * (self.sent % 20)] = 255 - self.level  # something moves
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts, frame.time_base = self.sent * 90000 // RATE, fractions.Fraction(1, 90000)
        self.sent += 1
        return frame


class Tone(MediaStreamTrack):
    """20 ms frames of noise."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        if self._start is None:
            self._start = loop.time()
        await asyncio.sleep(max(0.0, self._start + self.sent * 0.02 - loop.time()))
        samples = numpy.random.default_rng(self.sent).integers(-3000, 3000, (1, 960)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, self.sent * 960, fractions.Fraction(1, 48000)
        self.sent += 1
        return frame


class Watcher:
    """What arrives, decoded, on one track."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.stamps: list[int] = []
        self.levels: list[int] = []
        self._track = track
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(Exception):
            while True:
                frame = cast(Any, await self._track.recv())
                self.stamps.append(frame.pts)
                if isinstance(frame, VideoFrame):
                    self.levels.append(int(frame.to_ndarray()[HEIGHT // 2 : HEIGHT].mean()))

    @property
    def frames(self) -> int:
        return len(self.stamps)


class Client:
    """One aiortc peer connection: a publisher or a subscriber."""

    def __init__(self, hub: MediaHub, session: str, participant: str) -> None:
        self.hub, self.session, self.participant = hub, session, participant
        # aiortc loses the third section when it has to bundle by itself
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.answer: Answer | None = None
        self.watchers: dict[str, Watcher] = {}

    @property
    def resource(self) -> str:
        assert self.answer is not None
        return self.answer.resource

    def track(self, number: int = 0) -> str:
        assert self.answer is not None
        return self.answer.tracks[number].id

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def take(self, answer: Answer) -> Answer:
        self.answer = answer
        await self.pc.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        return answer

    async def publish(self, *tracks: MediaStreamTrack, codec: str | None = None) -> Answer:
        """codec: the only one to offer for video; None: all that aiortc has."""
        for track in tracks:
            transceiver = self.pc.addTransceiver(track, "sendonly")
            if codec is not None and track.kind == "video":
                known = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([c for c in known if c.name.lower() in (codec, "rtx")])
        return await self.take(self.hub.publish(self.session, self.participant, await self.offer()))

    def receive(self, kind: str) -> RTCRtpTransceiver:
        return self.pc.addTransceiver(kind, "recvonly")

    async def subscribe(self, *tracks: str) -> Answer:
        """Receive these tracks in this order, one section each, besides what is received already."""
        kinds = {track.id: track.kind for track in self.hub.tracks(self.session)}
        for track in tracks:
            self.receive(kinds[track])
        offer = await self.offer()
        shown = dict(self.answer.slots) if self.answer is not None else {}
        mids = [str(transceiver.mid) for transceiver in self.pc.getTransceivers()]
        shown |= dict(zip(mids[len(mids) - len(tracks) :], tracks, strict=True))
        answer = await self.take(self.hub.subscribe(self.session, self.participant, offer, shown))
        for mid, transceiver in zip(mids, self.pc.getTransceivers(), strict=True):
            if mid not in self.watchers:
                self.watchers[mid] = Watcher(transceiver.receiver.track)
        return answer

    def mid(self, number: int) -> str:
        return str(self.pc.getTransceivers()[number].mid)

    def watcher(self, number: int = 0) -> Watcher:
        return self.watchers[self.mid(number)]

    async def connected(self) -> None:
        await until(lambda: self.pc.connectionState == "connected")

    async def close(self) -> None:
        await self.pc.close()
        for watcher in self.watchers.values():
            watcher.task.cancel()


@contextlib.asynccontextmanager
async def media_hub(**settings: Any) -> AsyncIterator[MediaHub]:
    options = {name: settings.pop(name) for name in ("clock", "tap_keyframe_interval") if name in settings}
    hub = MediaHub(MediaConfig(**settings), **options)
    await hub.open()
    try:
        yield hub
    finally:
        await hub.close()


@contextlib.asynccontextmanager
async def clients(hub: MediaHub, session: str, *participants: str) -> AsyncIterator[list[Client]]:
    with loopback_candidates():
        found = [Client(hub, session, participant) for participant in participants]
        try:
            yield found
        finally:
            await asyncio.gather(*(client.close() for client in found))

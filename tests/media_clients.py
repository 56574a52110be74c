"""Real WebRTC clients for the tests of the media plane: aiortc peers on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import functools
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, cast

import aioice.ice
import av
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
from av import AudioFrame, Packet, VideoFrame

from signaling.media.hub import Answer, Layer, MediaConfig, MediaHub

WIDTH, HEIGHT, RATE = 160, 120, 20
CODED_RATE = 15


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


class Shuttered(Picture):
    """A camera that sends nothing while it is shut."""

    def __init__(self, level: int = 128, *, shut: bool = False) -> None:
        super().__init__(level)
        self.opened = asyncio.Event()
        if not shut:
            self.opened.set()

    async def recv(self) -> VideoFrame:
        await self.opened.wait()
        return await super().recv()


@functools.cache
def coded(width: int, height: int, bitrate: int, level: int) -> tuple[bytes, ...]:
    """Two seconds of H264 at 15 pictures a second and so many bit/s, a keyframe each half second: as a camera sends
    that nobody can ask for one."""
    container = cast(Any, av.codec.CodecContext.create("libx264", "w"))
    container.width, container.height, container.pix_fmt = width, height, "yuv420p"
    container.bit_rate, container.framerate = bitrate, fractions.Fraction(CODED_RATE)
    container.time_base, container.gop_size, container.max_b_frames = fractions.Fraction(1, CODED_RATE), 8, 0
    kbits = str(bitrate // 1000)
    container.options = {"preset": "ultrafast", "tune": "zerolatency", "maxrate": f"{kbits}k", "bufsize": f"{kbits}k"}
    container.options |= {"profile": "baseline", "forced-idr": "1", "x264-params": "scenecut=0:nal-hrd=none"}
    noise, found = numpy.random.default_rng(level), list[bytes]()
    for number in range(2 * CODED_RATE):
        pixels = numpy.full((height * 3 // 2, width), 128, numpy.uint8)
        pixels[:height] = level
        pixels[: height // 2] = noise.integers(0, 255, (height // 2, width), numpy.uint8)
        frame = VideoFrame.from_ndarray(pixels, format="yuv420p")
        frame.pts = number
        found += [bytes(packet) for packet in container.encode(frame)]
    return tuple(found)


class Coded(MediaStreamTrack):
    """A camera whose pictures are coded already, at a bitrate that is known: noise above, one grey level below."""

    kind = "video"

    def __init__(self, width: int, height: int, bitrate: int, level: int) -> None:
        super().__init__()
        self.sent = 0
        self._packets = coded(width, height, bitrate, level)
        self._start: float | None = None

    async def recv(self) -> Packet[Any]:
        loop = asyncio.get_running_loop()
        if self._start is None:
            self._start = loop.time()
        await asyncio.sleep(max(0.0, self._start + self.sent / CODED_RATE - loop.time()))
        packet = Packet(self._packets[self.sent % len(self._packets)])
        packet.pts, packet.time_base = self.sent * 90000 // CODED_RATE, fractions.Fraction(1, 90000)
        self.sent += 1
        return packet


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
        self.heights: list[int] = []
        self._track = track
        self.task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(Exception):
            while True:
                frame = cast(Any, await self._track.recv())
                self.stamps.append(frame.pts)
                if isinstance(frame, VideoFrame):
                    height = frame.height
                    self.levels.append(int(frame.to_ndarray()[height * 3 // 4 : height].mean()))
                    self.heights.append(height)

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
        self.reroute: Callable[[str], str] = lambda answer: answer
        """Leads the answers' candidates over a line of its own."""
        self.watchers: dict[str, Watcher] = {}

    @property
    def resource(self) -> str:
        assert self.answer is not None
        return self.answer.resource

    def track(self, number: int = 0) -> str:
        assert self.answer is not None
        return self.answer.tracks[number].id

    async def offer(self) -> str:
        """aiortc sends lost sound again when it is asked, and does not say so."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return re.sub(r"a=rtpmap:(\d+) opus/48000/2\r\n", r"\g<0>a=rtcp-fb:\1 nack\r\n", self.pc.localDescription.sdp)

    async def take(self, answer: Answer) -> Answer:
        self.answer = answer
        await self.pc.setRemoteDescription(RTCSessionDescription(self.reroute(answer.sdp), "answer"))
        return answer

    async def publish(
        self,
        *tracks: MediaStreamTrack,
        codec: str | None = None,
        sources: Sequence[str] = (),
        layers: Sequence[Layer] = (),
    ) -> Answer:
        """codec: the only one to offer for video; None: all that aiortc has; sources, layers: of the tracks."""
        for track in tracks:
            transceiver = self.pc.addTransceiver(track, "sendonly")
            if codec is not None and track.kind == "video":
                known = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([c for c in known if c.name.lower() in (codec, "rtx")])
        offer = await self.offer()
        mids = [str(transceiver.mid) for transceiver in self.pc.getTransceivers()]
        by_mid, layer_of = dict(zip(mids, sources, strict=False)), dict(zip(mids, layers, strict=False))
        return await self.take(self.hub.publish(self.session, self.participant, offer, by_mid, layer_of))

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

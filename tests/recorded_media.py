"""Real H.264, VP8 and Opus for the tests of recordings, cut into RTP packets as a browser sends them.

Every picture shows its own number as sixteen dark or bright bars, so a decoded frame tells which one it is.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext

FPS = 15
BITS = 16
NTP_UNIX = 2_208_988_800


class Encoded(NamedTuple):
    data: bytes
    keyframe: bool


@functools.cache
def camera(
    seconds: int, width: int = 320, height: int = 192, gop: int = 2 * FPS, bit_rate: int = 0, preset: str = "ultrafast"
) -> list[Encoded]:
    """Annex B pictures of H.264, each keyframe with its parameter sets: of the constrained baseline profile, by another
    `preset` than the fastest of the high profile. Never with B-frames."""
    context = _encoder("libx264", width, height)
    if preset == "ultrafast":
        context.profile = "Constrained Baseline" if "Constrained Baseline" in (context.profiles or ()) else "Baseline"
    context.options = {"preset": preset, "tune": "zerolatency", "x264-params": f"keyint={gop}:scenecut=0"}
    if bit_rate:
        context.bit_rate = bit_rate
    return _numbered(context, seconds)


@functools.cache
def vp8_camera(seconds: int, width: int = 320, height: int = 192, gop: int = 2 * FPS) -> list[Encoded]:
    """Pictures of VP8."""
    context = _encoder("libvpx", width, height)
    context.gop_size, context.bit_rate = gop, 400_000
    context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "keyint_min": str(gop)}
    return _numbered(context, seconds)


def _encoder(name: str, width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    return context


def _numbered(context: VideoCodecContext, seconds: int) -> list[Encoded]:
    width, height = context.width, context.height
    pictures = []
    noise = numpy.random.default_rng(1)
    for number in range(seconds * FPS):
        levels = numpy.array([220 if number >> bit & 1 else 40 for bit in range(BITS)], numpy.uint8)
        luma = numpy.tile(levels.repeat(width // BITS), (height, 1))
        luma[height // 2 :] = noise.integers(60, 200, (height - height // 2, luma.shape[1]), numpy.uint8)
        frame = av.VideoFrame.from_ndarray(
            numpy.concatenate([luma, numpy.full((height // 2, width), 128, numpy.uint8)]), format="yuv420p"
        )
        frame.pts = number
        pictures += [Encoded(bytes(packet), packet.is_keyframe) for packet in context.encode(frame)]
    return pictures + [Encoded(bytes(packet), packet.is_keyframe) for packet in context.encode(None)]


@functools.cache
def microphone(seconds: int) -> list[bytes]:
    """Opus packets of 20 ms: a tone."""
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format, context.bit_rate = 48_000, "stereo", "s16", 32_000
    packets = []
    for number in range(seconds * 50):
        phase = numpy.arange(number * 960, (number + 1) * 960) / 48_000 * 440 * 2 * numpy.pi
        tone = (numpy.sin(phase) * 8000).astype(numpy.int16).repeat(2).reshape(1, -1)
        frame = AudioFrame.from_ndarray(tone, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets


def units(annex_b: bytes) -> list[bytes]:
    """The NAL units of an access unit."""
    parts = annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


def packetize(annex_b: bytes, limit: int = 1100) -> list[bytes]:
    """RTP payloads by RFC 6184: parameter sets together in a STAP-A, small units alone, big ones as FU-A."""
    payloads: list[bytes] = []
    small = [unit for unit in units(annex_b) if unit[0] & 31 in (7, 8)]
    if small:
        payloads.append(b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in small))
    for unit in units(annex_b):
        if unit[0] & 31 in (7, 8):
            continue
        if len(unit) <= limit:
            payloads.append(unit)
            continue
        pieces = [unit[1:][at : at + limit - 2] for at in range(0, len(unit) - 1, limit - 2)]
        for number, piece in enumerate(pieces):
            flags = (0x80 if number == 0 else 0) | (0x40 if number == len(pieces) - 1 else 0)
            payloads.append(bytes((unit[0] & 0xE0 | 28, flags | unit[0] & 31)) + piece)
    return payloads


def packetize_vp8(picture: bytes, number: int = 0, limit: int = 1100) -> list[bytes]:
    """RTP payloads by RFC 7741, with picture ids of two bytes as browsers send them."""
    pieces = [picture[at : at + limit] for at in range(0, len(picture), limit)]
    told = (0x8000 | number & 0x7FFF).to_bytes(2, "big")
    return [bytes((0x90 if at == 0 else 0x80, 0x80)) + told + piece for at, piece in enumerate(pieces)]


@dataclass(frozen=True)
class Packet:
    """One thing that reaches a tap at `arrival`: an RTP packet, or a sender report when `ntp` is set."""

    arrival: float
    kind: str
    sequence: int = 0
    timestamp: int = 0
    marker: bool = False
    payload: bytes = b""
    ntp: int = 0


def video_packets(
    pictures: Iterable[Encoded],
    start: float = 0.0,
    delay: float = 0.0,
    sequence: int = 65_500,
    rtp: int = 2**32 - 90_000,
    vp8: bool = False,
) -> Iterator[Packet]:
    """The packets of pictures captured from `start` on, arriving `delay` later; numbers and time stamps wrap early."""
    for number, picture in enumerate(pictures):
        captured = number / FPS
        payloads = packetize_vp8(picture.data, number) if vp8 else packetize(picture.data)
        for place, payload in enumerate(payloads):
            yield Packet(
                start + captured + delay + place * 1e-5,
                "video",
                sequence,
                (rtp + round(captured * 90_000)) % 2**32,
                place == len(payloads) - 1,
                payload,
            )
            sequence += 1


def audio_packets(
    packets: Iterable[bytes], start: float = 0.0, delay: float = 0.0, sequence: int = 65_000, rtp: int = 2**32 - 48_000
) -> Iterator[Packet]:
    """The packets of sound captured from `start` on, arriving `delay` later."""
    for number, payload in enumerate(packets):
        captured = number * 0.02
        yield Packet(
            start + captured + delay,
            "audio",
            sequence + number,
            (rtp + number * 960) % 2**32,
            number == 0,
            payload,
        )


def report(kind: str, at: float, start: float, delay: float = 0.0, sender_clock: float = 1000.0) -> Packet:
    """A sender report made at `at` by a sender whose clock is `sender_clock` seconds ahead of ours."""
    rate, base = (90_000, 2**32 - 90_000) if kind == "video" else (48_000, 2**32 - 48_000)
    ntp = round((at + sender_clock + NTP_UNIX) * 2**32)
    return Packet(at + delay, kind, timestamp=(base + round((at - start) * rate)) % 2**32, ntp=ntp)


def merged(*streams: Iterable[Packet]) -> Iterator[Packet]:
    """Several streams in the order of their arrival."""
    return heapq.merge(*streams, key=lambda packet: packet.arrival)


def delayed(packet: Packet, seconds: float) -> Packet:
    return replace(packet, arrival=packet.arrival + seconds)


class Played(NamedTuple):
    """What a file gives when it is really decoded."""

    numbers: list[int]
    times: list[float]
    sound: list[float]


def play(path: Path) -> Played:
    """Decode a file whole: the numbers seen in its pictures, their times, and the times of its sound."""
    numbers: list[int] = []
    times: list[float] = []
    sound: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode():
            assert frame.pts is not None
            assert frame.time_base is not None
            at = float(frame.pts * frame.time_base)
            if isinstance(frame, AudioFrame):
                sound.append(at)
            else:
                assert isinstance(frame, av.VideoFrame)
                luma = frame.to_ndarray(format="gray8")[: frame.height // 2 - 16]
                bars = luma.mean(axis=0).reshape(BITS, -1).mean(axis=1)
                numbers.append(sum(1 << bit for bit in range(BITS) if bars[bit] > 128))
                times.append(at)
    return Played(numbers, times, sound)

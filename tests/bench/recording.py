"""What a recording costs the server, and how long after a lesson's end it can be played.

Media is real H.264 at the host classroom's rate (850 kbit/s) and Opus, fed as RTP through the recorder's own taps on a
clock that runs as fast as the machine does. The peer does what recorders that decode do with the same pictures: decode
them and encode them anew with x264, at its fastest preset.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.video.codeccontext import VideoCodecContext

from recordings.fragments import index_file, init_segment
from recordings.journal import Journal
from recordings.recorder import QUEUE, SessionRecorder
from tests.bench.runner import Figure
from tests.recorded_media import FPS, Packet, audio_packets, camera, merged, microphone, report, video_packets

LOOP = 20
WIDTH, HEIGHT, BIT_RATE = 960, 544, 850_000
HOUR = 3600.0
CPU_GOAL = 12.0  # seconds of one core for an hour of one participant
PLAYABLE_GOAL = 1.0
EVENTS = 20_000


def figures(full: bool) -> Iterator[Figure]:
    rounds = 5 if full else 3
    ours = min(recorded(1, 120)[0] for _ in range(rounds)) / 120 * HOUR
    theirs = min(transcoded() for _ in range(rounds)) / LOOP * HOUR
    yield figure("CPU of recording one participant for an hour", ours, "s", CPU_GOAL, "decoding and encoding", theirs)
    participants, seconds = (6, 2700) if full else (4, 300)
    _, playable = recorded(participants, seconds)
    name = f"end to playable, {participants} rooms of {seconds // 60} min"
    yield figure(name, playable, "s", PLAYABLE_GOAL)
    yield figure("CPU of one journal event", journal(), "us", None, "SQLite commit", committed())


def figure(
    name: str, value: float, unit: str, goal: float | None, peer: str | None = None, theirs: float | None = None
) -> Figure:
    return Figure(
        figure=name,
        value=round(value, 4),
        unit=unit,
        peer=peer,
        peer_value=None if theirs is None else round(theirs, 4),
        ratio=None if theirs is None else round(value / theirs, 4),
        goal=None if goal is None else f"<= {goal:g} {unit}",
        met=None if goal is None else value <= goal,
    )


def packets(seconds: int) -> Iterator[Packet]:
    """A participant's packets, the same twenty seconds over and over with numbers and time stamps that go on."""
    pictures, sounds = camera(LOOP, WIDTH, HEIGHT, 2 * FPS, BIT_RATE), microphone(LOOP)
    reports = [report("video", 0.2, 0.0), report("audio", 0.3, 0.0)]
    once = list(merged(video_packets(pictures), audio_packets(sounds), reports))
    count = {kind: sum(packet.kind == kind and not packet.ntp for packet in once) for kind in ("video", "audio")}
    for turn in range(seconds // LOOP):
        later = turn * LOOP
        for packet in once:
            rate = 90_000 if packet.kind == "video" else 48_000
            yield replace(
                packet,
                arrival=packet.arrival + later,
                sequence=packet.sequence + turn * count[packet.kind],
                timestamp=(packet.timestamp + later * rate) % 2**32,
                ntp=packet.ntp and packet.ntp + (later << 32),
            )


def recorded(participants: int, seconds: int) -> tuple[float, float]:
    """CPU seconds of recording, and wall seconds from `stop` until every segment's index and first bytes are read."""
    now = 0.0
    with tempfile.TemporaryDirectory() as folder:
        recorder = SessionRecorder("bench", Path(folder), lambda: now, time.time)
        taps = []
        for number in range(participants):
            recorder.start(f"room {number}", "host" if number == 0 else "member", "unit", "room", consent=True)
            taps.append((recorder.video_tap(f"room {number}", "teacher"), recorder.audio_tap(f"room {number}")))
        fed = list(packets(seconds)) if participants == 1 else packets(seconds)
        began = time.process_time()
        for count, packet in enumerate(fed):
            now = packet.arrival
            for video, audio in taps:
                tap = video if packet.kind == "video" else audio
                if packet.ntp:
                    tap.sender_report(packet.ntp, packet.timestamp, now)
                else:
                    tap.packet(packet.sequence, packet.timestamp, packet.marker, packet.payload, now)
            if count % (QUEUE // participants // 2) == 0:
                caught_up(recorder)
        caught_up(recorder)
        spent = time.process_time() - began
        stopping = time.perf_counter()
        recorder.stop()
        for path in Path(folder).glob("*.mp4"):
            assert init_segment(path, index_file(path))
        playable = time.perf_counter() - stopping
        recorder.join()
        assert not recorder.dropped
    return spent, playable


def caught_up(recorder: SessionRecorder) -> None:
    done = threading.Event()
    recorder.order(lambda _: done.set())
    done.wait()


def transcoded() -> float:
    """CPU seconds of decoding the pictures and encoding them anew."""
    decoder = av.CodecContext.create("h264", "r")
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(decoder, VideoCodecContext)
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.bit_rate = WIDTH, HEIGHT, "yuv420p", BIT_RATE
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    pictures = camera(LOOP, WIDTH, HEIGHT, 2 * FPS, BIT_RATE)
    began = time.process_time()
    for number, picture in enumerate(pictures):
        for frame in decoder.decode(av.Packet(picture.data)):
            frame.pts = number
            encoder.encode(frame)
    encoder.encode(None)
    return time.process_time() - began


def journal() -> float:
    """CPU microseconds of one event, on its way to the disk when `append` returns."""
    event = {"type": "hand_raised", "participant": "room-west", "hand": "h17", "seat": 12}
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal") as kept:
        began = time.process_time()
        for _ in range(EVENTS):
            kept.append(event, 0.0)
        return (time.process_time() - began) / EVENTS * 1e6


def committed() -> float:
    """CPU microseconds of one event as a row of its own transaction."""
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(Path(folder) / "events.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, at REAL, body TEXT)")
        began = time.process_time()
        for _ in range(EVENTS):
            database.execute("INSERT INTO event (at, body) VALUES (?, ?)", (0.0, '{"type": "hand_raised", "seat": 12}'))
        spent = time.process_time() - began
        database.close()
    return spent / EVENTS * 1e6

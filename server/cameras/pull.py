"""One camera, pulled by RTSP and published by WHIP, in a process of its own: `python -m server.cameras.pull`.

What it is to do comes as one JSON line on standard input, so that passwords stand in no list of processes; it stops
when its input ends. What it finds goes out as JSON lines. Pictures are copied as they are: H.264 that every browser
shows. Opus is copied too; other sound becomes Opus here. The camera is reached through a gate, which
follows it nowhere.
"""

from __future__ import annotations

import base64
import fractions
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import av.logging
import msgspec
from av.container import InputContainer

from server.cameras.gate import Gate, opened
from signaling.cameras import CameraProblem

OPEN_SECONDS = 10.0
SILENT_SECONDS = 10.0
GOODBYE_SECONDS = 3.0
"""For leaving the session, once it is told to stop or its server is gone."""
STILL_WIDTH = 480
RATE = 48_000
OPUS_BITRATE = 48_000
LARGEST_DRIFT = RATE // 2
MOST_STILL_PACKETS = 300
BROWSERS_SHOW = {"Baseline", "Constrained Baseline", "Main", "High", None}
"""Many cameras send nothing else than the last two. Chromium shows them where no picture waits for a later one."""
OFFERED = "Constrained Baseline"
"""What all pictures of a lesson are agreed on, and not a camera's true profile: Chromium without a decoder in hardware
names no high profile among those that it receives, and would be sent nothing. By this name it shows main and high all
the same: a decoder goes by the parameter sets in the stream itself."""


class Task(msgspec.Struct, frozen=True):
    """`source`: the camera's whole address; without `publish` it is only looked at. `sound`: whether its sound is
    wanted. `cert_file`, `key_file`: a pair on P-256, because the muxer would make itself one on a curve that OpenSSL
    refuses."""

    source: str
    publish: str = ""
    token: str = ""
    sound: bool = True
    cert_file: str = ""
    key_file: str = ""


class Seen(msgspec.Struct, frozen=True):
    """What a camera sends; `still` is a JPEG in base64. `audio` is empty where it sends none. `elsewhere`: the address
    to which it sends its watchers."""

    video: str = ""
    width: int = 0
    height: int = 0
    audio: str = ""
    transcoded: bool = False
    still: str = ""
    problem: CameraProblem | None = None
    elsewhere: str = ""


class CannotPull(Exception):
    """The camera, or what it sends, is not to be used."""

    def __init__(self, problem: CameraProblem, seen: Seen | None = None) -> None:
        super().__init__(problem)
        self.seen = msgspec.structs.replace(seen or Seen(), problem=problem)


def look(source: InputContainer) -> Seen:
    """What the camera sends; raises CannotPull when a browser could not show it as it is."""
    if not source.streams.video:
        raise CannotPull("no_video")
    video = source.streams.video[0].codec_context
    sound = source.streams.audio[0].codec_context.name if source.streams.audio else ""
    seen = Seen(
        video=video.name,
        width=video.width,
        height=video.height,
        audio=sound,
        transcoded=sound not in ("", "opus"),
    )
    if video.name != "h264":
        raise CannotPull("not_h264", seen)
    if video.profile not in BROWSERS_SHOW:
        raise CannotPull("h264_profile", seen)
    if video.has_b_frames:
        raise CannotPull("b_frames", seen)
    return seen


def still(source: InputContainer) -> str:
    """The first whole picture, small, as a JPEG in base64; empty when none comes."""
    for number, packet in enumerate(source.demux(source.streams.video[0])):
        for frame in packet.decode():
            height = round(frame.height * STILL_WIDTH / frame.width / 2) * 2
            small: Any = frame.reformat(width=STILL_WIDTH, height=height, format="yuvj420p")
            encoder: Any = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = STILL_WIDTH, height, "yuvj420p"
            encoder.time_base = fractions.Fraction(1, 15)
            small.pts = 0
            return base64.b64encode(
                b"".join(bytes(p) for p in [*encoder.encode(small), *encoder.encode(None)])
            ).decode()
        if number > MOST_STILL_PACKETS:
            break
    return ""


def forward(source: InputContainer, task: Task, stop: threading.Event) -> None:
    """Publish until the camera or the server ends it, or `stop` is set."""
    options = {"authorization": task.token, "cert_file": task.cert_file, "key_file": task.key_file}
    streams: list[Any] = [source.streams.video[0], *(source.streams.audio[:1] if task.sound else ())]
    with av.open(task.publish, "w", format="whip", options=options) as out:
        video: Any = out.add_stream_from_template(streams[0])
        video.codec_context.profile = OFFERED
        sound: Any = None
        opus: OpusSound | None = None
        if len(streams) > 1:
            if streams[1].codec_context.name == "opus":
                sound = out.add_stream_from_template(streams[1])
            else:
                sound = out.add_stream("libopus", rate=RATE)
                sound.layout, sound.bit_rate = "stereo", OPUS_BITRATE
                opus = OpusSound(sound)
        for packet in source.demux(streams):
            if stop.is_set():
                return
            if packet.dts is None:
                continue
            if packet.stream is streams[0]:
                packet.stream = video
                out.mux(packet)
            elif opus is None:
                packet.stream = sound
                out.mux(packet)
            else:
                out.mux(list(opus.packets(packet)))


class OpusSound:
    """Sound of any kind, as Opus in `stream`. It counts its samples itself, because cameras' time stamps stutter, and
    leaves a gap only where much is missing."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._resampler: Any = av.AudioResampler(format="s16", layout="stereo", rate=RATE, frame_size=RATE // 50)
        self._next: int | None = None

    def packets(self, packet: Any) -> Iterator[Any]:
        for frame in packet.decode():
            told = round(float(frame.pts * frame.time_base) * RATE) if frame.pts is not None else None
            if self._next is None or (told is not None and told - self._next > LARGEST_DRIFT):
                self._next = told or 0
            frame.pts = None
            for whole in self._resampler.resample(frame):
                whole.pts, whole.time_base = self._next, fractions.Fraction(1, RATE)
                self._next += whole.samples
                yield from self._stream.encode(whole)


def run(task: Task, stop: threading.Event) -> Seen:
    """Do it; what was seen, with the problem that ended it where there is one."""
    with opened(Gate(task.source)) as gate:
        seen = play(gate.url, task, stop)
        if gate.redirected_to:
            return Seen(problem="redirected", elsewhere=gate.redirected_to)
        return seen


def play(url: str, task: Task, stop: threading.Event) -> Seen:
    """The same, with the camera at `url`."""
    # TCP: cameras sit behind the same firewalls as everything else in a school
    options = {"rtsp_transport": "tcp"}
    try:
        source = av.open(url, options=options, timeout=(OPEN_SECONDS, SILENT_SECONDS))
    except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError):
        return Seen(problem="refused")
    except (av.FFmpegError, OSError, ValueError):
        return Seen(problem="unreachable")
    with source:
        try:
            seen = look(source)
        except CannotPull as cannot:
            return cannot.seen
        if not task.publish:
            return msgspec.structs.replace(seen, still=still(source))
        if not task.sound:
            seen = msgspec.structs.replace(seen, audio="", transcoded=False)
        tell(seen)
        try:
            forward(source, task, stop)
        except (av.FFmpegError, OSError, ValueError):
            return msgspec.structs.replace(seen, problem="interrupted")
        return msgspec.structs.replace(seen, problem=None if stop.is_set() else "interrupted")


def tell(seen: Seen) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    # ffmpeg would write addresses, and with them passwords, into its log
    av.logging.set_level(av.logging.PANIC)
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    stop = threading.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        stop.set()
        # the library may wait for a camera or a server that is gone, and whoever started this may be gone, too
        time.sleep(GOODBYE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
    tell(run(task, stop))


if __name__ == "__main__":
    main()

"""An encoder as a school may have one: ffmpeg's WHIP muxer, with a moving picture and noise until its input closes.

It is set as `docs/operations.md` says, by its command line. `python -m tests.whip_muxer URL TOKEN FOLDER`; a process of
its own, because the muxer holds the interpreter.
"""

from __future__ import annotations

import fractions
import logging
import re
import shlex
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy


def documented() -> tuple[list[str], dict[str, str]]:
    """The commands that make a certificate, without their files, and what ffmpeg is told, by option."""
    text = (Path(__file__).parents[1] / "docs/operations.md").read_text()
    (block,) = (found for found in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "-f whip" in found)
    *openssl, ffmpeg = block.replace("\\\n", " ").strip().splitlines()
    words = shlex.split(ffmpeg)
    return openssl, {
        name[1:]: "" if value.startswith("-") else value for name, value in pairwise(words) if name.startswith("-")
    }


def publish(url: str, options: dict[str, str], stop: threading.Event) -> int:
    """How many pictures were sent."""
    sent = 0
    _, told = documented()
    given = {name.removesuffix(":v"): value for name, value in told.items() if not name.endswith(":a")}
    with av.open(url, "w", format="whip", options=options) as out:
        choice = {name: given[name] for name in ("preset", "profile", "bf", "tune", "g", "b", "maxrate", "bufsize")}
        video: Any = out.add_stream(given["c"], rate=15, options=choice)
        video.width, video.height, video.pix_fmt = 320, 240, given["pix_fmt"]
        sound: Any = out.add_stream(told["c:a"], rate=int(given["ar"]))
        sound.layout = {"2": "stereo"}[given["ac"]]
        out.start_encoding()
        if left := {**video.codec_context.options, **sound.codec_context.options}.keys() - options.keys():
            raise ValueError(f"the encoders know no such options: {left}")
        while not stop.wait(1 / 15):
            pixels = numpy.full((360, 320), 128, numpy.uint8)
            pixels[:240, : 8 * (sent % 40)] = 255
            frame = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            frame.pts, frame.time_base = sent, fractions.Fraction(1, 15)
            for packet in video.encode(frame):
                out.mux(packet)
            noise = numpy.random.default_rng(sent).integers(-3000, 3000, (1, 2 * 3200)).astype(numpy.int16)
            samples = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
            samples.sample_rate, samples.pts, samples.time_base = 48000, sent * 3200, fractions.Fraction(1, 48000)
            for packet in sound.encode(samples):
                out.mux(packet)
            sent += 1
    return sent


def certificate(folder: Path) -> dict[str, str]:
    """A pair on P-256: the one that the muxer would make itself is on a curve that OpenSSL refuses."""
    openssl, told = documented()
    for command in openssl:
        subprocess.run(shlex.split(command), check=True, capture_output=True, cwd=folder)
    return {name: str(folder / told[name]) for name in ("cert_file", "key_file")}


def _refuse(record: logging.LogRecord) -> bool:
    """An option that the muxer does not know is only warned of."""
    raise ValueError(record.getMessage())


def main(url: str, token: str, folder: str) -> None:
    # what ffmpeg has to say belongs on standard error
    av.logging.restore_default_callback()
    logging.getLogger("av.container.output").addFilter(_refuse)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    print(publish(url, {"authorization": token, **certificate(Path(folder))}, stop))


if __name__ == "__main__":
    main(*sys.argv[1:])

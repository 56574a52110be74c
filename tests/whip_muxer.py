"""An encoder as a school may have one: ffmpeg's WHIP muxer, with a moving picture and noise until its input closes.

`python -m tests.whip_muxer URL TOKEN FOLDER`; a process of its own, because the muxer holds the interpreter.
"""

from __future__ import annotations

import fractions
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy


def publish(url: str, options: dict[str, str], stop: threading.Event) -> int:
    """How many pictures were sent."""
    sent = 0
    with av.open(url, "w", format="whip", options=options) as out:
        choice = {"profile": "baseline", "preset": "ultrafast", "tune": "zerolatency", "g": "15"}
        video: Any = out.add_stream("libx264", rate=15, options=choice)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        sound: Any = out.add_stream("libopus", rate=48000)
        sound.layout = "stereo"
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
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    make_key = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]
    make_cert = ["openssl", "req", "-x509", "-new", "-key", key, "-out", cert, "-days", "2", "-subj", "/CN=whip"]
    for command in (make_key, make_cert):
        subprocess.run(command, check=True, capture_output=True)
    return {"cert_file": cert, "key_file": key}


def main(url: str, token: str, folder: str) -> None:
    # what ffmpeg has to say belongs on standard error
    av.logging.restore_default_callback()
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    print(publish(url, {"authorization": token, **certificate(Path(folder))}, stop))


if __name__ == "__main__":
    main(*sys.argv[1:])

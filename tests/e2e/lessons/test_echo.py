"""A room that returns what it hears, on real sound: speech from Chromium's microphone, its processing, Opus, the room's
loudspeaker, and its walls' answer back to the server. Played here is only the air between loudspeaker and microphone:
headless browsers have none, and their echo cancellation would have to fail for it."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy
import pytest
from playwright.async_api import Page

from tests.county_server import MEMBER, THIRD, remote_room
from tests.e2e.classroom import WAIT, tile
from tests.e2e.live_county import ROOM, chromium_with, live_county

pytestmark = pytest.mark.slow

SOUNDS = Path(__file__).parents[2] / "sounds"
RATE = 48_000
TOLD_WITHIN = 60_000.0
"""Milliseconds: the sign takes nine seconds of sound, which come with holes where a machine runs too much else."""
QUIET_FOR = 18.0
"""Seconds of sound from each room in which nothing may be warned of."""
HEARD_WITHIN = 120_000.0
"""Milliseconds in which so much sound has come, however slow the machine."""
OTHER = remote_room(THIRD)

AIR = """
    // what the page is sent comes back into its microphone: later, fainter, with the walls' answer
    const air = new AudioContext();
    const microphone = air.createMediaStreamDestination();
    const way = air.createDelay(1);
    way.delayTime.value = %s;
    const fainter = air.createGain();
    fainter.gain.value = 0.5;
    const walls = air.createConvolver();
    const room = air.createBuffer(1, air.sampleRate * 0.4, air.sampleRate);
    const answer = room.getChannelData(0);
    for (let at = 0; at < answer.length; at += 1)
        answer[at] = (Math.random() * 2 - 1) * Math.exp(-at / (air.sampleRate * 0.08));
    answer[0] = 3;
    walls.buffer = room;
    way.connect(fainter).connect(walls).connect(microphone);
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
        constructor(...given) {
            super(...given);
            this.addEventListener('track', ({track}) => {
                if (track.kind === 'audio') air.createMediaStreamSource(new MediaStream([track])).connect(way);
            });
        }
    };
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await ask(wanted);
        const [real] = stream.getAudioTracks();
        if (!real) return stream;
        const [track] = microphone.stream.clone().getAudioTracks();
        track.getSettings = () => real.getSettings();
        return new MediaStream([track, ...stream.getVideoTracks()]);
    };
"""


def voice(name: str) -> numpy.ndarray:
    """A recording as samples from -1 to 1."""
    with av.open(str(SOUNDS / f"{name}.ogg")) as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return numpy.concatenate(parts) / 32768


def music() -> numpy.ndarray:
    """Twelve seconds: a plucked tune over a chord that stands, and a drum."""
    at = numpy.arange(12 * RATE) / RATE
    tune = numpy.concatenate(
        [
            numpy.sin(2 * numpy.pi * note * at[: RATE // 2]) * numpy.exp(-at[: RATE // 2] * 5)
            for note in [262, 294, 330, 392, 440, 392, 330, 294] * 3
        ]
    )
    chord = numpy.sin(2 * numpy.pi * numpy.outer((131, 165, 196), at)).sum(axis=0) * 0.15
    drum = numpy.random.default_rng(1).normal(0, 0.3, at.size) * numpy.exp(-(at % 0.5) / 0.05)
    return numpy.asarray((tune * 0.5 + chord + drum) * 0.5)


def turns(said: numpy.ndarray, *, first: bool) -> numpy.ndarray:
    """Speaks four seconds, listens four."""
    at = numpy.arange(said.size) / RATE
    return numpy.where((at % 8 < 4) == first, said, 0.0)


def microphone(folder: Path, name: str, sound: numpy.ndarray) -> str:
    """The switch of a Chromium whose microphone hears this over and over."""
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return f"--use-file-for-fake-audio-capture={path}"


async def open_microphone(host: Page, room: str) -> None:
    await tile(host, room, "connected")
    await host.click(f'[data-room="{room}"] [data-action="mute"]')
    await host.wait_for_selector(f'[data-room="{room}"][data-muted="false"]', timeout=WAIT)


@pytest.mark.parametrize("delay", [0.12, 0.4])
async def test_room_that_returns_the_teachers_voice_is_told(
    tmp_path: Path, migrated_sqlite: Path, delay: float
) -> None:
    teacher = microphone(tmp_path, "teacher", voice("teacher"))
    async with (
        live_county(tmp_path / "data", migrated_sqlite) as lesson,
        chromium_with(teacher, cameras=0) as desk,
        chromium_with(cameras=0) as wall,
    ):
        host = await lesson.host(desk)
        await host.click('[data-action="start-lesson"]')
        await lesson.panel(wall, script=AIR % delay)
        await open_microphone(host, ROOM)
        warning = host.locator(f'[data-room="{ROOM}"] [data-echo="echo"][role="alert"]')
        await warning.wait_for(timeout=TOLD_WITHIN)
        # it goes with what it warns of
        await host.click(f'[data-room="{ROOM}"] [data-action="mute"]')
        await warning.wait_for(state="detached", timeout=WAIT)
        assert lesson.errors == []


async def test_talk_in_turns_talk_at_once_and_music_are_no_echo(tmp_path: Path, migrated_sqlite: Path) -> None:
    """A teacher speaks by turns, a pupil talks into it, and a third room plays music."""
    teacher, pupil = voice("teacher"), voice("pupil")
    async with (
        live_county(tmp_path / "data", migrated_sqlite) as lesson,
        chromium_with(microphone(tmp_path, "teacher", turns(teacher, first=True)), cameras=0) as desk,
        chromium_with(microphone(tmp_path, "pupil", pupil), cameras=0) as wall,
        chromium_with(microphone(tmp_path, "music", music()), cameras=0) as stage,
    ):
        host = await lesson.host(desk, script=PEERS)
        await host.click('[data-action="start-lesson"]')
        await lesson.panel(wall, MEMBER)
        await lesson.panel(stage, THIRD)
        await host.evaluate(WATCH)
        await open_microphone(host, ROOM)
        await open_microphone(host, OTHER)
        # nothing is to happen in ten looks at six seconds each
        await host.wait_for_function(HEARD, arg=[2, QUIET_FOR], timeout=HEARD_WITHIN)
        assert await host.evaluate("() => window.warned") == []
        assert lesson.errors == []


PEERS = """
    window.peers = [];
    const Peer = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Peer {
        constructor(...given) {
            super(...given);
            window.peers.push(this);
        }
    };
"""

HEARD = """async ([rooms, seconds]) => {
    // silence is sent as such and counts; what had to be made up for lost packets does not
    const stats = await Promise.all(window.peers.map(peer => peer.getStats()));
    const heard = stats.flatMap(one => [...one.values()])
        .filter(part => part.type === 'inbound-rtp' && part.kind === 'audio')
        .map(part => (part.totalSamplesReceived - part.concealedSamples + part.silentConcealedSamples) / 48000);
    return heard.filter(one => one >= seconds).length >= rooms;
}"""

WATCH = """() => {
    window.warned = [];
    setInterval(() => {
        for (const warning of document.querySelectorAll('[data-echo]'))
            window.warned.push([warning.closest('[data-room]').dataset.room, warning.dataset.echo]);
    }, 250);
}"""

"""A room whose loudspeakers come back through its microphone is noticed, and nobody else."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import av
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.feedback import LOOKS_EVERY, STAYS, FeedbackWatch
from signaling.media.loudness import BIN, KEPT, SILENCE, Loudness
from signaling.wire import Echo

SOUNDS = Path(__file__).parents[1] / "sounds"
LOOK = round(LOOKS_EVERY / BIN)


def speech(seed: int, values: int) -> list[int]:
    """Syllables that rise and fall, words and pauses."""
    chance = random.Random(seed)
    levels: list[int] = []
    while len(levels) < values:
        for _ in range(chance.randint(2, 7)):
            peak = chance.randint(14, 30)
            levels += [peak + 8, peak, *[peak + 3] * chance.randint(0, 3), peak + 10, peak + chance.randint(8, 25)]
        levels += [chance.randint(60, 80)] * chance.randint(2, 14)
    return levels[:values]


def returned(said: list[int], *, lag: int, fainter: int, seed: int = 9) -> list[int]:
    """What a room sends back: later, fainter, longer for its walls, over its own noise."""
    chance = random.Random(seed)
    levels, tail = [], SILENCE
    for level in [SILENCE] * lag + said[: len(said) - lag]:
        tail = min(tail + 1, level + fainter)
        levels.append(min(tail + chance.randint(-2, 2), 65))
    return levels


def heard(rooms: dict[str, list[int]]) -> dict[str, set[Echo]]:
    """Every warning that the rooms ever got."""
    watch, found = FeedbackWatch(), dict[str, set[Echo]]()
    for at in range(KEPT, len(next(iter(rooms.values()))), LOOK):
        warned = watch.hear({room: bytes(levels[at - KEPT : at]) for room, levels in rooms.items()}, at * BIN)
        for room, sign in warned.items():
            found.setdefault(room, set()).add(sign)
    return found


def test_a_steady_loud_tone_is_a_howl() -> None:
    tone = [12, 13, 11, 12, 14, 12, 11, 12, 13, 12] * 20
    assert heard({"host": speech(2, 800), "room": speech(1, 600) + tone}) == {"room": {"howl"}}


def test_a_room_that_returns_what_another_said_echoes() -> None:
    for lag in (3, 6, 10, 15):
        said = speech(lag, 800)
        assert heard({"host": said, "room": returned(said, lag=lag, fainter=16)}) == {"room": {"echo"}}, lag


def test_an_echo_is_told_within_nine_seconds() -> None:
    said = speech(3, 400)
    room = returned(said, lag=6, fainter=16)
    watch = FeedbackWatch()
    for at in range(LOOK, 12 * LOOK, LOOK):
        sounds = {
            name: bytes([SILENCE] * max(0, KEPT - at) + levels[max(0, at - KEPT) : at])
            for name, levels in (("host", said), ("room", room))
        }
        if watch.hear(sounds, at * BIN):
            break
    assert at * BIN <= 9


def test_microphones_that_are_opened_one_after_the_other_are_no_echo() -> None:
    """What they were before is no loudness of theirs; both then go up at once."""
    watch = FeedbackWatch()
    host, room = [SILENCE] * KEPT + speech(11, 800), [SILENCE] * (KEPT + 6) + [30, 20] * 400
    for at in range(KEPT, KEPT + 360, LOOK):
        assert watch.hear({"host": bytes(host[at - KEPT : at]), "room": bytes(room[at - KEPT : at])}, at * BIN) == {}


def test_people_who_talk_at_once_are_no_echo() -> None:
    assert heard({"host": speech(4, 4000), "room": speech(5, 4000)}) == {}


def test_people_who_talk_in_turns_are_no_echo() -> None:
    def half(seed: int, first: bool) -> list[int]:
        said = speech(seed, 3000)
        return [level if (at // 80 % 2 == 0) is first else 70 for at, level in enumerate(said)]

    assert heard({"host": half(6, True), "room": half(7, False)}) == {}


def test_silence_is_no_echo_of_silence() -> None:
    assert heard({"host": [SILENCE] * 800, "room": [70] * 800}) == {}


def test_whoever_is_louder_is_no_echo() -> None:
    said = speech(8, 800)
    assert heard({"host": said, "room": returned(said, lag=5, fainter=-4)}) == {}


def test_a_class_that_reads_in_chorus_does_not_howl() -> None:
    chance = random.Random(6)
    chorus = [chance.choice([10, 14, 19, 24, 30]) for _ in range(2000)]
    assert heard({"room": chorus}) == {}


def test_a_warning_stays_a_while_and_goes_with_the_microphone() -> None:
    tone, quiet = bytes([12] * KEPT), bytes([90] * KEPT)
    watch = FeedbackWatch()
    assert watch.hear({"room": tone}, 3.0) == {"room": "howl"}
    assert watch.hear({"room": quiet}, 4.0) == {"room": "howl"}
    assert watch.hear({"room": quiet}, 3.0 + STAYS) == {}
    assert watch.hear({"room": tone}, 20.0) == {"room": "howl"}
    assert watch.hear({}, 21.0) == {}


def test_a_room_that_was_not_heard_long_enough_is_not_judged() -> None:
    assert FeedbackWatch().hear({"room": bytes([12] * 20)}, 3.0) == {}


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.binary(min_size=KEPT, max_size=KEPT)), max_size=20))
def test_only_open_microphones_are_warned_of(samples: list[dict[str, bytes]]) -> None:
    watch = FeedbackWatch()
    for at, sounds in enumerate(samples):
        assert set(watch.hear(sounds, at * LOOKS_EVERY)) <= set(sounds)


RATE = 48_000
FRAME = RATE // 50


def opus(sound: numpy.ndarray) -> numpy.ndarray:
    """What a listener's browser plays of it."""
    coder, player = av.CodecContext.create("libopus", "w"), av.CodecContext.create("libopus", "r")
    coder.sample_rate = player.sample_rate = RATE
    coder.layout, coder.format, coder.bit_rate = "mono", "s16", 32_000  # type: ignore[attr-defined]
    player.layout = "mono"  # type: ignore[attr-defined]
    pcm = (sound.clip(-1, 1) * 32767).astype("<i2")
    played = []
    for at in range(0, pcm.size - FRAME, FRAME):
        frame = av.AudioFrame.from_ndarray(pcm[None, at : at + FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, at
        played += [part.to_ndarray().reshape(-1) for packet in coder.encode(frame) for part in player.decode(packet)]
    return numpy.concatenate(played) / (1 if played[0].dtype.kind == "f" else 32768)


def loud(sound: numpy.ndarray, seed: int) -> list[int]:
    """The levels of a microphone that hears it, over the noise of a classroom, as they reach the server."""
    chance = numpy.random.default_rng(seed)
    heard = opus(sound + chance.normal(0, 10 ** (-62 / 20), sound.size))
    frames = heard[: heard.size // FRAME * FRAME].reshape(-1, FRAME)
    loudness, values = Loudness(), list[int]()
    for at, level in enumerate(-10 * numpy.log10((frames**2).mean(axis=1) + 1e-13)):
        loudness.hear(int(numpy.clip(round(level), 0, SILENCE)), 10 + at / 50 + abs(chance.normal(0, 0.005)))
        if at % 5 == 4:  # two values each
            values += loudness.past(10 + (at + 1) / 50 + BIN)[-2:]
    return values


def walls(sound: numpy.ndarray, *, late: float, fainter: float) -> numpy.ndarray:
    """What comes back of a loudspeaker's sound into the microphone of its room."""
    chance = numpy.random.default_rng(1)
    answer = chance.normal(0, 1, RATE * 4 // 10) * numpy.exp(-numpy.arange(RATE * 4 // 10) / (RATE * 0.08))
    answer[0] = 3
    size = 1 << (sound.size + answer.size).bit_length()
    spectrum = numpy.fft.rfft(sound, size) * numpy.fft.rfft(answer / numpy.linalg.norm(answer), size)
    came = numpy.fft.irfft(spectrum, size)[: sound.size] * fainter
    return numpy.concatenate([numpy.zeros(int(late * RATE)), came])[: sound.size]


def speaking(name: str, seconds: int, *, begin: float = 0.0, faster: float = 1.0) -> numpy.ndarray:
    """One of the recorded voices, over and over."""
    with av.open(str(SOUNDS / f"{name}.ogg")) as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        parts = [part.to_ndarray()[0] for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    said = numpy.concatenate(parts) / 32768
    said = numpy.interp(numpy.arange(0, said.size - 1, faster), numpy.arange(said.size), said)
    return numpy.resize(numpy.roll(said, -int(begin * RATE)), seconds * RATE)


@cache
def teacher_speaks() -> list[int]:
    return loud(speaking("teacher", 40), 1)


@pytest.mark.parametrize(("late", "loudly", "faster"), [(0.05, 0.0, 1.0), (0.12, 0.3, 1.12), (0.5, 0.4, 1.0)])
def test_real_speech_that_comes_back_is_told_also_where_the_class_talks_into_it(
    late: float, loudly: float, faster: float
) -> None:
    """`loudly`: how much of their own the pupils add, beside a third of the teacher's voice that comes back."""
    teacher = speaking("teacher", 40)
    room = walls(teacher, late=late, fainter=0.3) + loudly * speaking("pupil", 40, begin=5, faster=faster)
    assert heard({"host": teacher_speaks(), "room": loud(room, 2)}) == {"room": {"echo"}}


@pytest.mark.parametrize(("name", "faster"), [("pupil", 0.9), ("teacher", 1.08)])
def test_real_speech_of_two_who_talk_at_once_is_no_echo(name: str, faster: float) -> None:
    other = 0.5 * speaking(name, 40, begin=7, faster=faster)
    assert heard({"host": teacher_speaks(), "room": loud(other, 2)}) == {}

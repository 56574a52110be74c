"""A room whose loudspeakers come back through its microphone is noticed, and nobody else."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from signaling.feedback import SAMPLES_A_SECOND, STAYS, FeedbackWatch
from signaling.wire import Echo


def speech(seed: int, samples: int) -> list[int]:
    """Syllables, words and pauses, four samples a second."""
    chance = random.Random(seed)
    levels: list[int] = []
    while len(levels) < samples:
        levels += [chance.randint(18, 40) for _ in range(chance.randint(2, 10))]
        levels += [chance.randint(60, 90) for _ in range(chance.randint(1, 6))]
    return levels[:samples]


def heard(rooms: dict[str, list[int]]) -> dict[str, set[Echo]]:
    """Every warning that the rooms ever got."""
    watch, found = FeedbackWatch(), dict[str, set[Echo]]()
    for sample in range(len(next(iter(rooms.values())))):
        warned = watch.hear({room: levels[sample] for room, levels in rooms.items()}, sample / SAMPLES_A_SECOND)
        for room, sign in warned.items():
            found.setdefault(room, set()).add(sign)
    return found


def test_a_steady_loud_tone_is_a_howl() -> None:
    quiet = speech(1, 40)
    assert heard({"host": speech(2, 70), "room": quiet + [12, 13, 11, 12, 14, 12, 11, 12, 13, 12] * 3}) == {
        "room": {"howl"}
    }


def test_a_room_that_says_what_another_said_a_moment_ago_echoes() -> None:
    said = speech(3, 120)
    late = [90, 90, *(min(127, level + 8) for level in said[:-2])]
    assert heard({"host": said, "room": late}) == {"room": {"echo"}}


def test_two_people_who_talk_are_no_echo() -> None:
    assert heard({"host": speech(4, 400), "room": speech(5, 400)}) == {}


def test_silence_is_no_echo_of_silence() -> None:
    assert heard({"host": [127] * 100, "room": [120] * 100}) == {}


def test_a_class_that_reads_in_chorus_does_not_howl() -> None:
    chance = random.Random(6)
    chorus = [chance.choice([10, 14, 19, 24, 30]) for _ in range(400)]
    assert heard({"room": chorus}) == {}


def test_a_warning_stays_a_while_and_goes_with_the_microphone() -> None:
    watch = FeedbackWatch()
    for sample in range(12):
        warned = watch.hear({"room": 12}, sample / SAMPLES_A_SECOND)
    assert warned == {"room": "howl"}
    assert watch.hear({"room": 90}, 3.0) == {"room": "howl"}
    assert watch.hear({"room": 90}, 3.0 + STAYS) == {}
    for sample in range(12):
        warned = watch.hear({"room": 12}, 20 + sample / SAMPLES_A_SECOND)
    assert warned == {"room": "howl"}
    assert watch.hear({}, 23.0) == {}


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 127)), max_size=60))
def test_only_open_microphones_are_warned_of(samples: list[dict[str, int]]) -> None:
    watch = FeedbackWatch()
    for at, levels in enumerate(samples):
        assert set(watch.hear(levels, at / SAMPLES_A_SECOND)) <= set(levels)

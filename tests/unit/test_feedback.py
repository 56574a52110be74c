"""A room whose loudspeakers come back through its microphone is noticed, and nobody else."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from signaling.feedback import LOOKS_EVERY, STAYS, FeedbackWatch
from signaling.media.loudness import BIN, KEPT, SILENCE
from signaling.wire import Echo

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
    assert heard({"host": speech(2, 400), "room": speech(1, 200) + tone}) == {"room": {"howl"}}


def test_a_room_that_returns_what_another_said_echoes() -> None:
    for lag in (3, 6, 10, 15):
        said = speech(lag, 400)
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
    host, room = [SILENCE] * KEPT + speech(11, 400), [SILENCE] * (KEPT + 6) + [30, 20] * 200
    for at in range(KEPT, 500, LOOK):
        assert watch.hear({"host": bytes(host[at - KEPT : at]), "room": bytes(room[at - KEPT : at])}, at * BIN) == {}


def test_people_who_talk_at_once_are_no_echo() -> None:
    assert heard({"host": speech(4, 4000), "room": speech(5, 4000)}) == {}


def test_people_who_talk_in_turns_are_no_echo() -> None:
    def half(seed: int, first: bool) -> list[int]:
        said = speech(seed, 3000)
        return [level if (at // 80 % 2 == 0) is first else 70 for at, level in enumerate(said)]

    assert heard({"host": half(6, True), "room": half(7, False)}) == {}


def test_silence_is_no_echo_of_silence() -> None:
    assert heard({"host": [SILENCE] * 400, "room": [70] * 400}) == {}


def test_whoever_is_louder_is_no_echo() -> None:
    said = speech(8, 400)
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

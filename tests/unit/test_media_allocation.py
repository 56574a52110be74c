"""Who gets what of a subscriber's line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.allocation import HEADROOM, Allocation, Wanted, allocate
from signaling.media.layers import HIGH_RATE, LOW_RATE, RECORDED_RATE, Level, Limits, limits

SOUND = Wanted("sound", True, 9, 0, 60_000, None, "high")
TEACHER = Wanted("teacher", False, 0, 720, 900_000, 160_000, "still")
ROOM = Wanted("room", False, 9, 180, 900_000, 160_000, "still")


def test_everybody_gets_what_it_can_use_where_the_line_allows() -> None:
    assert allocate(3_000_000, [SOUND, TEACHER, ROOM]) == Allocation(
        {"sound": "high", "teacher": "high", "room": "low"}, None
    )


def test_sound_is_never_dropped() -> None:
    assert allocate(0, [SOUND, TEACHER]).levels == {"sound": "high", "teacher": "still"}


def test_the_large_picture_comes_first_then_fine_then_the_small_ones() -> None:
    wanted = [ROOM, SOUND, TEACHER]
    assert allocate(300_000, wanted).levels == {"sound": "high", "teacher": "low", "room": "still"}
    assert allocate(500_000, wanted).levels == {"sound": "high", "teacher": "low", "room": "low"}
    assert allocate(1_110_000, wanted).levels == {"sound": "high", "teacher": "high", "room": "still"}
    assert allocate(1_300_000, wanted).levels == {"sound": "high", "teacher": "high", "room": "low"}


def test_what_is_missing_is_said_with_room_to_spare() -> None:
    found = allocate(300_000, [SOUND, TEACHER])
    assert found.missing == int(960_000 * HEADROOM) + 1
    assert found.missing is not None
    assert allocate(found.missing, [SOUND, TEACHER]).levels["teacher"] == "high"


def test_a_picture_stays_as_it_is_at_the_edge() -> None:
    edge = 60_000 + 900_000
    assert allocate(edge, [SOUND, TEACHER]).levels["teacher"] == "low"
    assert allocate(edge, [SOUND, TEACHER._replace(level="high")]).levels["teacher"] == "high"


def test_what_nobody_sees_is_not_sent() -> None:
    assert allocate(9_000_000, [TEACHER._replace(height=0)]) == Allocation({"teacher": "still"}, None)


def test_a_picture_of_one_layer_comes_whole_or_not_at_all() -> None:
    screen = TEACHER._replace(low=None, high=600_000)
    assert allocate(500_000, [screen]).levels == {"teacher": "still"}
    assert allocate(700_000, [screen]).levels == {"teacher": "high"}


def test_rank_decides_between_two_large_pictures() -> None:
    second = TEACHER._replace(slot="second", rank=1)
    assert allocate(1_250_000, [second, TEACHER]).levels == {"teacher": "high", "second": "low"}


pictures = st.builds(
    Wanted,
    slot=st.uuids().map(str),
    audio=st.booleans(),
    rank=st.integers(0, 3),
    height=st.integers(0, 1080),
    high=st.one_of(st.none(), st.integers(200_000, 2_000_000)),
    low=st.one_of(st.none(), st.integers(50_000, 200_000)),
    level=st.sampled_from(["high", "low", "still"]),
)


def _cost(wanted: list[Wanted], levels: dict[str, Level]) -> int:
    rates = {w.slot: {"high": w.high or 0, "low": w.low or 0, "still": 0} for w in wanted}
    return sum(rates[slot][level] for slot, level in levels.items())


@given(st.lists(pictures, max_size=12), st.integers(0, 5_000_000))
def test_pictures_never_cost_more_than_the_budget(wanted: list[Wanted], budget: int) -> None:
    found = allocate(budget, wanted)
    sound = sum(w.high or 0 for w in wanted if w.audio)
    assert set(found.levels) == {w.slot for w in wanted}
    assert _cost(wanted, found.levels) <= max(budget, sound)
    assert found.missing is None or found.missing > 0


@given(st.lists(pictures, max_size=12), st.integers(0, 5_000_000))
def test_an_allocation_stands_when_nothing_changes(wanted: list[Wanted], budget: int) -> None:
    """Granting it does not bring another one: no picture flips between two levels."""
    first = allocate(budget, wanted).levels
    settled = [w._replace(level=first[w.slot]) for w in wanted]
    second = allocate(budget, settled).levels
    assert allocate(budget, [w._replace(level=second[w.slot]) for w in wanted]).levels == second


def test_a_publisher_sends_what_somebody_looks_at() -> None:
    def asked(high: bool, low: bool, recorded: bool = False, uplink: int | None = None) -> Limits:
        return limits(layered=True, high_watched=high, low_watched=low, recorded=recorded, uplink=uplink)

    assert asked(False, False) == Limits(0, 0)
    assert asked(False, True) == Limits(0, LOW_RATE)
    assert asked(True, False) == Limits(HIGH_RATE, LOW_RATE)
    assert asked(False, True, recorded=True) == Limits(RECORDED_RATE, LOW_RATE)
    assert asked(False, False, recorded=True) == Limits(RECORDED_RATE, 0)
    assert asked(True, True, uplink=300_000) == Limits(HIGH_RATE, 0)
    assert asked(False, True, uplink=300_000) == Limits(0, LOW_RATE)
    found = limits(layered=True, high_watched=True, low_watched=True, recorded=True, uplink=64_000, still=True)
    assert found == Limits(0, 0)
    assert limits(layered=False, high_watched=False, low_watched=True, recorded=False, uplink=None) == Limits(
        HIGH_RATE, 0
    )

"""The codec of a lesson's pictures: what all can play where there is one, otherwise what most can; and no flapping."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.codec_choice import (
    BEST_FIRST,
    LEAST_APART,
    RETURN_AFTER,
    Ability,
    CodecChoice,
    common,
    seen,
    sent_by,
)

BOTH = frozenset(BEST_FIRST)
H264, VP8, NONE = frozenset({"h264"}), frozenset({"vp8"}), frozenset[str]()
PANEL = Ability(BOTH, BOTH)
NO_H264 = Ability(VP8, VP8)
WATCHER = Ability(NONE, BOTH)

codecs = st.sets(st.sampled_from(BEST_FIRST)).map(frozenset)
rooms = st.lists(st.builds(Ability, codecs, codecs), max_size=8)


def test_h264_as_long_as_all_have_it_and_the_common_one_where_somebody_has_not() -> None:
    assert common([]) == common([PANEL]) == common([PANEL] * 3) == "h264"
    assert common([PANEL, PANEL, NO_H264]) == "vp8"
    assert common([PANEL, Ability(H264, H264)]) == "h264"


def test_a_source_that_cannot_change_does_not_draw_the_others_away() -> None:
    encoder = Ability(H264, NONE)
    assert common([encoder, PANEL]) == "h264"
    # the room without H.264 sees the panel at least
    assert common([encoder, PANEL, NO_H264]) == "vp8"
    assert common([encoder, WATCHER, Ability(NONE, VP8)]) == "h264"


def test_without_a_common_codec_most_pictures_are_shown() -> None:
    only = Ability(H264, H264)
    assert common([PANEL, NO_H264, only]) == "h264"
    assert common([PANEL, NO_H264, NO_H264, only]) == "vp8"


def pairs(abilities: list[Ability], codec: str) -> int:
    """The same, counted picture by picture."""
    return sum(
        sent_by(sender.sends, codec) in watcher.receives
        for at, sender in enumerate(abilities)
        for other, watcher in enumerate(abilities)
        if at != other
    )


@given(rooms)
def test_the_choice_shows_most_and_whatever_all_can_play_is_played(abilities: list[Ability]) -> None:
    counted = {codec: pairs(abilities, codec) for codec in BEST_FIRST}
    assert counted == {codec: seen(abilities, codec) for codec in BEST_FIRST}
    chosen = common(abilities)
    assert counted[chosen] == max(counted.values())
    assert chosen == common(abilities[::-1])
    sending, watching = [a for a in abilities if a.sends], [a for a in abilities if a.receives]
    for codec in BEST_FIRST:
        if all(codec in a.sends for a in sending) and all(codec in a.receives for a in watching):
            # a codec that all share leaves nobody without a picture
            everything = sum(len(watching) - (a in watching) for a in sending)
            assert counted[chosen] == everything
            assert codec == chosen or chosen == BEST_FIRST[0]


@given(st.lists(st.tuples(rooms, st.floats(0, 100)), max_size=20))
def test_it_changes_for_a_better_codec_alone_only_after_a_while(steps: list[tuple[list[Ability], float]]) -> None:
    choice, now, equal_since, changed_at = CodecChoice(), 0.0, None, -LEAST_APART
    for abilities, seconds in steps:
        now += seconds
        before, best = choice.codec, common(abilities)
        gains = seen(abilities, best) > seen(abilities, before)
        changed = choice.settle(abilities, now)
        assert changed == (choice.codec != before)
        apart = now - changed_at >= LEAST_APART
        changed_at = now if changed else changed_at
        if best == before:
            equal_since = None
            assert not changed
        elif gains:
            assert changed == apart  # nobody waits for a picture longer
            equal_since = None if changed else equal_since
        else:
            equal_since = now if equal_since is None else equal_since
            assert changed == (apart and now - equal_since >= RETURN_AFTER)
            equal_since = None if changed else equal_since


def test_who_comes_again_and_again_as_another_browser_changes_it_six_times_a_minute_at_most() -> None:
    choice = CodecChoice()
    only = Ability(NONE, H264)
    changes = [choice.settle([PANEL, NO_H264 if second % 2 else only], float(second)) for second in range(61)]
    assert 3 <= sum(changes) <= 6


def test_a_room_whose_line_fails_for_a_moment_changes_nothing() -> None:
    choice, there, gone = CodecChoice(), [PANEL, PANEL, NO_H264], [PANEL, PANEL]
    assert choice.settle(there, 0.0)
    assert not choice.settle(gone, 10.0)
    assert not choice.settle(there, 40.0)
    assert not choice.settle(gone, 80.0)
    assert not choice.settle(gone, 80.0 + RETURN_AFTER - 1)
    assert choice.codec == "vp8"
    assert choice.settle(gone, 80.0 + RETURN_AFTER)
    assert choice.codec == "h264"

"""The schools' agreement: each mode's rule, and what holds whatever they say in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetable.agreement import negotiation as talks
from timetable.errors import NotAllowedNow
from timetable.model import Community, Mode

UNITS = ("core", "east", "west")
NOW = 1_700_000_000.0


def community(mode: Mode) -> Community:
    return Community(
        id="one", name="教共体", number=1, stage="primary", mode=mode, core="core", members=("east", "west")
    )


def proposed(mode: Mode) -> talks.Negotiation:
    return talks.propose(talks.begin(community(mode), 1, UNITS), unit="core", by="director", now=NOW)


def test_collaborative_silence_is_not_agreement() -> None:
    one = talks.agree(proposed("collaborative"), unit="east", by="e", now=NOW + 1)
    assert (one.state, talks.missing(one, NOW + 10**9)) == (talks.State.PROPOSED, ("west",))
    both = talks.agree(one, unit="west", by="w", now=NOW + 2)
    assert both.state == talks.State.AGREED


def test_co_built_window_that_runs_out_settles_the_silent() -> None:
    waiting = proposed("co_built")
    assert waiting.state == talks.State.PROPOSED
    late = talks.settle(waiting, NOW + talks.OBJECTION_WINDOW_SECONDS)
    assert late.state == talks.State.AGREED


def test_co_built_objection_stands_after_the_window() -> None:
    objected = talks.object_to(proposed("co_built"), unit="west", by="w", now=NOW, reason="操场还在用")
    assert talks.missing(objected, NOW + 10**9) == ("west",)


def test_merged_core_publishes_what_it_proposes() -> None:
    assert talks.publish(proposed("merged"), unit="core", now=NOW).state == talks.State.PUBLISHED


def test_member_cannot_propose_or_publish() -> None:
    with pytest.raises(talks.WrongSide):
        talks.propose(talks.begin(community("merged"), 1, UNITS), unit="east", by="e", now=NOW)
    with pytest.raises(talks.WrongSide):
        talks.publish(proposed("merged"), unit="east", now=NOW)


def test_objection_needs_a_reason() -> None:
    with pytest.raises(talks.ReasonMissing):
        talks.object_to(proposed("collaborative"), unit="east", by="e", now=NOW, reason=" ")


def test_objection_after_agreement_reopens_the_draft() -> None:
    agreed = talks.agree(proposed("collaborative"), unit="east", by="e", now=NOW)
    agreed = talks.agree(agreed, unit="west", by="w", now=NOW)
    reopened = talks.object_to(agreed, unit="west", by="w", now=NOW, reason="变了")
    assert reopened.state == talks.State.PROPOSED


def test_published_draft_takes_no_more_words() -> None:
    published = talks.publish(proposed("merged"), unit="core", now=NOW)
    with pytest.raises(NotAllowedNow):
        talks.agree(published, unit="east", by="e", now=NOW)


def test_objection_after_the_window_comes_too_late_where_there_is_one() -> None:
    late = NOW + talks.OBJECTION_WINDOW_SECONDS
    waiting = proposed("co_built")
    assert "object" in talks.possible(waiting, "west", late - 1)
    assert "object" not in talks.possible(waiting, "west", late)
    with pytest.raises(talks.WindowClosed):
        talks.object_to(waiting, unit="west", by="w", now=late, reason="晚了")
    anytime = talks.object_to(proposed("collaborative"), unit="west", by="w", now=late, reason="不晚")
    assert talks.missing(anytime, late)


def test_changed_draft_asks_again_only_whom_it_changed() -> None:
    said = talks.agree(proposed("collaborative"), unit="east", by="e", now=NOW)
    said = talks.object_to(said, unit="west", by="w", now=NOW, reason="撞了")
    again = talks.rebuilt(said, community("collaborative"), UNITS, ("west",))
    assert (again.state, [c.unit for c in again.consents]) == (talks.State.DRAFT, ["core", "east"])
    asked = talks.propose(again, unit="core", by="c", now=NOW + 1)
    assert talks.missing(asked, NOW + 1) == ("west",)
    assert talks.agree(asked, unit="west", by="w", now=NOW + 2).state == talks.State.AGREED
    elsewhere = talks.rebuilt(said, community("collaborative"), UNITS, UNITS)
    assert elsewhere.consents == ()


def test_draft_after_a_publication_asks_everybody() -> None:
    published = talks.publish(proposed("merged"), unit="core", now=NOW)
    assert talks.rebuilt(published, community("merged"), UNITS, ()).consents == ()


def test_rebuilt_draft_starts_over() -> None:
    again = talks.rebuilt(proposed("collaborative"), community("collaborative"), ("east",), UNITS)
    assert (again.draft, again.state, again.consents, again.affected) == (2, talks.State.DRAFT, (), ("east",))


WORDS = st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(["agree", "object"])), max_size=12)


@given(WORDS, st.sampled_from(["merged", "co_built", "collaborative"]), st.integers(0, 10**7))
def test_publication_never_passes_over_a_standing_objection(
    words: list[tuple[str, str]], mode: Mode, later: int
) -> None:
    state = proposed(mode)
    for unit, word in words:
        if word == "agree":
            state = talks.agree(state, unit=unit, by=unit, now=NOW)
        else:
            state = talks.object_to(state, unit=unit, by=unit, now=NOW, reason="因为")
    try:
        published = talks.publish(state, unit="core", now=NOW + later)
    except NotAllowedNow:
        assert talks.missing(state, NOW + later)
    else:
        assert mode == "merged" or not published.objections
        assert mode != "collaborative" or set(UNITS) == {c.unit for c in published.consents if c.answer == "agreed"}


@given(WORDS, st.sampled_from(["merged", "co_built", "collaborative"]))
def test_what_is_offered_is_what_works(words: list[tuple[str, str]], mode: Mode) -> None:
    state = proposed(mode)
    for unit, word in words:
        offered = talks.possible(state, unit, NOW)
        if word not in offered:
            continue
        if word == "agree":
            state = talks.agree(state, unit=unit, by=unit, now=NOW)
        else:
            state = talks.object_to(state, unit=unit, by=unit, now=NOW, reason="因为")
    assert ("publish" in talks.possible(state, "core", NOW)) == (talks.settle(state, NOW).state is talks.State.AGREED)

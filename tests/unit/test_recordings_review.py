"""A review closes when, and only when, every unit that attended has written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from recordings import review as rules
from recordings.errors import (
    ConclusionsMissing,
    InvalidEntry,
    NotInvolved,
    ReviewClosed,
    ReviewError,
    VersionConflict,
)
from recordings.review import (
    TRANSITIONS,
    Author,
    Comment,
    Conclusion,
    Dossier,
    Review,
    ReviewEvent,
    ReviewPart,
    ReviewState,
)
from recordings.rubric import DEFAULT_RUBRIC, Criterion, Rubric

HOST = Author("zhang", "core", "host")
WEST = Author("li", "west", "member")
FULL = {criterion.id: criterion.points for criterion in DEFAULT_RUBRIC.criteria}


def dossier(*parts: ReviewPart) -> Dossier:
    return Dossier(
        Review(
            id="r1",
            session="s1",
            title="古诗二首",
            subject="语文",
            held_at=1000.0,
            due_at=2000.0,
            duration=2400.0,
            parts=parts or (ReviewPart("core", "host", True, ("zhang",)), ReviewPart("west", "member", True)),
        )
    )


def conclusion(author: Author, follow_up: str = "", owner: str = "", due: str = "", worked: str = "好") -> Conclusion:
    return Conclusion(
        author=author, worked=worked, change="多提问", follow_up=follow_up, owner=owner, due=due, written_at=1500.0
    )


def remark(id: str = "c1", **fields: object) -> Comment:
    values: dict[str, object] = {"at": 12.5, "text": "看这里", "label": "", "reply_to": None, **fields}
    return Comment(id=id, author=WEST, written_at=1500.0, **values)  # type: ignore[arg-type]


def test_review_goes_through_its_states_to_closed() -> None:
    states = []
    found = dossier()
    for author in (WEST, HOST):
        found = rules.conclude(found, conclusion(author))
        states.append((found.review.state, found.missing))
    assert states == [(ReviewState.ONE_SIDE, ("core",)), (ReviewState.BOTH_SIDES, ())]
    closed = rules.close(found, WEST, found.review.revision, 1600.0).review
    assert (closed.state, closed.closed_by, closed.closed_at, closed.revision) == (ReviewState.CLOSED, "li", 1600.0, 4)


def test_review_waits_for_every_unit_that_attended_and_for_no_other() -> None:
    found = dossier(
        ReviewPart("core", "host", True),
        ReviewPart("west", "member", True),
        ReviewPart("east", "member", True),
        ReviewPart("south", "member", False),
    )
    found = rules.conclude(rules.conclude(found, conclusion(HOST)), conclusion(WEST))
    assert (found.review.state, found.missing) == (ReviewState.ONE_SIDE, ("east",))
    with pytest.raises(ConclusionsMissing) as caught:
        rules.close(found, HOST, found.review.revision, 1.0)
    assert caught.value.missing == ("east",)
    found = rules.conclude(found, conclusion(Author("wang", "east", "member")))
    assert found.review.state == ReviewState.BOTH_SIDES


def test_review_of_a_host_without_members_waits_for_the_host_alone() -> None:
    found = rules.conclude(dossier(ReviewPart("core", "host", True)), conclusion(HOST))
    assert found.review.state == ReviewState.BOTH_SIDES


def test_conclusion_is_for_those_who_took_part() -> None:
    found = dossier(
        ReviewPart("core", "host", True, ("zhang",)),
        ReviewPart("west", "member", True),
        ReviewPart("east", "member", False),
    )
    for author in (
        Author("somebody", "core", "host"),
        Author("wang", "east", "member"),
        Author("chen", "office", "researcher"),
    ):
        with pytest.raises(NotInvolved):
            rules.conclude(found, conclusion(author))


def test_conclusion_can_be_written_anew_and_replaces_ones_own() -> None:
    found = rules.conclude(dossier(), conclusion(HOST))
    found = rules.conclude(found, conclusion(HOST, worked="更好"))
    assert [known.worked for known in found.conclusions] == ["更好"]
    assert (found.review.state, found.review.revision) == (ReviewState.ONE_SIDE, 3)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (conclusion(HOST, worked=" "), "worked"),
        (conclusion(HOST, follow_up="补课"), "owner"),
        (conclusion(HOST, follow_up="补课", owner="li"), "due"),
        (conclusion(HOST, worked="长" * 4001), "worked"),
    ],
)
def test_conclusion_that_is_incomplete_is_refused(new: Conclusion, field: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        rules.conclude(dossier(), new)
    assert caught.value.field == field


def test_close_refuses_a_review_that_somebody_changed_meanwhile() -> None:
    found = rules.conclude(rules.conclude(dossier(), conclusion(HOST)), conclusion(WEST))
    read = found.review.revision
    found = rules.conclude(found, conclusion(WEST, worked="再想想"))
    with pytest.raises(VersionConflict) as caught:
        rules.close(found, HOST, read, 1.0)
    assert (caught.value.expected, caught.value.found) == (read, read + 1)


def test_closed_review_takes_nothing_more() -> None:
    found = rules.conclude(rules.conclude(dossier(), conclusion(HOST)), conclusion(WEST))
    closed = rules.close(found, HOST, found.review.revision, 1.0)
    attempts: list[Callable[[], Dossier]] = [
        lambda: rules.comment(closed, remark()),
        lambda: rules.score(closed, WEST, FULL, DEFAULT_RUBRIC, 1.0),
        lambda: rules.conclude(closed, conclusion(WEST)),
        lambda: rules.close(closed, WEST, closed.review.revision, 1.0),
    ]
    for attempt in attempts:
        with pytest.raises(ReviewClosed):
            attempt()


def test_comments_keep_their_order_and_replies_their_comment() -> None:
    found = rules.comment(dossier(), remark("c1"))
    found = rules.comment(found, remark("c2", at=None, reply_to="c1"))
    assert [(known.id, known.reply_to) for known in found.comments] == [("c1", None), ("c2", "c1")]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"label": "x" * 41}, "label"),
        ({"at": -0.1}, "at"),
        ({"at": 2401.0}, "at"),
        ({"at": float("nan")}, "at"),
        ({"reply_to": "nobody"}, "reply_to"),
    ],
)
def test_comment_that_breaks_a_rule_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        rules.comment(dossier(), remark(**fields))
    assert caught.value.field == field


def test_score_keeps_the_rubric_it_was_given_under() -> None:
    found = rules.score(dossier(), WEST, FULL, DEFAULT_RUBRIC, 1.0)
    newer = Rubric("default", 2, (Criterion("all", 50, "全部", "All"),))
    found = rules.score(found, HOST, {"all": 40}, newer, 2.0)
    assert [(known.total, known.band, known.rubric.version) for known in found.scores] == [
        (100, "band_1", 1),
        (40, "band_2", 2),
    ]
    found = rules.score(found, WEST, {**FULL, "pupils": 0}, DEFAULT_RUBRIC, 3.0)
    assert [(known.author, known.total) for known in found.scores] == [(HOST, 40), (WEST, 65)]


@pytest.mark.parametrize(
    ("total", "band"),
    [(100, 1), (90, 1), (89, 2), (80, 2), (79, 3), (70, 3), (69, 4), (60, 4), (59, 5), (0, 5)],
)
def test_bands_begin_at_their_lower_limits(total: int, band: int) -> None:
    assert DEFAULT_RUBRIC.band(total) == f"band_{band}"


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ({**FULL, "style": 1}, "unknown_criterion"),
        ({key: value for key, value in FULL.items() if key != "goals"}, "missing"),
        ({**FULL, "goals": 11}, "out_of_range"),
        ({**FULL, "goals": -1}, "out_of_range"),
    ],
)
def test_points_outside_the_rubric_are_refused(points: dict[str, int], reason: str) -> None:
    with pytest.raises(InvalidEntry) as caught:
        DEFAULT_RUBRIC.total(points)
    assert caught.value.reason == reason


@given(st.fixed_dictionaries({criterion.id: st.integers(0, criterion.points) for criterion in DEFAULT_RUBRIC.criteria}))
def test_totals_stay_within_the_rubric(points: dict[str, int]) -> None:
    assert 0 <= DEFAULT_RUBRIC.total(points) == sum(points.values()) <= DEFAULT_RUBRIC.points == 100


def test_overdue_is_open_after_the_due_date() -> None:
    review = dossier().review
    assert (review.overdue(2000.0), review.overdue(2000.1)) == (False, True)
    assert not replace(review, state=ReviewState.CLOSED).overdue(9999.0)


def test_transitions_never_lead_out_of_closed() -> None:
    assert {state for state, _ in TRANSITIONS} == set(ReviewState) - {ReviewState.CLOSED}
    assert [key for key, state in TRANSITIONS.items() if state == ReviewState.CLOSED] == [
        (ReviewState.BOTH_SIDES, ReviewEvent.CLOSING)
    ]


UNITS = ("core", "west", "east", "south")


class ReviewMachine(RuleBasedStateMachine):
    """Random people write in random order; a plain set of units says what has to be true."""

    @initialize(attended=st.lists(st.booleans(), min_size=4, max_size=4), host_present=st.booleans())
    def begin(self, attended: list[bool], host_present: bool) -> None:
        parts = [
            ReviewPart(unit, "host" if unit == "core" else "member", here if unit != "core" else host_present)
            for unit, here in zip(UNITS, attended, strict=True)
        ]
        self.required = {part.unit for part in parts if part.attended}
        self.found = dossier(*parts)
        self.written: set[str] = set()
        self.closed = False

    @rule(unit=st.sampled_from(UNITS), person=st.sampled_from(["a", "b"]))
    def conclude(self, unit: str, person: str) -> None:
        author = Author(f"{person} of {unit}", unit, "host" if unit == "core" else "member")
        try:
            self.found = rules.conclude(self.found, conclusion(author))
        except ReviewClosed:
            assert self.closed
        except NotInvolved:
            assert unit not in self.required
        else:
            assert unit in self.required
            assert not self.closed
            self.written.add(unit)

    @rule(behind=st.integers(0, 1), unit=st.sampled_from(UNITS))
    def close(self, behind: int, unit: str) -> None:
        author = Author("x", unit, "member")
        may = not self.closed and not behind and bool(self.required) and self.written == self.required
        try:
            self.found = rules.close(self.found, author, self.found.review.revision - behind, 5.0)
        except ReviewError:
            assert not may
        else:
            assert may
            self.closed = True

    @rule()
    def remark(self) -> None:
        try:
            self.found = rules.comment(self.found, remark(f"c{len(self.found.comments)}"))
        except ReviewClosed:
            assert self.closed

    @invariant()
    def state_tells_what_was_written(self) -> None:
        state = self.found.review.state
        assert set(self.found.written) == self.written
        assert set(self.found.missing) == self.required - self.written
        if self.closed:
            assert state == ReviewState.CLOSED
        elif self.written and self.written == self.required:
            assert state == ReviewState.BOTH_SIDES
        else:
            assert state in (ReviewState.OPEN, ReviewState.ONE_SIDE)


TestReviewMachine = ReviewMachine.TestCase

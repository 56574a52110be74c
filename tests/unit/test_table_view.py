"""What the timetable page shows of a draft or a version, and what the person asking may do with it."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from server.shapes.table import TimetableView
from server.table_view import term_reference, timetable_view, unit_reference
from tests.unit.county_days import THURSDAY, at, county, draft, person, table
from timetable.agreement.negotiation import Negotiation, agree, begin, object_to, propose, publish
from timetable.days.versions import Version, diff
from timetable.model import BellSchedule, Leftover, Teacher

HERE = county()
COMMUNITY = HERE.community("A")
NOW = at("10:00")
DIRECTOR, MEMBER, TEACHER = (
    person("A0", "academic_director"),
    person("A1", "principal"),
    person("A1", "teacher"),
)
ONE = Version(community="A", number=1, author="x", at=1.0, table=table(HERE), diff=diff(None, table(HERE)))


def view(negotiation: Negotiation | None = None, **given: Any) -> TimetableView:
    fields: dict[str, Any] = {
        "draft": draft(HERE, negotiation),
        "shown": None,
        "history": (),
        "asker": DIRECTOR,
        "today": THURSDAY,
        "now": NOW,
    } | given
    return timetable_view(HERE, COMMUNITY, **fields)


def proposed() -> Negotiation:
    return propose(begin(COMMUNITY, 1, ("A0", "A1")), unit="A0", by="主任", now=NOW)


def test_a_community_without_a_table_shows_its_schools() -> None:
    shown = view(draft=None)
    assert (shown.status, shown.version, shown.revision, shown.lessons, shown.negotiation) == ("none", 0, 0, (), None)
    assert len(shown.units) == len(shown.classes) == 3


def test_a_draft_is_shown_beside_the_version_that_stands() -> None:
    shown = view(history=[ONE])
    assert (shown.status, shown.version, shown.revision) == ("draft", 1, 3)
    version = view(history=[ONE], shown=ONE)
    assert (version.status, version.version, version.revision) == ("published", 1, 3)
    assert [(row.number, row.added, row.moved, row.cancelled) for row in version.versions] == [(1, 2, 0, 0)]


def test_every_school_has_its_word() -> None:
    standing = object_to(proposed(), unit="A1", by="校长", now=NOW, reason="校车", lesson="A-r1.1")
    shown = view(standing).negotiation
    assert shown is not None
    assert [(row.unit, row.answer, row.by, row.reason) for row in shown.consents] == [
        ("A0", "agreed", "主任", ""),
        ("A1", "objected", "校长", "校车"),
        ("A2", "unaffected", "", ""),
    ]
    assert (shown.missing, shown.deadline) == (1, NOW + 7 * 86400)
    silent = view(proposed()).negotiation
    assert silent is not None
    assert [row.answer for row in silent.consents] == ["agreed", "silent", "unaffected"]


@pytest.mark.parametrize(
    ("asker", "may"),
    [(DIRECTOR, ("build",)), (MEMBER, ("agree", "object")), (TEACHER, ()), (person("B0", "academic_director"), ())],
)
def test_what_one_may_do_depends_on_whom_one_speaks_for(asker: Any, may: tuple[str, ...]) -> None:
    shown = view(proposed(), asker=asker).negotiation
    assert shown is not None
    assert shown.may == may


def test_what_is_agreed_is_the_cores_to_publish_and_then_nobodys() -> None:
    agreed = agree(proposed(), unit="A1", by="校长", now=NOW)
    shown = view(agreed)
    assert (shown.status, shown.negotiation and shown.negotiation.may) == ("agreed", ("build", "publish"))
    done = view(publish(agreed, unit="A0", now=NOW)).negotiation
    assert done is not None
    assert (done.state, done.missing, done.may) == ("published", 0, ("build",))


def test_teachers_from_elsewhere_are_named_where_they_teach() -> None:
    lesson = table(HERE).lessons[0]
    guest = Teacher(id="B0-guest", name="走教", posts=("B0",), subjects=("音乐",))
    here = county()
    here.register = msgspec.structs.replace(here.register, teachers=(*here.register.teachers, guest))
    with_guest = msgspec.structs.replace(
        lesson,
        parties=(
            lesson.parties[0],
            msgspec.structs.replace(
                lesson.parties[1], leftover=(Leftover(start="11:10", end="11:15", teacher="B0-guest"),)
            ),
        ),
    )
    standing = msgspec.structs.replace(draft(here), table=msgspec.structs.replace(table(here), lessons=(with_guest,)))
    shown = timetable_view(
        here, COMMUNITY, draft=standing, shown=None, history=(), asker=DIRECTOR, today=THURSDAY, now=NOW
    )
    assert {(row.id, row.unit) for row in shown.teachers} == {
        ("A0-t1", "A0"),
        ("A1-t2", "A1"),
        ("A2-t3", "A2"),
        ("A0-t4", "A0"),
        ("B0-guest", "B0"),
    }


@pytest.mark.parametrize(
    ("today", "week", "parity"),
    [
        (date(2026, 10, 5), 1, "odd"),
        (date(2026, 10, 12), 2, "even"),
        (date(2025, 1, 1), 1, "odd"),
        (date(2028, 1, 1), 13, "odd"),
    ],
)
def test_the_week_of_today_stays_in_the_term(today: date, week: int, parity: str) -> None:
    shown = term_reference(HERE, today)
    assert (shown.week, shown.parity, shown.weeks) == (week, parity, 13)


def test_a_schools_periods_are_those_of_a_monday_where_there_are_several_bells() -> None:
    unit = HERE.unit("A0")
    friday = BellSchedule(weekdays=(5,), periods=unit.bells[0].periods[:2])
    several = msgspec.structs.replace(unit, bells=(friday, *unit.bells))
    assert unit_reference(several, COMMUNITY, HERE.register.term).periods == unit.bells[0].periods
    assert (
        unit_reference(msgspec.structs.replace(unit, bells=(friday,)), COMMUNITY, HERE.register.term).periods
        == friday.periods
    )
    assert unit_reference(msgspec.structs.replace(unit, bells=()), COMMUNITY, HERE.register.term).periods == ()

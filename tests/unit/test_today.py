"""A community's day: what waits for whom, the lessons on the clock, and the year's quotas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from recordings.review import Review, ReviewPart
from server.review_view import review_row
from server.shapes.review import ReviewRow
from server.shapes.table import LiveNow, LiveRoom, Need, TodayView
from server.today import SYNC_QUOTA, KnownSession, lesson_title, today_view
from tests.unit.county_days import THURSDAY, at, county, dated, draft, person, table
from timetable.agreement import amendments
from timetable.agreement.negotiation import agree, begin, object_to, propose
from timetable.agreement.service import Draft
from timetable.days.changes import Cancel
from timetable.model import Closure

HERE = county()
COMMUNITY = HERE.community("A")
NOW = at("10:00")
DIRECTOR, MEMBER, RESEARCHER = (
    person("A0", "academic_director"),
    person("A1", "academic_director"),
    person(None, "researcher", community="A"),
)


def view(**given: Any) -> TodayView:
    fields: dict[str, Any] = {
        "tables": dated(HERE, *table(HERE).lessons),
        "draft": draft(HERE),
        "amendments": (),
        "sessions": {},
        "live": (),
        "reviews": (),
        "held": {},
        "asker": DIRECTOR,
        "today": THURSDAY,
        "now": NOW,
    } | given
    return today_view(HERE, COMMUNITY, **fields)


def codes(needs: Sequence[Need]) -> list[str]:
    return [need.code for need in needs]


def review(missing_from: str = "A1", *, due: float = NOW + 1000, written: tuple[str, ...] = ()) -> ReviewRow:
    kept = Review(
        id="r1",
        session="s1",
        title="科学",
        subject="科学",
        held_at=0.0,
        due_at=due,
        duration=1.0,
        parts=(ReviewPart("A0", "host", True), ReviewPart(missing_from, "member", True)),
    )
    return review_row(kept, 0, written, "teachers", NOW)


def proposed() -> Draft:
    return draft(HERE, propose(begin(COMMUNITY, 2, COMMUNITY.units), unit="A0", by="x", now=NOW))


def test_the_days_lessons_stand_on_the_clock_with_every_schools_own_period() -> None:
    shown = view(sessions={"A-r1.1.2026-11-19": KnownSession(id="s", occurrence="A-r1.1.2026-11-19", state="live")})
    [row] = shown.lessons
    assert (row.title, row.start, row.end, row.host) == ("科学 A0-5-1班", "10:30", "11:10", "A0")
    assert (row.session, row.state, row.provisional) == ("s", "live", False)
    assert [(party.unit, party.start) for party in row.parties] == [(unit, "10:30") for unit in ("A0", "A1", "A2")]
    assert (shown.weekday, shown.date, shown.term.week, shown.term.parity) == (4, "2026-11-19", 7, "odd")
    assert [unit.id for unit in shown.units if unit.core] == ["A0"]
    assert view(today=THURSDAY + timedelta(days=1)).lessons == ()
    # a local lesson is of no interest to the community
    assert [lesson.kind for lesson in table(HERE).lessons] == ["sync", "local"]


def test_a_table_that_nobody_has_built_is_missed() -> None:
    assert codes(view(draft=None).needs) == ["table_missing"]
    assert codes(view().needs) == []
    # who may not build one is not led to where nothing can be done
    links = [view(draft=None, asker=person("A1", role)).needs[0].link for role in ("teacher", "academic_director")]
    assert links == ["", ""]
    assert view(draft=None, asker=person("A0", "academic_director")).needs[0].link.endswith("tab=build")


def test_a_disk_that_fills_is_told_to_the_bureau_alone() -> None:
    admin, low = person(None, "bureau_admin"), 1536 * 1024**2
    [need] = view(asker=admin, disk_low=low).needs
    assert (need.code, need.values, need.link, need.severity) == ("disk_filling", {"gb": "1.5"}, "", "warn")
    assert view(asker=admin, disk_low=1024).needs[0].severity == "bad"
    assert view(asker=admin).needs == view(disk_low=low).needs == ()


def test_a_school_is_reminded_of_its_own_word_and_the_core_of_everybodys() -> None:
    waiting = proposed()
    [mine] = view(draft=waiting, asker=MEMBER).needs
    assert (mine.code, mine.severity, mine.values["unit"], mine.values["days"]) == (
        "consent_missing",
        "warn",
        "学校A1",
        7,
    )
    assert [need.values["unit"] for need in view(draft=waiting).needs] == ["学校A1", "学校A2"]
    assert view(draft=waiting, asker=RESEARCHER).needs == ()
    agreed = agree(waiting.negotiation, unit="A1", by="x", now=NOW)
    assert view(draft=draft(HERE, agreed), asker=MEMBER).needs == ()


def test_everybody_hears_of_an_objection() -> None:
    negotiation = object_to(proposed().negotiation, unit="A2", by="x", now=NOW, reason="校车")
    for asker in (DIRECTOR, MEMBER, RESEARCHER):
        found = [need for need in view(draft=draft(HERE, negotiation), asker=asker).needs if need.code == "objection"]
        assert [(need.values["reason"], need.severity) for need in found] == [("校车", "bad")]


def test_a_deadline_that_has_passed_leaves_no_days() -> None:
    late = view(draft=proposed(), asker=MEMBER, now=NOW + 30 * 86400)
    assert [need.values["days"] for need in late.needs if need.code == "consent_missing"] == [0]


def test_a_review_waits_for_the_schools_that_have_not_written() -> None:
    assert codes(view(reviews=[review()], asker=MEMBER).needs) == ["review_open"]
    [overdue] = view(reviews=[review(due=NOW - 1)], asker=MEMBER).needs
    assert (overdue.code, overdue.severity, overdue.link) == ("review_overdue", "warn", "/review/r1")
    assert view(reviews=[review(written=("A1",))], asker=MEMBER).needs == ()
    assert view(reviews=[review()], asker=person("A2", "teacher")).needs == ()
    shown = view(reviews=[review(), msgspec.structs.replace(review(), state="closed")])
    assert (shown.reviews_open, shown.reviews_closed) == (1, 1)


def test_a_room_in_trouble_comes_first() -> None:
    rooms = (
        LiveRoom(unit="A1", unit_name="A1", state="connected"),
        LiveRoom(unit="A2", unit_name="A2", state="reconnecting"),
    )
    live = LiveNow(session="s1", title="科学", ends=0.0, rehearsal=False, rooms=rooms)
    shown = view(live=[live], draft=proposed())
    assert codes(shown.needs) == ["lesson_live", "consent_missing", "consent_missing"]
    assert (shown.needs[0].values["unit"], shown.needs[0].link) == ("A2", "/classroom/s1")


def test_quotas_count_what_was_planned_by_today_against_what_was_held() -> None:
    held: Mapping[str, Sequence[str]] = {"A1": ["科学", "科学", "英语"]}
    quotas = {quota.unit: quota for quota in view(held=held).quotas}
    # seven Thursdays since the term began, today's among them
    assert {unit: (q.held, q.planned, q.subjects, q.quota) for unit, q in quotas.items()} == {
        "A1": (3, 7, 2, SYNC_QUOTA),
        "A2": (0, 7, 0, SYNC_QUOTA),
    }
    closed = county(Closure(first="2026-11-12", last="2026-11-12", name="停水", units=("A1",)))
    shown = today_view(
        closed,
        COMMUNITY,
        tables=dated(closed, *table(closed).lessons),
        draft=None,
        amendments=(),
        sessions={},
        live=(),
        reviews=(),
        held={},
        asker=DIRECTOR,
        today=date(2027, 1, 31),
        now=NOW,
    )
    assert {quota.unit: quota.planned for quota in shown.quotas} == {"A1": 12, "A2": 13}
    assert (shown.term.week, shown.lessons) == (13, ())


def test_a_lesson_is_named_after_the_class_that_learns() -> None:
    lesson = table(HERE).lessons[0]
    host = msgspec.structs.replace(lesson.parties[0], classes=())
    dedicated = msgspec.structs.replace(lesson, parties=(host, *lesson.parties[1:]))
    assert lesson_title(HERE, dedicated) == "科学 A1-5-1班"
    meeting = msgspec.structs.replace(
        lesson, parties=tuple(msgspec.structs.replace(party, classes=()) for party in lesson.parties)
    )
    assert lesson_title(HERE, meeting) == "科学"


def test_a_change_waits_for_those_who_were_asked_and_one_of_today_is_urgent() -> None:
    for earliest, severity in ((at("14:00"), "bad"), (at("14:00") + 86400, "warn")):
        drafted = amendments.draft(
            COMMUNITY,
            number=1,
            change=Cancel(occurrence="A-r1.1.2026-11-19"),
            reason="停电",
            unit="A0",
            by="主任",
            now=NOW,
            affected=("A0", "A1"),
            earliest=earliest,
        )
        asked = amendments.ask(drafted, NOW)
        [need] = view(asker=MEMBER, amendments=(asked,)).needs
        assert (need.code, need.values["unit"], need.severity) == ("amendment_asked", "学校A0", severity)
        assert view(asker=DIRECTOR, amendments=(asked,)).needs == ()

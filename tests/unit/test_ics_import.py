"""A calendar becomes weekly times: what returns every week, what in odd or even weeks, and what is left to people."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import LANGUAGES, catalogue
from tests.community_builder import CommunityBuilder, bell_times
from tests.unit.small_register import SMALL
from timetable.days.versions import Diff, Version
from timetable.errors import NotFound
from timetable.export.feed_entries import entries
from timetable.export.feeds import calendar, names_of
from timetable.model import BusyTime, Closure, Lesson, PlacedParty, Table, Term
from timetable.own import ics as ics_import
from timetable.own.ics import CalendarImport, read_calendar, with_calendar
from timetable.term import occurrences

TERM = Term(
    id="t",
    name="一",
    first_day="2026-09-01",
    last_day="2027-01-15",
    week_one="2026-08-31",
    closures=(Closure(first="2026-10-01", last="2026-10-07", name="国庆"),),
)
"""Twenty weeks; 1 September is the Tuesday of week 1."""


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{body}END:VCALENDAR\r\n".encode()


def event(start: str, end: str, *lines: str, name: str = "例会", uid: str = "a@x") -> str:
    return "\r\n".join((f"UID:{uid}", f"SUMMARY:{name}", f"DTSTART:{start}", f"DTEND:{end}", *lines))


def read(*events: str, term: Term = TERM) -> CalendarImport:
    return read_calendar("王.ics", ics(*events), term)


def times(found: CalendarImport) -> list[tuple[int, str, str, str]]:
    return [(p.busy.weekday, p.busy.start, p.busy.end, p.busy.weeks) for p in found.proposals]


def codes(found: CalendarImport) -> list[str]:
    return [finding.code for finding in found.findings]


def test_what_returns_weekly_is_proposed() -> None:
    found = read(event("20260901T153000", "20260901T163000", "RRULE:FREQ=WEEKLY"))
    assert times(found) == [(2, "15:30", "16:30", "all")]
    (proposal,) = found.proposals
    # twenty weeks less the holiday
    assert (proposal.held, proposal.possible, proposal.busy.reason) == (19, 19, "日历：例会")
    assert found.findings == ()


@pytest.mark.parametrize(("first", "weeks"), [("20260901", "odd"), ("20260908", "even")])
def test_every_other_week_is_odd_or_even_weeks_of_the_term(first: str, weeks: str) -> None:
    found = read(event(f"{first}T150000", f"{first}T160000", "RRULE:FREQ=WEEKLY;INTERVAL=2"))
    assert times(found) == [(2, "15:00", "16:00", weeks)]


def test_single_events_of_many_weeks_are_a_rule_too() -> None:
    days = [f"2026{month:02d}{day:02d}" for month, day in ((9, 3), (9, 17), (10, 15), (10, 29), (11, 12), (11, 26))]
    days += ["20261210", "20261224", "20270107"]
    found = read(*(event(f"{day}T080000", f"{day}T084000", uid=day) for day in days))
    assert times(found) == [(4, "08:00", "08:40", "odd")]


def test_several_weekdays_a_count_and_an_end() -> None:
    rules = ("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270115T000000Z", "RRULE:FREQ=WEEKLY;COUNT=40;BYDAY=TH,FR")
    found = read(
        event("20260902T080000", "20260902T084000", rules[0], uid="a"),
        event("20260903T080000", "20260903T084000", rules[1], uid="b"),
        event("20260901T100000", "20260901T104000", "RRULE:FREQ=WEEKLY;COUNT=4", name="短", uid="c"),
    )
    assert [(weekday, weeks) for weekday, _, _, weeks in times(found)] == [
        (1, "all"),
        (3, "all"),
        (4, "all"),
        (5, "all"),
    ]
    assert [(f.code, f.file, f.values["name"], f.values["weeks"]) for f in found.findings] == [
        ("ics_irregular", "王.ics", "短", "4/19")
    ]


def test_daily_rules_take_every_day_that_they_name() -> None:
    found = read(event("20260901T120000", "20260901T124000", "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR"))
    assert [weekday for weekday, *_ in times(found)] == [1, 2, 3, 4, 5]


def test_a_rule_from_long_ago_still_counts() -> None:
    found = read(event("20010903T120000", "20010903T124000", "RRULE:FREQ=WEEKLY;INTERVAL=2"))
    assert [(weekday, weeks) for weekday, _, _, weeks in times(found)] in ([(1, "odd")], [(1, "even")])
    endless = read(event("19010101T120000", "19010101T124000", "RRULE:FREQ=DAILY;COUNT=999999999"))
    assert codes(endless) == ["ics_nothing"]


def test_exceptions_and_moved_meetings_are_no_part_of_the_rule() -> None:
    even = ["20260908", "20260922", "20261020", "20261103", "20261117", "20261201", "20261215", "20261229", "20270112"]
    exdates = ",".join(f"{day}T153000" for day in even)
    found = read(
        event("20260901T153000", "20260901T163000", "RRULE:FREQ=WEEKLY", f"EXDATE:{exdates}"),
        event("20260916T090000", "20260916T100000", "RECURRENCE-ID:20260915T153000"),
        event("20260929T153000", "20260929T163000", "RECURRENCE-ID:20260929T153000", "STATUS:CANCELLED"),
    )
    assert times(found) == [(2, "15:30", "16:30", "odd")]
    assert [(proposal.held, proposal.possible) for proposal in found.proposals] == [(8, 10)]


def test_times_of_other_zones_are_those_of_the_county() -> None:
    found = read(
        event("20260901T010000Z", "20260901T020000Z", "RRULE:FREQ=WEEKLY", uid="a"),
        event("20260903T180000Z", "20260903T190000Z", "RRULE:FREQ=WEEKLY", uid="b"),
    )
    assert times(found) == [(2, "09:00", "10:00", "all"), (5, "02:00", "03:00", "all")]


def test_whole_days_durations_and_nights() -> None:
    found = read(
        "UID:a\r\nSUMMARY:值班\r\nDTSTART;VALUE=DATE:20260904\r\nRRULE:FREQ=WEEKLY",
        "UID:b\r\nSUMMARY:课\r\nDTSTART:20260901T140000\r\nDURATION:PT40M\r\nRRULE:FREQ=WEEKLY",
        event("20260902T220000", "20260903T060000", "RRULE:FREQ=WEEKLY", uid="c", name="夜班"),
        "UID:d\r\nSUMMARY:提醒\r\nDTSTART:20260901T140000\r\nRRULE:FREQ=WEEKLY",
    )
    assert times(found) == [
        (2, "14:00", "14:40", "all"),
        (3, "22:00", "23:59", "all"),
        (4, "00:00", "06:00", "all"),
        (5, "00:00", "23:59", "all"),
    ]
    assert codes(found) == ["ics_whole_day"]


def test_free_and_cancelled_events_take_no_time() -> None:
    found = read(
        event("20260901T150000", "20260901T160000", "RRULE:FREQ=WEEKLY", "TRANSP:TRANSPARENT", uid="a"),
        event("20260902T150000", "20260902T160000", "RRULE:FREQ=WEEKLY", "STATUS:CANCELLED", uid="b"),
    )
    assert codes(found) == ["ics_nothing"]


@pytest.mark.parametrize(
    "rule", ["FREQ=MONTHLY", "FREQ=WEEKLY;BYMONTH=9", "FREQ=WEEKLY;INTERVAL=0", "FREQ=WEEKLY;BYDAY=2MO"]
)
def test_other_rules_are_named(rule: str) -> None:
    found = read(event("20260901T150000", "20260901T160000", f"RRULE:FREQ={rule}"))
    assert codes(found)[0] in ("ics_rule_unsupported", "ics_unreadable", "ics_nothing")
    assert found.proposals == ()


def test_our_own_lessons_are_skipped() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(bell_times(480, 30, 840))
    school_class = builder.school_class(unit)
    teacher = builder.teacher(unit)
    builder.local(school_class, "语文", 1, teacher)
    register = msgspec.structs.replace(builder.register(), term=TERM)
    side = PlacedParty(unit=unit, period=1, start="08:00", end="08:40", classes=(school_class,), teachers=(teacher,))
    lesson = Lesson(
        id="A-r1.1",
        requirement="A-r1",
        kind="local",
        subject="语文",
        weekday=2,
        start="08:00",
        end="08:40",
        parties=(side,),
    )
    table = Table(community="A", term="t", lessons=(lesson,))
    version = Version(community="A", number=1, author="", at=1.0, table=table, diff=Diff())
    feed = calendar("x", entries(TERM, [version], lambda lesson: True), names_of(register, lambda id: ""))
    found = read_calendar("own.ics", feed, TERM)
    assert codes(found) == ["ics_own", "ics_nothing"]
    assert found.findings[0].values == {"events": len(list(occurrences(TERM, [lesson])))}


def test_the_register_takes_the_times_in_place_of_earlier_ones() -> None:
    first = read(event("20260901T153000", "20260901T163000", "RRULE:FREQ=WEEKLY"), term=SMALL.term)
    second = read(event("20260902T080000", "20260902T084000", "RRULE:FREQ=WEEKLY"), term=SMALL.term)
    before = next(teacher for teacher in SMALL.teachers if teacher.id == "t2").unavailable
    once = with_calendar(SMALL, "teacher", "t2", first.proposals)
    again = with_calendar(once, "teacher", "t2", second.proposals)
    taken = BusyTime(weekday=3, start="08:00", end="08:40", reason="日历：例会")
    assert next(teacher for teacher in again.teachers if teacher.id == "t2").unavailable == (*before, taken)
    room = with_calendar(
        with_calendar(SMALL, "room", "core.remote1", first.proposals), "room", "core.remote1", second.proposals
    )
    assert room.busy_rooms == (*SMALL.busy_rooms, ("core.remote1", taken))
    for noun in ("teacher", "room"):
        with pytest.raises(NotFound):
            with_calendar(SMALL, noun, "nobody", ())  # type: ignore[arg-type]


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        wanted = [*ics_import.ERRORS, *ics_import.WARNINGS]
        assert [code for code in wanted if f"finding.{code}" not in catalogue(language)] == []


SAMPLE = ics(
    event("20260901T153000", "20260901T163000", "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO,TU", "EXDATE:20260908T153000"),
    event(
        "20260916T090000Z",
        "20260916T100000Z",
        "RECURRENCE-ID:20260915T153000",
        "RDATE;VALUE=PERIOD:20260917T090000/PT1H",
    ),
    "UID:b\r\nDTSTART;TZID=Nowhere/Land:20260901T140000\r\nDURATION:-PT40M\r\nRRULE:FREQ=DAILY;UNTIL=20261001",
).decode()
PIECES = [
    "",
    "\r\n",
    "99999999",
    "0",
    "-1",
    ";",
    ":",
    "Z",
    "00010101T000000Z",
    "99991231T235959Z",
    "INTERVAL=999999999",
]


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    text = SAMPLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 20)))
        text = text[:start] + draw(st.sampled_from([text[start:end] * 2, *PIECES])) + text[end:]
    return text.encode()


def test_an_empty_file_is_named() -> None:
    found = read_calendar("a.ics", b"", TERM)
    assert [(f.code, f.severity) for f in found.findings] == [("file_empty", "error")]


@settings(max_examples=300, deadline=None)
@given(edited() | st.binary(max_size=300))
def test_garbage_never_raises(content: bytes) -> None:
    found = read_calendar("a.ics", content, TERM)
    for proposal in found.proposals:
        assert proposal.busy.start < proposal.busy.end
        assert 0 < proposal.held <= proposal.possible
        assert msgspec.convert(msgspec.to_builtins(proposal.busy), BusyTime) == proposal.busy


def test_a_calendar_of_which_only_a_part_arrived_is_refused() -> None:
    # taken as it is, it would free all that the whole one had taken
    content = SAMPLE.encode()
    found = read_calendar("a.ics", content[: content.rindex(b"END:VCALENDAR")], TERM)
    assert codes(found) == ["ics_cut_off"]
    assert found.has_errors


def test_a_calendar_that_is_too_big_is_refused() -> None:
    content = b" " * (ics_import.MOST_BYTES + 1)
    assert codes(read_calendar("a.ics", content, TERM)) == ["ics_too_big"]

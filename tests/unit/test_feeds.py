"""Calendar feeds, read back by the icalendar library as the oracle."""

from datetime import datetime, timedelta

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from timetable.days.versions import Version, diff
from timetable.export.feed_entries import entries
from timetable.export.feeds import Names, calendar, escape, fold, picks, summary
from timetable.model import Lesson, MakeUpDay, PlacedParty, Table, Term
from timetable.term import TIME_ZONE

TERM = Term(
    id="2026a",
    name="秋",
    first_day="2026-09-01",
    last_day="2026-09-30",
    week_one="2026-08-31",
    make_up_days=(MakeUpDay(date="2026-09-20", follows_weekday=2),),
)
NAMES = Names(
    unit=str.upper,
    school_class=lambda id: f"{id}班",
    teacher=lambda id: f"教师{id}",
    room=lambda id: f"室{id}",
    link=lambda id: f"https://tongke.example/lessons?lesson={id}",
)


def at(day: str) -> float:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=TIME_ZONE).timestamp()


def lesson(id: str, weekday: int, start: str = "10:30", end: str = "11:05") -> Lesson:
    parties = (
        PlacedParty(unit="core", period=3, start="10:20", end="11:05", room="r1", classes=("c1",), teachers=("t1",)),
        PlacedParty(unit="west", period=3, start="10:30", end="11:10", room="r2", classes=("c2",), teachers=("t2",)),
    )
    return Lesson(
        id=id, requirement=id, kind="sync", subject="数学", weekday=weekday, start=start, end=end, parties=parties
    )


def versions(*tables: tuple[str, list[Lesson]]) -> list[Version]:
    found: list[Version] = []
    for day, lessons in tables:
        table = Table(community="one", term="2026a", lessons=tuple(lessons))
        change = diff(found[-1].table if found else None, table)
        found.append(Version(community="one", number=len(found) + 1, author="a", at=at(day), table=table, diff=change))
    return found


def parsed(*tables: tuple[str, list[Lesson]]) -> list[icalendar.Event]:
    raw = calendar("五(1)班", entries(TERM, versions(*tables), picks("class", "c1")), NAMES)
    return list(icalendar.Calendar.from_ical(raw).walk("VEVENT"))


def test_every_occurrence_is_one_event_without_a_rule() -> None:
    events = parsed(("2026-08-25", [lesson("a", 2)]))
    starts = [event.decoded("DTSTART").strftime("%m-%d %H:%M") for event in events]
    assert starts == ["09-01 10:30", "09-08 10:30", "09-15 10:30", "09-20 10:30", "09-22 10:30", "09-29 10:30"]
    assert [event for event in events if "RRULE" in event] == []
    assert len({str(event["UID"]) for event in events}) == 6


def test_window_is_the_shared_one_and_the_units_periods_are_described() -> None:
    event = parsed(("2026-08-25", [lesson("a", 2)]))[0]
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=35)
    assert "WEST 第3节 10:30-11:10 室r2" in str(event["DESCRIPTION"])
    assert str(event["SUMMARY"]) == "【同步】数学 c1班、c2班 · 主讲：教师t1"


def test_unchanged_table_gives_the_same_bytes_after_a_new_version() -> None:
    one = ("2026-08-25", [lesson("a", 2)])
    two = ("2026-09-10", [lesson("a", 2), lesson("b", 4)])
    first = calendar("x", entries(TERM, versions(one), picks("class", "c1")), NAMES)
    second = calendar("x", entries(TERM, versions(one, two), picks("class", "c1")), NAMES)
    for block in first.split(b"BEGIN:VEVENT")[1:]:
        assert block.removesuffix(b"END:VCALENDAR\r\n") in second


def test_moved_lesson_keeps_its_uid_and_says_where_it_stood() -> None:
    events = parsed(("2026-08-25", [lesson("a", 2)]), ("2026-09-09", [lesson("a", 4)]))
    moved = [event for event in events if str(event["SUMMARY"]).startswith("【调课】")]
    uids = {str(event["UID"]) for event in parsed(("2026-08-25", [lesson("a", 2)]))}
    assert {str(event["UID"]) for event in events} == uids
    assert [event.decoded("DTSTART").strftime("%m-%d") for event in moved] == ["09-17", "09-24"]
    assert all(event["SEQUENCE"] == 1 and "原定：" in str(event["DESCRIPTION"]) for event in moved)
    assert len({str(event["UID"]) for event in events}) == len(events)


def test_what_took_place_before_a_version_stays_where_it_was() -> None:
    events = parsed(("2026-08-25", [lesson("a", 2)]), ("2026-09-09", [lesson("a", 4)]))
    days = [event.decoded("DTSTART").strftime("%m-%d") for event in events]
    assert days[:3] == ["09-01", "09-08", "09-17"]


def test_cancelled_lesson_stays_struck_out() -> None:
    events = parsed(("2026-08-25", [lesson("a", 2)]), ("2026-09-09", []))
    states = [(str(event["STATUS"]), str(event["TRANSP"]), int(event["SEQUENCE"])) for event in events]
    assert states[:2] == [("CONFIRMED", "OPAQUE", 0)] * 2
    assert set(states[2:]) == {("CANCELLED", "TRANSPARENT", 1)}
    assert str(events[-1]["SUMMARY"]).startswith("【停课】")


def test_feed_of_a_unit_shows_what_is_shared_only() -> None:
    local = Lesson(
        id="l", requirement="l", kind="local", subject="语文", weekday=1, start="08:20", end="09:00",
        parties=(PlacedParty(unit="core", period=1, start="08:20", end="09:00", classes=("c1",)),),
    )  # fmt: skip
    assert [picks("unit", "core")(local), picks("class", "c1")(local)] == [False, True]
    assert [picks("unit", "west")(lesson("a", 2)), picks("room", "r2")(lesson("a", 2))] == [True, True]
    assert picks("teacher", "nobody")(lesson("a", 2)) is False


@given(st.text(max_size=300))
def test_any_text_survives_escaping_and_folding(text: str) -> None:
    line = fold(f"SUMMARY:{escape(text)}")
    assert all(len(part) <= 75 for part in line.removesuffix(b"\r\n").split(b"\r\n"))
    raw = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\n" + line
    event = icalendar.Calendar.from_ical(raw + b"END:VEVENT\r\nEND:VCALENDAR\r\n").walk("VEVENT")[0]
    assert str(event["SUMMARY"]) == "".join(c for c in text if c == "\n" or (c >= " " and c != "\x7f"))


def test_summary_names_what_is_provisional() -> None:
    term = Term(
        id="t", name="t", first_day="2026-09-01", last_day="2026-09-02", week_one="2026-08-31",
        provisional_from="2026-09-01",
    )  # fmt: skip
    found = entries(term, versions(("2026-08-25", [lesson("a", 2)])), picks("class", "c1"))
    assert summary(found[0], NAMES).endswith("（暂定）")

"""What it costs to write a calendar feed.

The peer is the `icalendar` library on the same events with the same texts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import icalendar

from tests.bench.runner import Figure
from timetable.days.versions import Diff, Version
from timetable.export.feed_entries import Entry, entries
from timetable.export.feeds import Names, calendar, description, picks, summary
from timetable.model import Lesson, PlacedParty, Table, Term
from timetable.term import TIME_ZONE

TERM = Term(id="2026a", name="秋", first_day="2026-09-01", last_day="2027-01-22", week_one="2026-08-31")
NAMES = Names(
    unit=lambda id: "实验",
    school_class=lambda id: "五(1)班",
    teacher=lambda id: "科学教师04",
    room=lambda id: "远程教室1",
    link=lambda id: f"https://tongke.example/lessons?lesson={id}",
)
LESSONS = 48
"""As many as a term of nearly a thousand events needs."""


def figures(full: bool) -> Iterator[Figure]:
    found = _entries()
    rounds = 7 if full else 3
    ours = min(_cpu(lambda: calendar("五(1)班", found, NAMES)) for _ in range(rounds)) / len(found)
    theirs = min(_cpu(lambda: _library(found)) for _ in range(rounds)) / len(found)
    yield Figure(
        figure=f"writing a feed of {len(found)} lessons",
        value=round(ours * 1e6, 1),
        unit="us CPU per lesson",
        peer="icalendar",
        peer_value=round(theirs * 1e6, 1),
        ratio=round(ours / theirs, 3),
        goal=None,
        met=None,
    )


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _entries() -> list[Entry]:
    parties = tuple(
        PlacedParty(
            unit=unit, period=3, start="10:20", end="11:00", room=f"{unit}.r1", classes=("c51",), teachers=("t04",)
        )
        for unit in ("core", "xihe", "yanli", "gulong")
    )
    lessons = tuple(
        Lesson(
            id=f"r{number}.1",
            requirement=f"r{number}",
            kind="sync",
            subject="科学",
            weekday=number % 5 + 1,
            start="10:25",
            end="11:00",
            parties=parties,
            topic="光的反射",
        )
        for number in range(LESSONS)
    )
    version = Version(
        community="one",
        number=1,
        author="a",
        at=1_788_000_000.0,
        table=Table(community="one", term="2026a", lessons=lessons),
        diff=Diff(),
    )
    return entries(TERM, [version], picks("class", "c51"))


def _library(found: list[Entry]) -> bytes:
    """The same events by the library."""
    made = icalendar.Calendar()
    made.add("prodid", "-//Tongke//bench//ZH")
    made.add("version", "2.0")
    for entry in found:
        event = icalendar.Event()
        start = datetime.fromtimestamp(entry.occurrence.starts, TIME_ZONE)
        event.add("uid", entry.uid)
        event.add("dtstart", start)
        event.add("dtend", start + timedelta(minutes=35))
        event.add("summary", summary(entry, NAMES))
        event.add("description", description(entry, NAMES, NAMES.link(entry.occurrence.lesson.id)))
        event.add("sequence", entry.sequence)
        made.add_component(event)
    written: bytes = made.to_ical()
    return written

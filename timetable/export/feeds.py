"""Calendar feeds (RFC 5545) of published tables: one VEVENT for each occurrence, never a recurrence rule.

Many clients treat exceptions of a recurring event wrongly; single events are right everywhere. An event's bytes
follow from the published versions and the amendments to them, so an unchanged lesson stays byte for byte the same. Its
UID is made of the lesson and the term week: it survives moves and is never used for another lesson.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from timetable.export.feed_entries import WEEKDAYS, Entry
from timetable.model import SHARED_KINDS, Lesson, PlacedParty, Register, clock, minutes
from timetable.term import Occurrence

FeedKind = Literal["teacher", "class", "room", "unit", "community"]

DOMAIN = "tongke.calendar"
"""The right side of every UID: fixed, so that moving the server to another name changes no event."""

KIND_TITLES = {
    "sync": "同步",
    "dedicated": "专递",
    "joint_preparation": "集体备课",
    "joint_meeting": "联席会议",
    "common_test": "学业测试",
    "research": "教研",
}
ROUND_TITLES = {"joint_meeting": "轮值主席", "joint_preparation": "轮流主持", "research": "轮流主持"}
"""What the unit is called whose turn it is, where it does not teach."""
COLORS = {"sync": "royalblue", "dedicated": "mediumvioletred", "local": "slategray"}

TIME_ZONE_BLOCK = (
    b"BEGIN:VTIMEZONE\r\nTZID:Asia/Shanghai\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    b"TZOFFSETFROM:+0800\r\nTZOFFSETTO:+0800\r\nTZNAME:CST\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
"""Fixed: libraries bring in the daylight saving of 1986-91, and Outlook shifts by hours without a block."""


_ESCAPES = {
    **dict.fromkeys((*range(32), 127)),
    ord("\n"): "\\n",
    ord("\\"): "\\\\",
    ord(";"): "\\;",
    ord(","): "\\,",
}


class Names(Struct, frozen=True):
    """How ids are written for people, and where a session is joined."""

    unit: Callable[[str], str]
    school_class: Callable[[str], str]
    teacher: Callable[[str], str]
    room: Callable[[str], str]
    link: Callable[[str], str]
    """From a lesson id to the address to join at; it still asks for a sign-in."""


def picks(kind: FeedKind, target: str) -> Callable[[Lesson], bool]:
    """Which lessons a feed shows. Teachers, classes and rooms see all of theirs; the feeds of a unit and of a
    community show what is shared: all lessons of a school would be too many for any calendar."""
    tests: dict[FeedKind, Callable[[PlacedParty], bool]] = {
        "teacher": lambda party: target in party.teachers,
        "class": lambda party: target in party.classes,
        "room": lambda party: target == party.room,
        "unit": lambda party: target == party.unit,
        "community": lambda party: True,
    }
    test = tests[kind]
    if kind in ("unit", "community"):
        return lambda lesson: lesson.kind != "local" and any(test(party) for party in lesson.parties)
    return lambda lesson: any(test(party) for party in lesson.parties)


def calendar(
    name: str, entries: Iterable[Entry], names: Names, past: Iterable[tuple[Iterable[Entry], Names]] = ()
) -> bytes:
    """The whole feed; `past` are terms that are over, in the names of their time. There is no METHOD: some clients then
    demand an organizer."""
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tongke//Shared timetable//ZH",
        "CALSCALE:GREGORIAN",
        f"NAME:{escape(name)}",
        f"X-WR-CALNAME:{escape(name)}",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
    ]
    parts = [fold(line) for line in head]
    parts.append(TIME_ZONE_BLOCK)
    for older, then in past:
        parts.extend(event(entry, then) for entry in older)
    parts.extend(event(entry, names) for entry in entries)
    parts.append(b"END:VCALENDAR\r\n")
    return b"".join(parts)


def event(entry: Entry, names: Names) -> bytes:
    """One VEVENT. A shared lesson has one time, the shared window, in every feed that shows it; each unit's own
    period stands in the description."""
    occurrence, lesson = entry.occurrence, entry.occurrence.lesson
    stamp = datetime.fromtimestamp(int(entry.modified), UTC).strftime("%Y%m%dT%H%M%SZ")
    day = occurrence.day.date.strftime("%Y%m%d")
    link = names.link(lesson.id) if lesson.kind in SHARED_KINDS else ""
    rooms = "、".join(names.room(party.room) for party in occurrence.parties if party.room)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}@{DOMAIN}",
        f"DTSTAMP:{stamp}",
        f"LAST-MODIFIED:{stamp}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTART;TZID=Asia/Shanghai:{day}T{lesson.start.replace(':', '')}00",
        f"DTEND;TZID=Asia/Shanghai:{day}T{lesson.end.replace(':', '')}00",
        f"SUMMARY:{escape(summary(entry, names))}",
        f"DESCRIPTION:{escape(description(entry, names, link))}",
        *([f"LOCATION:{escape(rooms)}"] if rooms else []),
        *([f"URL:{link}"] if link else []),
        f"CATEGORIES:{escape(KIND_TITLES.get(lesson.kind, lesson.subject))}",
        f"COLOR:{COLORS.get(lesson.kind, 'teal')}",
        f"STATUS:{'CANCELLED' if entry.cancelled else 'TENTATIVE' if occurrence.day.provisional else 'CONFIRMED'}",
        f"TRANSP:{'TRANSPARENT' if entry.cancelled else 'OPAQUE'}",
        "END:VEVENT",
    ]
    return b"".join(fold(line) for line in lines)


def summary(entry: Entry, names: Names) -> str:
    """【调课】【同步】数学 六(1)班 · 主讲：…"""
    provisional = "（暂定）" if entry.occurrence.day.provisional else ""
    return f"{change_title(entry)}{title(entry.occurrence, names)}{provisional}"


def title(occurrence: Occurrence, names: Names) -> str:
    """【同步】数学 六(1)班 · 主讲：…; of what goes round also the school whose turn it is."""
    lesson = occurrence.lesson
    kind = f"【{KIND_TITLES[lesson.kind]}】" if lesson.kind in KIND_TITLES else ""
    classes = "、".join(names.school_class(id) for party in occurrence.parties for id in party.classes[:1])
    words = f"{kind}{lesson.subject} {classes}".rstrip()
    host = names.teacher(lesson.host.teachers[0]) if lesson.host.teachers else ""
    if lesson.rotation:
        host = f"{names.unit(lesson.host.unit)} {host}".rstrip()
    if not host:
        return words
    if lesson.kind in SHARED_KINDS:
        return f"{words} · 主讲：{host}"
    return f"{words} · {ROUND_TITLES[lesson.kind]}：{host}" if lesson.rotation else f"{words} · {host}"


def change_title(entry: Entry) -> str:
    """What happened to the lesson, for whoever reads nothing but the title."""
    if entry.cancelled and not entry.elsewhere:
        return "【停课】"
    if entry.made_up:
        return "【补课】"
    if entry.was:
        return "【调课】"
    return "【代课】" if entry.taught or entry.elsewhere else ""


def description(entry: Entry, names: Names, link: str) -> str:
    """Week, weekday, each unit's own period with the minutes its bells leave over, rooms, the link to join."""
    occurrence, lesson = entry.occurrence, entry.occurrence.lesson
    day = occurrence.day
    lines = [f"第{day.week}周 周{WEEKDAYS[day.date.isoweekday() - 1]} {lesson.start}-{lesson.end}"]
    if day.make_up:
        lines.append(f"调休：按周{WEEKDAYS[day.weekday - 1]}课表")
    if lesson.topic:
        lines.append(f"课题：{lesson.topic}")
    lines.extend(_party_line(party, names) for party in occurrence.parties)
    if entry.was:
        lines.append(f"原定：{entry.was}")
    if entry.reason:
        lines.append(f"停课原因：{entry.reason}")
    for one in entry.taught:
        lines.append(f"代课：{names.teacher(one.substitute)}（原任：{names.teacher(one.absent)}）")
    if link:
        lines.append(f"进入课堂：{link}")
    return "\n".join(lines)


def escape(text: str) -> str:
    """TEXT of RFC 5545: backslash, semicolon, comma and newline escaped, control characters dropped."""
    return text.translate(_ESCAPES)


def fold(line: str) -> bytes:
    """The line with its end, folded at 75 octets without splitting a character."""
    raw = line.encode()
    if len(raw) <= 75:
        return raw + b"\r\n"
    parts, at, limit = [], 0, 75
    while len(raw) - at > limit:
        end = at + limit
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(raw[at:end])
        at, limit = end, 74
    parts.append(raw[at:])
    return b"\r\n ".join(parts) + b"\r\n"


def names_of(register: Register, link: Callable[[str], str]) -> Names:
    """The register's names; an id that is not in it any more is written as it is."""
    units = {unit.id: unit.short_name for unit in register.units}
    classes = {c.id: c.name for c in register.classes}
    teachers = {teacher.id: teacher.name for teacher in register.teachers}
    rooms = {room.id: room.name for room in register.rooms}
    return Names(
        unit=lambda id: units.get(id, id),
        school_class=lambda id: classes.get(id, id),
        teacher=lambda id: teachers.get(id, id),
        room=lambda id: rooms.get(id, id),
        link=link,
    )


def _party_line(party: PlacedParty, names: Names) -> str:
    text = f"{names.unit(party.unit)} 第{party.period}节 {party.start}-{party.end}"
    if party.room:
        text += f" {names.room(party.room)}"
    for left in party.leftover:
        length = minutes(left.end) - minutes(left.start)
        who = names.teacher(left.teacher) if left.teacher else "未安排"
        text += f"；{clock(minutes(left.start))}起 {length} 分钟看护：{who}"
    return text

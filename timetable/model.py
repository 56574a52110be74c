"""The nouns of the one table: who, where, what must be taught, and where each lesson stands.

A `Register` is everything that is known before a table exists; it is also the documented INPUT format of
`tongke table build` (JSON, camelCase keys). A `Table` is where the lessons of one community stand.

Units: times of day are "HH:MM" in the wire form and minutes after midnight in arithmetic; weekdays are ISO, 1 is
Monday; weeks count from the term's first week.
"""

from functools import lru_cache
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

Id = Annotated[str, Meta(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
IsoDate = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Weekday = Annotated[int, Meta(ge=1, le=7)]
MOST_WEEKS = 60
"""No term has more weeks."""

TermWeek = Annotated[int, Meta(ge=1, le=MOST_WEEKS)]
"""Weeks count from the term's first."""

Stage = Literal["primary", "junior"]
Mode = Literal["merged", "co_built", "collaborative"]
Weeks = Literal["all", "odd", "even"]
Kind = Literal["local", "sync", "dedicated", "joint_preparation", "joint_meeting", "common_test", "research"]
SHARED_KINDS: frozenset[str] = frozenset({"sync", "dedicated"})
"""Kinds that are taught through the remote rooms: each takes a remote room and link capacity in every unit."""

ROTATING_KINDS: frozenset[str] = frozenset({"sync", "joint_preparation", "joint_meeting", "research"})
"""Kinds that can go round: each time another of its units hosts (轮讲) or takes the chair (轮值主席)."""

DEFAULT_OVERLAP_SLACK = 5
"""A shared lesson's windows must overlap for its length less these minutes (35 of 40, 40 of 45)."""


@lru_cache(maxsize=4096)
def minutes(clock: str) -> int:
    """Minutes after midnight of "HH:MM"."""
    return int(clock[:2]) * 60 + int(clock[3:5])


def clock(minute: int) -> str:
    """ "HH:MM" of minutes after midnight."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


class Model(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Base of the documents: immutable, camelCase outside, unknown fields refused."""


# Places -------------------------------------------------------------------------------------------------------------


class Campus(Model, frozen=True, kw_only=True):
    id: Id
    name: Name


class Travel(Model, frozen=True, kw_only=True):
    """Minutes between two campuses, the same in both directions."""

    campuses: tuple[Id, Id]
    minutes: Annotated[int, Meta(ge=0, le=600)]


class Period(Model, frozen=True, kw_only=True):
    number: Annotated[int, Meta(ge=1, le=16)]
    start: ClockTime
    end: ClockTime


class BellSchedule(Model, frozen=True, kw_only=True):
    """The periods of one unit on some weekdays, for some dates (open ends where absent)."""

    weekdays: tuple[Weekday, ...]
    periods: tuple[Period, ...]
    valid_from: IsoDate | None = None
    valid_to: IsoDate | None = None


class BusyTime(Model, frozen=True, kw_only=True):
    """A weekly clock interval in which a teacher or a room cannot be used, or a unit would have no shared lesson."""

    weekday: Weekday
    start: ClockTime
    end: ClockTime
    weeks: Weeks = "all"
    reason: str = ""


class SchoolUnit(Model, frozen=True, kw_only=True):
    """One stage of one school (学校（学段）): it has its own bells even where it shares a campus."""

    id: Id
    name: Name
    short_name: Name
    code: Annotated[str, Meta(min_length=1, max_length=4)]
    campus: Id
    stage: Stage
    bells: tuple[BellSchedule, ...]
    link_capacity: Annotated[int, Meta(ge=0, le=64)] = 1
    """Shared lessons that the unit's line carries at one time."""
    phone: str = ""
    wishes: tuple[BusyTime, ...] = ()
    """Times that the unit asks to keep free of shared lessons where that is possible. A lesson in one is a concession
    of the unit's (让步)."""


class Room(Model, frozen=True, kw_only=True):
    """A room of a campus. A remote room (远程教室) has the cameras and the panel; a home room belongs to a class."""

    id: Id
    name: Name
    unit: Id
    campus: Id
    kind: Literal["home", "remote", "special"]
    listen_only: bool = False
    """A remote room without camera and microphone: its class watches, listens and answers exercises."""


# People -------------------------------------------------------------------------------------------------------------


class Teacher(Model, frozen=True, kw_only=True):
    id: Id
    name: Name
    posts: tuple[Id, ...]
    """Units where the teacher has a post, the home unit first (一岗多校)."""
    subjects: tuple[Name, ...]
    max_per_day: Annotated[int, Meta(ge=1, le=16)] = 6
    max_per_week: Annotated[int, Meta(ge=1, le=60)] = 24
    unavailable: tuple[BusyTime, ...] = ()


class SchoolClass(Model, frozen=True, kw_only=True):
    id: Id
    name: Name
    unit: Id
    grade: Annotated[int, Meta(ge=1, le=9)]
    number: Annotated[int, Meta(ge=1, le=60)]
    pupils: Annotated[int, Meta(ge=0, le=99)]
    room: Id
    """The home room."""
    recording_consent: bool = False
    """Whether the guardians of the class agreed to recording; without it nothing of the class is written."""


class Shortage(Model, frozen=True, kw_only=True):
    """A subject that a unit has no teacher for: what dedicated lessons are driven by."""

    unit: Id
    subject: Name


# What must be taught ------------------------------------------------------------------------------------------------


class Party(Model, frozen=True, kw_only=True):
    """One unit's side of a requirement. `teachers` of the first party teach (the host); of the others assist."""

    unit: Id
    classes: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()


class Slot(Model, frozen=True, kw_only=True):
    """A period of the host unit on a weekday."""

    weekday: Weekday
    period: Annotated[int, Meta(ge=1, le=16)]


class Requirement(Model, frozen=True, kw_only=True):
    """What must be taught each week. The first party is the host and owns the clock.

    local: one party with its class. sync: a host class and 1..n member classes. dedicated: the host party has a
    teacher and no class. The meetings and research have teachers and no classes.
    """

    id: Id
    kind: Kind
    subject: Name
    parties: Annotated[tuple[Party, ...], Meta(min_length=1)]
    weekly: Annotated[int, Meta(ge=1, le=20)]
    community: Id
    weeks: Weeks = "all"
    block: Annotated[int, Meta(ge=1, le=3)] = 1
    """Length in consecutive periods; `weekly` counts blocks."""
    only_weeks: tuple[TermWeek, ...] = ()
    """The term weeks in which it takes place, where that is not in all of `weeks`: a monthly meeting, a series of a few
    lessons, a test. In the other weeks its slot is free for others."""
    rotation: tuple[Id, ...] = ()
    """Units that take turns, week by week in which it takes place, in this order: as the host of a lesson, as the chair
    of a meeting. Empty: always the first party."""
    locked: tuple[Slot, ...] = ()
    """Slots that are fixed already (a school's own fixed lessons): at most `weekly` of them."""
    overlap_conceded: Annotated[int, Meta(ge=0, le=20)] = 0
    """Minutes that its windows may share less than those of the community's other lessons."""
    topic: str = ""


# The community and the whole ----------------------------------------------------------------------------------------


class Community(Model, frozen=True, kw_only=True):
    id: Id
    name: Name
    number: Annotated[int, Meta(ge=1)]
    stage: Stage
    mode: Mode
    core: Id
    members: tuple[Id, ...]
    overlap_slack: Annotated[int, Meta(ge=0, le=20)] = DEFAULT_OVERLAP_SLACK

    @property
    def units(self) -> tuple[str, ...]:
        """The core unit, then the members in their order."""
        return (self.core, *self.members)


class MakeUpDay(Model, frozen=True, kw_only=True):
    """A working day at a weekend that follows another day's table (调休)."""

    date: IsoDate
    follows_weekday: Weekday
    follows_week: Annotated[int, Meta(ge=1, le=60)] | None = None
    """The term week whose parity counts; that of the date itself where absent."""


class Closure(Model, frozen=True, kw_only=True):
    first: IsoDate
    last: IsoDate
    name: Name
    units: tuple[Id, ...] = ()
    """Empty: the whole county."""


class Term(Model, frozen=True, kw_only=True):
    id: Id
    name: Name
    first_day: IsoDate
    last_day: IsoDate
    week_one: IsoDate
    """The Monday of term week 1."""
    closures: tuple[Closure, ...] = ()
    make_up_days: tuple[MakeUpDay, ...] = ()
    provisional_from: IsoDate | None = None
    """From this date on no official calendar is published yet: lessons are marked provisional."""


class Register(Model, frozen=True, kw_only=True):
    """A county (or one community) before its table is built; the INPUT format of the command line."""

    format: Literal["tongke-register/1"] = "tongke-register/1"
    county: Name
    term: Term
    communities: tuple[Community, ...]
    campuses: tuple[Campus, ...]
    travel: tuple[Travel, ...]
    units: tuple[SchoolUnit, ...]
    rooms: tuple[Room, ...]
    teachers: tuple[Teacher, ...]
    classes: tuple[SchoolClass, ...]
    requirements: tuple[Requirement, ...]
    shortages: tuple[Shortage, ...] = ()
    main_subjects: tuple[Name, ...] = ("语文", "数学", "英语")
    """Subjects that belong in the morning."""
    weekdays: tuple[Weekday, ...] = (1, 2, 3, 4, 5)
    busy_rooms: tuple[tuple[Id, BusyTime], ...] = ()
    """Rooms taken already, such as by another community on the same campus."""


# Where lessons stand ------------------------------------------------------------------------------------------------


class Leftover(Model, frozen=True, kw_only=True):
    """Minutes of a unit's own period outside the shared window, and who supervises the pupils then (看护)."""

    start: ClockTime
    end: ClockTime
    teacher: Id | None


class PlacedParty(Model, frozen=True, kw_only=True):
    """One unit's side of a lesson: its own period, its room, and what its bells leave over."""

    unit: Id
    period: int
    start: ClockTime
    end: ClockTime
    room: Id | None = None
    classes: tuple[Id, ...] = ()
    teachers: tuple[Id, ...] = ()
    leftover: tuple[Leftover, ...] = ()


class PartyTimes(Model, frozen=True, kw_only=True):
    """When one party's period rings, and what is left over of it."""

    start: ClockTime
    end: ClockTime
    leftover: tuple[Leftover, ...] = ()


class Times(Model, frozen=True, kw_only=True):
    """A lesson's clock from a date on, because a unit of it rings other bells; its periods stay."""

    first: IsoDate
    start: ClockTime
    end: ClockTime
    parties: tuple[PartyTimes, ...]
    """In the order of the lesson's parties."""


class Lesson(Model, frozen=True, kw_only=True):
    """A requirement's weekly placement. `start` to `end` is the shared window: the minutes that all parties share.

    Its own times are those by which the term begins; `later` are those after each change of bells.
    """

    id: Id
    """`<requirement id>.<index from 1>`: stable while the requirement stands, wherever the lesson moves."""
    requirement: Id
    kind: Kind
    subject: Name
    weekday: Weekday
    start: ClockTime
    end: ClockTime
    parties: tuple[PlacedParty, ...]
    weeks: Weeks = "all"
    topic: str = ""
    only_weeks: tuple[TermWeek, ...] = ()
    rotation: tuple[Id, ...] = ()
    later: tuple[Times, ...] = ()

    @property
    def host(self) -> PlacedParty:
        return self.parties[0]

    def by_date(self, day: str) -> "Lesson":
        """The lesson with the times of an ISO date as its own, and no others."""
        times: Times | None = None
        for one in self.later:
            if one.first <= day:
                times = one
        if times is None:
            return structs.replace(self, later=()) if self.later else self
        parties = tuple(
            structs.replace(party, start=own.start, end=own.end, leftover=own.leftover)
            for party, own in zip(self.parties, times.parties, strict=True)
        )
        return structs.replace(self, start=times.start, end=times.end, parties=parties, later=())


class RuleCost(Model, frozen=True, kw_only=True):
    rule: str
    cost: int


class Table(Model, frozen=True, kw_only=True):
    """The lessons of one community for a term."""

    format: Literal["tongke-table/1"] = "tongke-table/1"
    community: Id
    term: Id
    lessons: tuple[Lesson, ...]
    cost: int = 0
    cost_by_rule: tuple[RuleCost, ...] = ()


class TableSet(Model, frozen=True, kw_only=True):
    """What `tongke table build` writes: one table for every community of the register."""

    format: Literal["tongke-tables/1"] = "tongke-tables/1"
    tables: tuple[Table, ...]


class Finding(Model, frozen=True, kw_only=True):
    """One thing wrong with an input or a table. `code` is stable and has a sentence in both languages in the
    catalogue (`finding.<code>`), filled from `values`; file, sheet, row and field name the place."""

    code: str
    values: dict[str, str | int] = {}
    file: str = ""
    sheet: str = ""
    row: int | None = None
    field: str = ""
    severity: Literal["error", "warning"] = "error"

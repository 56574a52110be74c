"""This module owns the hand-made part of the demo county, read from `config/demo` and `config/calendar`."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from timetable.model import BusyTime, Closure, MakeUpDay, Mode, Slot, Stage, Term

DATA = resources.files("config")

T = TypeVar("T")


class UnitPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided by hand about a school unit; its classes and teachers follow from it."""

    id: str
    name: str
    short_name: str
    code: str
    classes_per_grade: int
    first_bell: str
    big_break: int
    afternoon_bell: str
    remote_rooms: int
    winter_afternoon_bell: str = ""
    """The afternoon's first bell from the county's winter date on, where it changes."""
    campus: str = ""
    wishes: tuple[BusyTime, ...] = ()
    """Times that the unit asks to keep free of shared lessons."""
    lacks: tuple[str, ...] = ()
    """Subjects that the unit has no teacher of its own for."""
    class_meeting: Slot | None = None
    """The slot in which all classes of the unit hold their class meeting, where the school has fixed one."""

    @property
    def campus_id(self) -> str:
        return self.campus or self.id


class SyncLessonPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sync lesson a week for one class of the grade in every school that takes part."""

    grade: int
    subject: str
    topic: str = ""
    goes_round: bool = False
    """Whether the schools take turns as host (轮讲), beginning with the plan's."""


class SyncPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    host: str
    members: tuple[str, ...]
    lessons: tuple[SyncLessonPlan, ...]


class CommunityPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A community; the first of its units is the core school."""

    id: str
    number: int
    name: str
    stage: Stage
    mode: Mode
    units: tuple[UnitPlan, ...]
    sync: tuple[SyncPlan, ...]


class TeachingGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Subjects that one teacher teaches together, and the weekly load a school plans for."""

    subjects: tuple[str, ...]
    most: int
    one_class: bool = False
    """The teacher has one class only and is its class teacher (班主任)."""


class TestPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test that all classes of a grade sit at one time (学业测试)."""

    subject: str
    grade: int
    periods: int
    weeks: tuple[int, ...]
    topic: str


class StagePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lesson_minutes: int
    morning_periods: int
    afternoon_periods: int
    dedicated_grades: tuple[int, ...]
    groups: tuple[TeachingGroup, ...]
    small: tuple[TeachingGroup, ...]
    dedicated: dict[str, int]
    """Weekly dedicated lessons of a subject for the classes of a unit that lacks it."""
    research: dict[str, int]
    """The weekday on whose afternoon the teachers of a subject meet for research (教研)."""
    research_group: int
    research_in_table: tuple[str, ...]
    preparation: tuple[str, ...]
    """Subjects whose teachers prepare together every other week (集体备课)."""
    meeting_weeks: tuple[int, ...]
    test: TestPlan
    doubles: dict[str, tuple[int, ...]]
    """By subject, the grades that have two periods of it running (连堂)."""
    alternating: dict[str, tuple[int, ...]] = {}
    """By pair of subjects ("a/b"), the grades that have two periods of one in odd weeks and of the other in even ones
    (单双周)."""


class Curriculum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    subjects: dict[str, str]
    """The ascii id of every subject."""
    weekly: dict[int, dict[str, int]]
    stages: dict[Stage, StagePlan]


class Road(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    minutes_to_set_out: float
    minutes_per_km: float


class Campuses(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    road: Road
    positions: dict[str, tuple[float, float]]
    """Kilometres east and north of the county town."""
    shared: dict[str, str]
    """The names of the campuses that two units share."""


class CountyPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    county: str
    authority: str
    document: str
    winter_from: str
    """The date from which on some schools ring the afternoon earlier (冬季作息)."""
    no_recording_consent: tuple[str, ...]
    """Classes whose guardians did not agree to recording; all others did."""
    communities: tuple[CommunityPlan, ...]


class OfficialYear(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The State Council's notice for one calendar year. `version` rises when the notice is changed."""

    format: str
    version: int
    year: int
    source: str
    holidays: tuple[Closure, ...]
    working_weekends: tuple[str, ...]


class TermPlan(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The term as the county decided it. A notice names the working weekends, the county which day's table they
    follow."""

    id: str
    name: str
    first_day: str
    last_day: str
    week_one: str
    make_up_days: tuple[MakeUpDay, ...]
    official_years: tuple[int, ...]


def _toml(name: str, type: type[T]) -> T:
    content: Any = tomllib.loads(DATA.joinpath("demo", name).read_text("utf-8"))
    return msgspec.convert(content, type, strict=False)


def county_plan() -> CountyPlan:
    return _toml("communities.toml", CountyPlan)


def curriculum() -> Curriculum:
    return _toml("curriculum.toml", Curriculum)


def campuses() -> Campuses:
    return _toml("campuses.toml", Campuses)


def official_year(year: int) -> OfficialYear:
    return msgspec.json.decode(DATA.joinpath("calendar", f"{year}.json").read_bytes(), type=OfficialYear)


def demo_term() -> Term:
    """The term of the demo: closures and working weekends of the official years; what lies after is provisional."""
    plan = msgspec.json.decode(DATA.joinpath("demo", "term.json").read_bytes(), type=TermPlan)
    years = [official_year(year) for year in plan.official_years]
    closures = [holiday for year in years for holiday in year.holidays]
    return Term(
        id=plan.id,
        name=plan.name,
        first_day=plan.first_day,
        last_day=plan.last_day,
        week_one=plan.week_one,
        closures=tuple(day for day in closures if plan.first_day <= day.last and day.first <= plan.last_day),
        make_up_days=plan.make_up_days,
        provisional_from=f"{max(plan.official_years) + 1}-01-01",
    )

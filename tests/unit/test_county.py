"""The demo county is complete, consistent and the same every time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import get_args

import pytest

from server.demo.county import demo_register
from server.demo.county_plan import demo_term, official_year
from timetable.bells import periods, windows_meet
from timetable.model import SHARED_KINDS, Kind, Register, minutes


@cache
def county() -> Register:
    return demo_register()


def test_county_has_the_documented_size() -> None:
    register = county()
    assert len(register.communities) == 6
    assert len(register.units) == 43
    assert len(register.campuses) == 40
    assert Counter(unit.stage for unit in register.units) == {"primary": 20, "junior": 23}
    assert 480 <= len(register.classes) <= 520
    assert 1150 <= len(register.teachers) <= 1290


def test_county_is_deterministic() -> None:
    assert demo_register() == county()


def test_every_unit_is_in_one_community_of_its_stage() -> None:
    register = county()
    stage = {unit.id: unit.stage for unit in register.units}
    members = [(unit, community.stage) for community in register.communities for unit in community.units]
    assert sorted(unit for unit, _ in members) == sorted(stage)
    assert all(stage[unit] == community_stage for unit, community_stage in members)


def test_modes_are_two_of_each() -> None:
    assert {c.number: c.mode for c in county().communities} == {
        1: "collaborative",
        2: "co_built",
        3: "merged",
        4: "collaborative",
        5: "co_built",
        6: "merged",
    }


@pytest.mark.parametrize("week", ["odd", "even"])
def test_every_class_learns_what_the_curriculum_says(week: str) -> None:
    weekly: Counter[str] = Counter()
    for requirement in county().requirements:
        if requirement.kind == "common_test" or requirement.weeks not in ("all", week):
            continue
        for party in requirement.parties:
            for school_class in party.classes:
                weekly[school_class] += requirement.weekly * requirement.block
    expected = {c.id: 26 if c.grade <= 2 else 30 if c.grade <= 6 else 34 for c in county().classes}
    assert weekly == expected


def test_the_county_has_every_kind_of_requirement_in_every_community() -> None:
    for community in county().communities:
        own = [requirement for requirement in county().requirements if requirement.community == community.id]
        assert {requirement.kind for requirement in own} == set(get_args(Kind))
        assert {requirement.block for requirement in own} == {1, 2, 3}
        assert {requirement.weeks for requirement in own} >= {"all", "odd", "even"}


def test_every_community_has_turns_of_hosts_and_chairs() -> None:
    for community in county().communities:
        own = [requirement for requirement in county().requirements if requirement.community == community.id]
        round_trips = {requirement.kind: requirement for requirement in own if requirement.rotation}
        assert set(round_trips) == {"sync", "joint_preparation", "joint_meeting"}
        meeting = round_trips["joint_meeting"]
        assert meeting.rotation == community.units
        assert len(meeting.only_weeks) == 5
        assert all(after - before == 4 for before, after in pairwise(meeting.only_weeks))
        for requirement in round_trips.values():
            assert all(party.teachers for party in requirement.parties)


def test_some_schools_ring_the_afternoon_earlier_in_winter() -> None:
    change, moved = "2026-10-08", []
    for unit in county().units:
        summer, winter = periods(unit, 1, "2026-09-01"), periods(unit, 1, change)
        earlier = {n: window.moved(-30) if window.start >= 12 * 60 else window for n, window in summer.items()}
        assert winter in (summer, earlier)
        if winter != summer:
            moved.append(unit.id)
    assert len(moved) == 14


def test_a_test_is_sat_by_all_classes_of_a_grade() -> None:
    for community in county().communities:
        [test] = [r for r in county().requirements if r.kind == "common_test" and r.community == community.id]
        grade = 6 if community.stage == "primary" else 9
        sitting = {c for party in test.parties for c in party.classes}
        assert sitting == {c.id for c in county().classes if c.grade == grade and c.unit in community.units}


def test_ids_are_unique() -> None:
    register = county()
    for things in (register.units, register.rooms, register.teachers, register.classes, register.requirements):
        ids = [thing.id for thing in things]
        assert len(set(ids)) == len(ids)
    assert len({unit.code for unit in register.units}) == 43
    assert len({unit.short_name for unit in register.units}) == 43


def test_teachers_teach_only_where_they_have_a_post() -> None:
    posts = {teacher.id: teacher.posts for teacher in county().teachers}
    for requirement in county().requirements:
        for party in requirement.parties:
            assert party.teachers
            assert all(party.unit in posts[teacher] for teacher in party.teachers)


def test_no_bell_rings_too_early_and_lessons_have_their_length() -> None:
    for unit in county().units:
        earliest, length = ("08:20", 40) if unit.stage == "primary" else ("08:00", 45)
        for schedule in unit.bells:
            assert min(period.start for period in schedule.periods) >= earliest
            assert {minutes(period.end) - minutes(period.start) for period in schedule.periods} == {length}


@pytest.mark.parametrize("number", range(1, 7))
def test_schools_of_a_community_ring_different_bells(number: int) -> None:
    community = next(c for c in county().communities if c.number == number)
    bells = {unit.bells for unit in county().units if unit.id in community.units}
    assert len(bells) >= 5


def test_shared_lessons_have_four_times_the_slots_they_need() -> None:
    register = county()
    units = {unit.id: unit for unit in register.units}
    for requirement in register.requirements:
        if requirement.kind not in SHARED_KINDS:
            continue
        slots = 0
        for weekday in register.weekdays:
            host, *others = (periods(units[party.unit], weekday, "2026-09-01") for party in requirement.parties)
            for window in host.values():
                nearest = [max(day.values(), key=window.overlap) for day in others]
                slots += windows_meet([window, *nearest], slack=5)
        assert slots >= 4 * requirement.weekly, requirement.id


def test_every_pair_shares_two_subjects() -> None:
    for community in county().communities:
        subjects: dict[str, set[str]] = {unit: set() for unit in community.members}
        for requirement in county().requirements:
            if requirement.kind == "sync" and requirement.community == community.id:
                for party in requirement.parties:
                    subjects.setdefault(party.unit, set()).add(requirement.subject)
        assert all(len(subjects[unit]) >= 2 for unit in community.members)


def test_members_host_too() -> None:
    cores = {community.core for community in county().communities}
    hosts = {r.parties[0].unit for r in county().requirements if r.kind == "sync"}
    assert len(hosts - cores) >= 6


def test_shortages_are_met_from_elsewhere() -> None:
    """No teacher of a lacking unit's own teaches the lacking subject there."""
    register = county()
    home = {teacher.id: teacher.posts[0] for teacher in register.teachers}
    lacking = {(shortage.unit, shortage.subject) for shortage in register.shortages}
    assert {subject for _, subject in lacking} >= {"音乐", "美术", "英语", "体育"}
    for requirement in register.requirements:
        if requirement.kind == "local":
            party = requirement.parties[0]
            if (party.unit, requirement.subject) in lacking:
                assert all(home[teacher] != party.unit for teacher in party.teachers)


def test_teachers_serve_several_units() -> None:
    register = county()
    stage = {unit.id: unit.stage for unit in register.units}
    several = [teacher for teacher in register.teachers if len(teacher.posts) > 1]
    assert len(several) >= 40
    between_stages = [t for t in several if len({stage[unit] for unit in t.posts}) == 2]
    assert len(between_stages) >= 3


def test_every_road_is_known() -> None:
    register = county()
    assert len(register.travel) == 40 * 39 // 2
    assert all(5 <= road.minutes <= 120 for road in register.travel)


def test_the_first_lesson_has_three_members_and_consent() -> None:
    register = county()
    community = register.communities[0]
    lesson = next(r for r in register.requirements if r.topic == "光的反射")
    assert (lesson.kind, lesson.subject, lesson.community) == ("sync", "科学", community.id)
    assert [party.unit for party in lesson.parties] == [
        "yangcheng-shiyan-xiaoxue-jituan",
        "xihe-zhongxin-xuexiao",
        "yanli-zhongxin-xuexiao",
        "gulong-zhongxin-xuexiao",
    ]
    consent = {c.id: c.recording_consent for c in register.classes}
    assert all(consent[c] for party in lesson.parties for c in party.classes)
    refusing = [c for c in register.classes if not c.recording_consent]
    assert 3 <= len(refusing) <= 12
    assert any(c.unit in community.units for c in refusing)


def test_term_follows_the_official_year() -> None:
    term = demo_term()
    year = official_year(2026)
    assert date.fromisoformat(term.week_one).weekday() == 0
    assert term.week_one <= term.first_day < term.last_day
    assert [day.date for day in term.make_up_days] == [d for d in year.working_weekends if d >= term.first_day]
    assert [(c.first, c.last) for c in term.closures] == [("2026-09-25", "2026-09-27"), ("2026-10-01", "2026-10-07")]
    assert term.provisional_from == "2027-01-01"


def test_working_weekends_are_weekends() -> None:
    year = official_year(2026)
    assert all(date.fromisoformat(day).weekday() >= 5 for day in year.working_weekends)
    closed = {
        date.fromisoformat(holiday.first) + timedelta(days=n)
        for holiday in year.holidays
        for n in range((date.fromisoformat(holiday.last) - date.fromisoformat(holiday.first)).days + 1)
    }
    assert not closed & {date.fromisoformat(day) for day in year.working_weekends}

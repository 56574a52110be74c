"""Sudden closings: what they take and give back, what may not be put there, and a make-up plan that holds."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, catalogue
from tests.dated_days import TERM, broken_on, community, days, version
from tests.unit.test_amendments import carried_out, held_on, out, published, some_change
from timetable.agreement.closing_service import losses
from timetable.days import closings as closing_module
from timetable.days import make_ups
from timetable.days.changes import MakeUp, MakeUpOwn, MakeUpPlace, Move, Undo
from timetable.days.closings import Closing, faults
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.standing import Standing
from timetable.export.feed_entries import Entry, entries
from timetable.export.feeds import Names, change_title, description, picks
from timetable.model import MakeUpDay
from timetable.term import moment, teaching_day

NOW = moment(date(2026, 9, 2), "07:00")
SNOW = Closing(
    id="snow", units=("A0", "A1", "A2"), first="2026-09-08", last="2026-09-09", reason="暴雪", by="局", at=NOW
)
SATURDAY = MakeUpDay(date="2026-09-12", follows_weekday=2)
NAMES = Names(unit=str, school_class=str, teacher=str, room=str, link=str)


def closed(*closings: Closing, tables: DatedTables | None = None) -> DatedTables:
    return (tables or published()).with_closings(closings)


def shared(tables: DatedTables, days_: Iterable[date]) -> list[Standing]:
    return [s for day in days_ for s in tables.on(day) if len(s.occurrence.lesson.parties) > 1]


def test_closed_days_have_no_lessons_and_all_others_stay() -> None:
    tables, snow = published(), closed(SNOW)
    for day in days(community()[0]):
        before, after = tables.on(day), snow.on(day)
        if day in SNOW.days:
            assert before
            assert all(s.change == "cancelled" and s.closing == SNOW for s in after)
            assert [s.uid for s in after] == [s.uid for s in before]
        else:
            assert after == before


def test_what_had_begun_when_it_was_declared_goes_on() -> None:
    noon = moment(date(2026, 9, 8), "12:00")
    snow = closed(structs.replace(SNOW, at=noon))
    day = snow.on(date(2026, 9, 8))
    assert {s.cancelled for s in day if s.starts <= noon} == {False}
    assert {s.cancelled for s in day if s.starts > noon} == {True}


def test_a_part_of_a_day_takes_what_meets_it() -> None:
    tables = closed(structs.replace(SNOW, last="2026-09-08", start="10:00", end="11:00"))
    for standing in tables.on(date(2026, 9, 8)):
        meets = any(p.start < "11:00" and p.end > "10:00" for p in standing.occurrence.lesson.parties)
        assert standing.cancelled == meets or standing.closing is not None


def test_one_shut_school_leaves_the_others_their_shared_lesson_but_not_its_host() -> None:
    every = days(community()[0])
    member, host = closed(structs.replace(SNOW, units=("A2",))), closed(structs.replace(SNOW, units=("A0",)))
    for lost in shared(published(), SNOW.days):
        units = [p.unit for p in lost.occurrence.parties]
        there, gone = member.standing(lost.uid), host.standing(lost.uid)
        assert there is not None
        assert gone is not None
        assert [p.unit for p in there.occurrence.parties] == [u for u in units if u != "A2"]
        assert gone.cancelled == (units[0] == "A0" or len([u for u in units if u != "A0"]) < 2)
    for day in every:
        assert broken_on(community()[0], day, member.on(day)) == []


def test_opened_again_everything_to_come_stands_where_it_was() -> None:
    tables = published()
    evening = moment(date(2026, 9, 8), "20:00")
    back = closed(structs.replace(SNOW, reopened_at=evening))
    assert back.on(date(2026, 9, 9)) == tables.on(date(2026, 9, 9))
    assert {s.cancelled for s in back.on(date(2026, 9, 8))} == {True}
    assert closed(structs.replace(SNOW, reopened_at=NOW)).on(date(2026, 9, 8)) == tables.on(date(2026, 9, 8))


def test_nothing_can_be_moved_into_closed_time() -> None:
    standing = next(s for s in published().on(date(2026, 9, 14)) if len(s.occurrence.parties) == 1)
    reasons = [
        {
            f.code
            for f in out(closed(SNOW), Move(occurrence=standing.occurrence.id, date="2026-09-08", period=n)).findings
        }
        for n in range(1, 8)
    ]
    assert {"amend_closed"} in reasons
    assert all(codes <= {"amend_closed", "amend_no_period"} and codes for codes in reasons)


def test_faults_are_named() -> None:
    def codes(closing: Closing) -> list[str]:
        return [finding.code for finding in faults(closing, TERM, (1, 2, 3, 4, 5), NOW)]

    assert codes(SNOW) == []
    assert codes(structs.replace(SNOW, last="2026-09-07")) == ["closing_dates"]
    assert codes(structs.replace(SNOW, last="2026-02-30")) == ["closing_dates"]
    assert codes(structs.replace(SNOW, first="2027-09-08", last="2027-09-08")) == ["closing_dates"]
    assert codes(structs.replace(SNOW, first="2026-08-20", last="2026-12-30")) == ["closing_too_long"]
    assert codes(structs.replace(SNOW, last="2026-09-08", start="11:00", end="10:00")) == ["closing_empty"]
    assert codes(structs.replace(SNOW, make_up_days=(SATURDAY,))) == []
    for wrong in ("2026-09-14", "2026-09-20", "2027-01-30", "x"):
        given_day = MakeUpDay(date=wrong, follows_weekday=2)
        assert codes(structs.replace(SNOW, make_up_days=(given_day,))) == ["closing_make_up_day"]


# Making up


def plan_of(closing: Closing = SNOW, waiting: Iterable[MakeUp] = ()) -> make_ups.MakeUpPlan:
    return make_ups.plan(Grounds(community()[0]), closed(closing), closing, "A", NOW, waiting)


def test_a_plan_names_every_lost_shared_lesson_and_counts_the_others() -> None:
    found = plan_of()
    lost = shared(published(), SNOW.days)
    assert lost
    assert [one.occurrence for one in found.lost] == [one.occurrence.id for one in lost]
    assert found.own == sum(len(published().on(day)) for day in SNOW.days) - len(lost)


@pytest.mark.parametrize("given_days", [(), (SATURDAY,)])
def test_all_first_choices_can_be_accepted_together(given_days: tuple[MakeUpDay, ...]) -> None:
    snow = structs.replace(SNOW, make_up_days=given_days)
    tables = closed(snow)
    for number, lost in enumerate(plan_of(snow).lost, 1):
        assert lost.choices, lost.findings
        best = lost.choices[0]
        outcome = out(tables, MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period), number=number)
        assert outcome.findings == ()
        assert {reason.code for reason in best.reasons} <= REASONS
        assert list(lost.choices) == sorted(lost.choices, key=lambda c: (-c.points, c.date, c.period))
        tables = tables.with_applied(Applied(community="A", number=number, at=NOW, effects=outcome.effects))
    for day in days(community()[0]):
        if day.isoformat() not in {one.date for one in given_days}:
            assert broken_on(community()[0], day, tables.on(day)) == []
    left = make_ups.plan(Grounds(community()[0]), tables, snow, "A", NOW)
    assert {one.state for one in left.lost} == {"made_up"}


def own_plan_of(unit: str, closing: Closing, tables: DatedTables | None = None) -> make_ups.OwnMakeUpPlan:
    return make_ups.own_plan(Grounds(community()[0]), tables or closed(closing), closing, "A", unit, NOW)


def first_choices(plan: make_ups.OwnMakeUpPlan) -> MakeUpOwn:
    chosen = ((lost.occurrence, choice) for lost in plan.lost for choice in lost.choices[:1])
    lessons = tuple(MakeUpPlace(occurrence=one, date=best.date, period=best.period) for one, best in chosen)
    return MakeUpOwn(unit=plan.unit, lessons=lessons)


@pytest.mark.parametrize("given_days", [(), (SATURDAY,)])
def test_a_school_makes_up_its_own_lessons_by_one_act_beside_the_shared_ones(given_days: tuple[MakeUpDay, ...]) -> None:
    snow = structs.replace(SNOW, make_up_days=given_days)
    tables, register = closed(snow), community()[0]
    own = {s.occurrence.id for d in SNOW.days for s in published().on(d) if units_of(s) == ["A1"]}
    plan = own_plan_of("A1", snow)
    assert {lost.occurrence for lost in plan.lost} == own
    assert {lost.units for lost in plan.lost} == {("A1",)}
    for number, lost in enumerate(plan_of(snow).lost, 1):
        best = lost.choices[0]
        outcome = out(tables, MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period), number=number)
        tables = tables.with_applied(Applied(community="A", number=number, at=NOW, effects=outcome.effects))
    plan = own_plan_of("A1", snow, tables)
    change = first_choices(plan)
    outcome = out(tables, change, number=90)
    assert (outcome.findings, outcome.affected) == ((), ("A1",))
    assert len(outcome.effects) == len(change.lessons) > 0
    tables = tables.with_applied(Applied(community="A", number=90, at=NOW, effects=outcome.effects))
    for day in days(register):
        if day.isoformat() not in {one.date for one in given_days}:
            assert broken_on(register, day, tables.on(day)) == []
    left = own_plan_of("A1", snow, tables)
    assert sum(lost.state == "made_up" for lost in left.lost) == len(change.lessons)
    (loss,) = losses(tables, snow)
    assert {one.unit: one.made_up for one in loss.units} == {"A0": 0, "A1": len(change.lessons), "A2": 0}
    assert loss.own_made_up == len(change.lessons)
    again = out(tables, change, number=91)
    assert [finding.code for finding in again.findings] == ["amend_made_up"]
    undone = out(tables, Undo(amendment=90), number=91)
    assert (undone.findings, undone.affected) == ((), ("A1",))


def test_what_has_no_slot_says_how_many_free_days_it_takes_more() -> None:
    """The term ends with the snow: each lost day takes a free one."""
    register, table = community()
    short = structs.replace(TERM, last_day="2026-09-09")
    tables = DatedTables(short, [[version(table)]]).with_closings([SNOW])
    late = moment(date(2026, 9, 7), "20:00")
    found = make_ups.own_plan(Grounds(structs.replace(register, term=short)), tables, SNOW, "A", "A0", late)
    assert {lost.choices for lost in found.lost} == {()}
    assert found.days_short in (1, 2)


def test_only_a_schools_own_lost_lessons_are_made_up_by_its_act() -> None:
    tables = closed(SNOW)
    plan = own_plan_of("A1", SNOW)
    one = next(lost for lost in plan.lost if lost.choices)
    best = one.choices[0]
    place = MakeUpPlace(occurrence=one.occurrence, date=best.date, period=best.period)
    for change, code in (
        (MakeUpOwn(unit="A0", lessons=(place,)), "amend_not_own"),
        (MakeUpOwn(unit="A1", lessons=(place, place)), "amend_made_up"),
        (MakeUpOwn(unit="A1", lessons=(structs.replace(place, date="2026-09-08"),)), "amend_closed"),
    ):
        assert [finding.code for finding in out(tables, change).findings] == [code]
    assert [f.code for f in out(published(), MakeUpOwn(unit="A1", lessons=(place,))).findings] == ["amend_takes_place"]


def units_of(standing: Standing) -> list[str]:
    return [party.unit for party in standing.occurrence.lesson.parties]


REASONS = {
    "days_after",
    "days_before",
    "usual_time",
    "before_next",
    "twice_a_day",
    "longer_day",
    "given_day",
    "teacher_comes",
    "other_make_ups",
}


def test_what_is_asked_for_already_keeps_its_slot() -> None:
    first = plan_of().lost[0]
    best = first.choices[0]
    asked = MakeUp(occurrence=first.occurrence, date=best.date, period=best.period)
    again = plan_of(waiting=[asked])
    assert again.lost[0].state == "asked"
    assert again.lost[0].choices == ()
    for other in again.lost[1:]:
        assert other.choices
        outcome = out(closed(SNOW), asked)
        tables = closed(SNOW).with_applied(Applied(community="A", number=1, at=NOW, effects=outcome.effects))
        slot = other.choices[0]
        change = MakeUp(occurrence=other.occurrence, date=slot.date, period=slot.period)
        assert out(tables, change, number=2).findings == ()


def test_no_slot_is_said_with_reasons() -> None:
    """The term ends with the snow: there is no day left."""
    register, table = community()
    short = structs.replace(TERM, last_day="2026-09-09")
    register = structs.replace(register, term=short)
    late = moment(date(2026, 9, 7), "20:00")
    tables = DatedTables(short, [[version(table)]]).with_closings([SNOW])
    found = make_ups.plan(Grounds(register), tables, SNOW, "A", late)
    assert {one.choices for one in found.lost} == {()}
    assert all("amend_closed" in {f.code for f in one.findings} for one in found.lost)


def test_losses_are_counted_by_kind() -> None:
    (loss,) = losses(closed(SNOW), SNOW)
    lost = shared(published(), SNOW.days)
    assert (loss.community, loss.shared, loss.reduced, loss.made_up) == ("A", len(lost), 0, 0)
    assert loss.own == plan_of().own


# Feeds


def feed(kind: str, target: str, *closings: Closing) -> dict[str, Entry]:
    found = entries(TERM, [version(community()[1])], picks(kind, target), (), closings)  # type: ignore[arg-type]
    return {entry.uid: entry for entry in found}


def test_feeds_strike_out_what_is_lost_and_say_why() -> None:
    before, after = feed("class", "A0-c1"), feed("class", "A0-c1", SNOW)
    assert before.keys() == after.keys()
    for uid, entry in after.items():
        if entry.occurrence.day.date in SNOW.days:
            assert (change_title(entry), entry.sequence, entry.modified) == ("【停课】", 1, NOW)
            assert "暴雪" in description(entry, NAMES, "")
        else:
            assert entry == before[uid]


def test_feeds_take_back_what_takes_place_after_all() -> None:
    before = feed("community", "A")
    for uid, entry in feed("community", "A", structs.replace(SNOW, reopened_at=NOW + 60)).items():
        assert (entry.occurrence, entry.cancelled) == (before[uid].occurrence, False)
        assert entry.sequence == (2 if entry.occurrence.day.date in SNOW.days else 0)


def test_only_the_shut_school_loses_a_lesson_that_goes_on() -> None:
    snow = structs.replace(SNOW, units=("A2",))
    gone = {uid for uid, entry in feed("unit", "A2", snow).items() if entry.cancelled}
    there = {uid for uid, entry in feed("unit", "A0", snow).items() if entry.cancelled}
    lost = {s.uid for s in shared(published(), SNOW.days) if "A2" in {p.unit for p in s.occurrence.parties}}
    assert gone == lost
    assert there < gone


# Any sequence


@given(st.integers(0, 2**31), st.integers(2, 12))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_closings_and_changes_keeps_every_date_valid(seed: int, steps: int) -> None:
    """Closings come and go between changes and make-ups; each touches what it names, and no date breaks a rule."""
    register, _ = community()
    chance = random.Random(seed)
    tables, now, every = published(), NOW, days(community()[0])
    for number in range(1, steps + 1):
        now += chance.choice([60, 600, 20 * 3600])
        before = tables
        match chance.choice(["close", "reopen", "plan", "change", "change"]):
            case "close":
                new = some_closing(chance, number, now)
                tables = tables.with_closings((*tables.closings.all, new))
                touched = {s.uid for day in new.days for s in tables.on(day)}
            case "reopen" if tables.closings.all:
                one = chance.choice(tables.closings.all)
                touched = {s.uid for day in one.days for s in tables.on(day)}
                opened = structs.replace(one, reopened_at=one.reopened_at or now)
                tables = tables.with_closings(opened if c.id == one.id else c for c in tables.closings.all)
            case "plan" if tables.closings.all:
                tables, touched = some_make_ups(chance, tables, now, number)
            case _:
                outcome = out(tables, some_change(chance, tables, now, number * 100), number=number * 100, now=now)
                if not outcome.possible:
                    continue
                tables = carried_out(tables, outcome, number * 100, now)
                touched = {s.uid for pair in outcome.touched for s in (pair.before, pair.after) if s is not None}
        for day in every:
            assert broken_on(register, day, tables.on(day)) == []
            assert held_on(tables, day, touched) == held_on(before, day, touched)
            past = {(s.uid, s.cancelled) for s in before.on(day) if s.starts <= now}
            assert past <= {(s.uid, s.cancelled) for s in tables.on(day)}


def some_closing(chance: random.Random, number: int, now: float) -> Closing:
    every = days(community()[0])
    first = chance.randrange(len(every) - 4)
    return Closing(
        id=f"c{number}",
        units=tuple(chance.sample(["A0", "A1", "A2"], chance.randint(1, 3))),
        first=every[first].isoformat(),
        last=every[first + chance.randint(0, 3)].isoformat(),
        start=chance.choice([None, "10:00"]),
        reason="雪",
        by="局",
        at=now,
    )


def some_make_ups(chance: random.Random, tables: DatedTables, now: float, number: int) -> tuple[DatedTables, set[str]]:
    """Accept some of the first choices of a plan; they must hold together."""
    closing, touched = chance.choice(tables.closings.all), set()
    plan = make_ups.plan(Grounds(community()[0]), tables, closing, "A", now)
    for index, lost in enumerate(one for one in plan.lost if one.choices and chance.random() < 0.7):
        best = lost.choices[0]
        amendment = number * 100 + index
        change = MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period)
        outcome = out(tables, change, number=amendment, now=now)
        assert [f for f in outcome.findings if f.severity == "error"] == []
        tables = carried_out(tables, outcome, amendment, now)
        touched |= {pair.after.uid for pair in outcome.touched if pair.after is not None}
    return tables, touched


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        texts = catalogue(language)
        assert [code for code in closing_module.CODES if f"finding.{code}" not in texts] == []
        assert [code for code in REASONS if f"make_up.reason.{code}" not in texts] == []


def test_given_days_ring_the_bells_that_they_follow() -> None:
    tables = closed(structs.replace(SNOW, make_up_days=(SATURDAY,)))
    assert tables.closings.bells_of(date(2026, 9, 12)) == 2
    assert teaching_day(TERM, date(2026, 9, 12)) is not None
    lost = shared(published(), SNOW.days)[0]
    possible = [
        period
        for period in range(1, 8)
        if out(tables, MakeUp(occurrence=lost.occurrence.id, date="2026-09-12", period=period)).possible
    ]
    assert possible

"""Changes after publication: who is asked, what silence means, what stands against a change, and that no sequence of
changes breaks a date or touches what it does not name."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, catalogue, finding_sentence
from tests.dated_days import broken_on, community, days, version
from timetable.agreement import amendment_policy
from timetable.agreement import amendments as talks
from timetable.agreement.amendments import Amendment, State
from timetable.agreement.consent import ReasonMissing, WrongSide
from timetable.checker import check
from timetable.days import changes, day_book
from timetable.days.changes import (
    Cancel,
    Change,
    MakeUp,
    Move,
    MoveWeekly,
    Substitute,
    Swap,
    SwapWeekly,
    Undo,
)
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.outcomes import work_out
from timetable.days.scene import Outcome, lines_of
from timetable.days.standing import Standing
from timetable.errors import NotAllowedNow, NotFound
from timetable.model import Community, Mode
from timetable.term import moment

NOW = moment(date(2026, 9, 2), "07:00")
SOON = NOW + 20 * 60
LATER = NOW + 5 * 86400


def community_of(mode: Mode) -> Community:
    return Community(id="A", name="教共体", number=1, stage="primary", mode=mode, core="A0", members=("A1", "A2"))


def asked(
    mode: Mode, *, unit: str = "A1", affected: tuple[str, ...] = ("A0", "A1", "A2"), earliest: float = LATER
) -> Amendment:
    drafted = talks.draft(
        community_of(mode),
        number=1,
        change=Cancel(occurrence="a.2026-09-07"),
        reason="运动会",
        unit=unit,
        by="主任",
        now=NOW,
        affected=affected,
        earliest=earliest,
    )
    return talks.ask(drafted, NOW)


# Who is asked


@pytest.mark.parametrize("mode", ["merged", "co_built", "collaborative"])
def test_a_schools_own_affair_needs_nobody(mode: Mode) -> None:
    amendment = asked(mode, affected=("A1",))
    assert (amendment.state, talks.asked_units(amendment)) == (State.AGREED, ())


def test_merged_core_decides_alone() -> None:
    amendment = asked("merged")
    assert (amendment.state, talks.missing(amendment, NOW)) == (State.ASKED, ("A0",))
    with pytest.raises(WrongSide):
        talks.agree(amendment, unit="A2", by="x", now=NOW)
    assert talks.agree(amendment, unit="A0", by="x", now=NOW).state is State.AGREED
    assert asked("merged", unit="A0").state is State.AGREED


def test_collaborative_asks_every_unit_whose_day_changes_and_no_other() -> None:
    amendment = asked("collaborative", affected=("A0", "A1"))
    assert talks.missing(amendment, NOW) == ("A0",)
    with pytest.raises(WrongSide):
        talks.agree(amendment, unit="A2", by="x", now=NOW)
    assert talks.agree(amendment, unit="A0", by="x", now=NOW).state is State.AGREED


def test_co_built_silence_agrees_at_the_deadline() -> None:
    amendment = asked("co_built")
    assert amendment.deadline == NOW + amendment_policy.WINDOW_SECONDS
    assert talks.settle(amendment, amendment.deadline - 1).state is State.ASKED
    assert talks.settle(amendment, amendment.deadline).state is State.AGREED


@pytest.mark.parametrize("mode", ["merged", "collaborative"])
def test_silence_is_not_agreement_elsewhere(mode: Mode) -> None:
    amendment = talks.settle(asked(mode), LATER)
    assert (amendment.state, amendment.cause) == (State.REFUSED, "silence")


def test_change_of_the_same_day_has_a_short_window_that_ends_before_the_lesson() -> None:
    assert asked("co_built", earliest=SOON).deadline == NOW + amendment_policy.SAME_DAY_SECONDS
    assert asked("co_built", earliest=NOW + 120).deadline == NOW + 120
    assert asked("co_built", earliest=NOW + 7200).deadline == NOW + 7200 - amendment_policy.ANSWER_BEFORE_SECONDS


def test_objection_with_a_reason_ends_it() -> None:
    with pytest.raises(ReasonMissing):
        talks.object_to(asked("co_built"), unit="A2", by="x", now=NOW, reason=" ")
    amendment = talks.object_to(asked("co_built"), unit="A2", by="x", now=NOW, reason="操场在修")
    assert (amendment.state, amendment.cause) == (State.REFUSED, "objection")
    with pytest.raises(NotAllowedNow):
        talks.agree(amendment, unit="A0", by="x", now=NOW)


def test_only_the_asking_unit_withdraws() -> None:
    amendment = asked("collaborative")
    with pytest.raises(WrongSide):
        talks.withdraw(amendment, unit="A0")
    assert talks.withdraw(amendment, unit="A1").state is State.WITHDRAWN
    assert [talks.possible(amendment, unit, NOW) for unit in ("A0", "A1")] == [("agree", "object"), ("withdraw",)]


def test_what_no_longer_fits_is_refused_with_the_reasons() -> None:
    amendment = talks.no_longer_fits(asked("merged", unit="A0"), ())
    assert (amendment.state, amendment.cause) == (State.REFUSED, "no_longer_fits")


@given(
    st.lists(st.tuples(st.sampled_from(["agree", "object", "withdraw", "wait"]), st.sampled_from(["A0", "A1", "A2"])))
)
@settings(max_examples=60)
def test_whatever_is_said_it_is_applied_only_when_nobody_is_missing(said: list[tuple[str, str]]) -> None:
    for mode in ("merged", "co_built", "collaborative"):
        amendment, now = asked(mode), NOW
        for word, unit in said:
            now += 3600
            if word not in talks.possible(amendment, unit, now):
                continue
            before = amendment.revision
            match word:
                case "agree":
                    amendment = talks.agree(amendment, unit=unit, by=unit, now=now)
                case "object":
                    amendment = talks.object_to(amendment, unit=unit, by=unit, now=now, reason="不行")
                case "withdraw":
                    amendment = talks.withdraw(amendment, unit=unit)
            assert amendment.revision > before
        if amendment.state is State.AGREED:
            assert talks.missing(amendment, now) == ()
            assert all(consent.answer == "agreed" for consent in amendment.consents)


# What stands against a change


def published() -> DatedTables:
    register, table = community()
    return DatedTables(register.term, [[version(table)]])


def out(
    tables: DatedTables, change: Change, *, number: int = 1, now: float = NOW, mode: Mode = "collaborative"
) -> Outcome:
    return work_out(change, community="A", number=number, grounds=grounds_of(mode), tables=tables, now=now)


def grounds_of(mode: Mode) -> Grounds:
    register, _ = community()
    return Grounds(
        structs.replace(register, communities=tuple(structs.replace(c, mode=mode) for c in register.communities))
    )


def codes(change: Change, *, now: float = NOW) -> list[str]:
    return [finding.code for finding in out(published(), change, now=now).findings]


def occurrence(requirement: str, after: str = "2026-09-06") -> Standing:
    tables = published()
    return next(
        standing
        for day in days(community()[0])
        if day.isoformat() > after
        for standing in tables.on(day)
        if standing.occurrence.lesson.requirement == requirement
    )


def test_closed_days_and_days_outside_the_term_are_named() -> None:
    local, shared = occurrence("A-r1").occurrence.id, occurrence("A-r14").occurrence.id
    assert codes(Move(occurrence=local, date="2027-01-04", period=1)) == ["amend_outside_term"]
    assert codes(Move(occurrence=local, date="2026-09-25", period=1)) == ["amend_no_school"]
    assert codes(Move(occurrence=shared, date="2026-09-16", period=1)) == ["amend_closed"]
    assert codes(Move(occurrence=local, date="2026-09-12", period=1)) == ["amend_no_period"]
    assert codes(Move(occurrence=local, date="2026-09-20", period=9)) == ["amend_no_period"]


def test_what_has_begun_cannot_be_changed() -> None:
    standing = occurrence("A-r1", after="2026-08-31")
    begun = standing.occurrence.starts
    assert codes(Cancel(occurrence=standing.occurrence.id), now=begun - 1) == []
    assert codes(Cancel(occurrence=standing.occurrence.id), now=begun) == ["amend_past"]


def test_busy_class_teacher_and_room_are_named_in_one_answer() -> None:
    tables = published()
    standing = occurrence("A-r1")
    class_id = standing.occurrence.parties[0].classes[0]
    other = next(
        s
        for day in days(community()[0])[7:12]
        for s in tables.on(day)
        if s.uid != standing.uid and len(s.occurrence.parties) == 1 and class_id in s.occurrence.parties[0].classes
    )
    into = other.occurrence
    change = Move(occurrence=standing.occurrence.id, date=into.day.date.isoformat(), period=into.lesson.host.period)
    found = out(tables, change).findings
    assert {"amend_class_busy", "amend_room_busy"} <= {finding.code for finding in found}
    assert {finding.values["date"] for finding in found} == {into.day.date.isoformat()}


def test_substitute_needs_a_post_unless_the_mode_lends() -> None:
    register, _ = community()
    standing = occurrence("A-r1")
    absent = standing.occurrence.parties[0].teachers[0]
    stranger = next(t.id for t in register.teachers if "A0" not in t.posts and t.subjects == ("语文",))
    day = standing.occurrence.day.date.isoformat()
    change = Substitute(lesson=standing.occurrence.lesson.id, absent=absent, substitute=stranger, first=day, last=day)
    results = {}
    for mode in ("collaborative", "co_built", "merged"):
        known = structs.replace(
            register, communities=tuple(structs.replace(c, mode=mode) for c in register.communities)
        )
        outcome = work_out(change, community="A", number=1, grounds=Grounds(known), tables=published(), now=NOW)
        results[mode] = (outcome.possible or outcome.findings[0].code != "amend_no_post", outcome.affected)
    home = next(t.posts[0] for t in register.teachers if t.id == stranger)
    assert results["collaborative"] == (False, ())
    assert results["co_built"] == (True, tuple(sorted({"A0", home})))
    assert results["merged"] == (True, ("A0",))


def test_ids_that_nothing_has_are_not_found() -> None:
    tables = published()
    for change in (
        Cancel(occurrence="nobody.2026-09-07"),
        Cancel(occurrence="x"),
        MakeUp(occurrence="nobody.2026-09-07", date="2026-09-08", period=1),
        MoveWeekly(lesson="nobody", first="2026-09-07", weekday=1, period=1),
        Substitute(lesson="A-r1.1", absent="nobody", substitute="A0-t1", first="2026-09-07", last="2026-09-08"),
    ):
        with pytest.raises(NotFound):
            out(tables, change)


def test_lasting_change_breaks_no_rule_of_the_weekly_table() -> None:
    _, table = community()
    one, other = (lesson for lesson in table.lessons if lesson.requirement == "A-r1" and lesson.id[-1] in "12")
    into = MoveWeekly(lesson=one.id, first="2026-09-07", weekday=other.weekday, period=other.host.period)
    assert "table_class_clash" in codes(into)
    assert codes(SwapWeekly(lesson=one.id, other=one.id, first="2026-09-07")) == ["amend_no_change_weekly"]


def test_lasting_change_is_taken_back_by_a_version_more() -> None:
    _, table = community()
    tables = published()
    found = (
        (one, out(tables, MoveWeekly(lesson=one.id, first="2026-09-10", weekday=weekday, period=7)))
        for one in table.lessons
        for weekday in range(1, 6)
        if weekday != one.weekday
    )
    one, outcome = next(pair for pair in found if pair[1].possible)
    moved = carried_out(tables, outcome, 1, NOW)
    back = out(moved, Undo(amendment=1), number=2)
    assert (back.findings, back.undone, back.affected) == ((), 1, outcome.affected)
    assert back.version is not None
    assert (back.version.number, back.version.valid_from) == (3, "2026-09-14")
    stands = next(lesson for lesson in back.version.table.lessons if lesson.id == one.id)
    assert (stands.weekday, stands.host.period) == (one.weekday, one.host.period)
    again = out(carried_out(moved, back, 2, NOW), Undo(amendment=2), number=3)
    assert again.version is not None
    assert again.version.table.lessons == moved.versions("A")[-1].table.lessons
    assert [f.code for f in out(carried_out(moved, back, 2, NOW), Undo(amendment=1), number=3).findings] == [
        "amend_not_applied"
    ]


# Any sequence


@given(st.integers(0, 2**31), st.integers(1, 14), st.sampled_from(["collaborative", "co_built", "merged"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_changes_keeps_every_date_valid_and_the_rest_where_it_was(
    seed: int, steps: int, mode: Mode
) -> None:
    register, _ = community()
    chance = random.Random(seed)
    tables, now = published(), NOW
    every_day = days(register)
    for number in range(1, steps + 1):
        now += chance.choice([0, 600, 20 * 3600])
        change = some_change(chance, tables, now, number)
        outcome = out(tables, change, number=number, now=now, mode=mode)
        if not outcome.possible:
            continue
        changed = carried_out(tables, outcome, number, now)
        if outcome.version is not None:
            assert check(register, outcome.version.table) == []
            assert set(outcome.version.diff.moved) <= {line.lesson for line in lines_of(grounds_of(mode), outcome)}
        touched = {one.uid for pair in outcome.touched for one in (pair.before, pair.after) if one is not None}
        for day in every_day:
            assert broken_on(register, day, changed.on(day)) == []
            assert held_on(changed, day, touched) == held_on(tables, day, touched)
            past = [s for s in tables.on(day) if s.occurrence.starts <= now]
            assert {(s.uid, s.occurrence) for s in past} <= {(s.uid, s.occurrence) for s in changed.on(day)}
        uids = [standing.uid for day in every_day for standing in changed.on(day)]
        assert len(uids) == len(set(uids))
        tables = changed


def carried_out(tables: DatedTables, outcome: Outcome, number: int, now: float) -> DatedTables:
    if outcome.undone is not None:
        tables = tables.without("A", outcome.undone)
    if outcome.version is not None:
        tables = tables.with_version(outcome.version)
    elif outcome.undone is not None:
        return tables
    made = outcome.version.number if outcome.version else None
    return tables.with_applied(Applied(community="A", number=number, at=now, effects=outcome.effects, version=made))


def held_on(tables: DatedTables, day: date, touched: set[str]) -> list[object]:
    return [(s.uid, s.occurrence, s.cancelled) for s in tables.on(day) if s.uid not in touched]


def some_change(chance: random.Random, tables: DatedTables, now: float, number: int) -> Change:
    """Any change of anything, most of them plausible, many impossible."""
    register, table = community()
    every_day = days(register)
    standings = [s for day in every_day for s in tables.on(day) if s.occurrence.starts > now - 86400]
    one, other = chance.choice(standings), chance.choice(standings)
    day, period = chance.choice(every_day).isoformat(), chance.randint(1, 7)
    there = one.occurrence.day.date.isoformat()
    teachers = [id for party in one.occurrence.parties for id in party.teachers]
    cancelled = [s for s in standings if s.cancelled]
    lessons = [lesson.id for lesson in table.lessons]
    match chance.choice(["move", "move", "swap", "substitute", "cancel", "make_up", "weekly", "swap_weekly", "undo"]):
        case "swap":
            return Swap(occurrence=one.occurrence.id, other=other.occurrence.id)
        case "substitute" if teachers:
            instead = chance.choice([t.id for t in register.teachers])
            last = chance.choice([there, register.term.last_day])
            return Substitute(
                lesson=one.occurrence.lesson.id, absent=teachers[0], substitute=instead, first=there, last=last
            )
        case "cancel":
            return Cancel(occurrence=one.occurrence.id)
        case "make_up":
            return MakeUp(occurrence=chance.choice(cancelled or [one]).occurrence.id, date=day, period=period)
        case "weekly":
            return MoveWeekly(lesson=chance.choice(lessons), first=day, weekday=chance.randint(1, 5), period=period)
        case "swap_weekly":
            return SwapWeekly(lesson=chance.choice(lessons), other=chance.choice(lessons), first=day)
        case "undo":
            return Undo(amendment=chance.randint(1, number))
        case _:
            return Move(occurrence=one.occurrence.id, date=day, period=period)


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    codes = {*changes.CODES, *day_book.CODES}
    for language in LANGUAGES:
        assert [code for code in codes if f"finding.{code}" not in catalogue(language)] == []


@given(st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_every_reason_reads_as_a_whole_sentence(seed: int) -> None:
    """No value of a sentence is missing in any finding."""
    outcome = out(published(), some_change(random.Random(seed), published(), NOW, 1), now=NOW)
    for finding in outcome.findings:
        for language in LANGUAGES:
            assert "{" not in finding_sentence(finding, language)

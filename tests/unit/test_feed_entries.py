"""What amendments do to the events of calendar feeds: identity, titles, sequence, and nothing to the others."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.dated_days import TERM, community, days, version
from tests.unit.test_amendments import carried_out, out, published, some_change
from tests.unit.test_dated import a_move, first_of
from timetable.days.changes import Cancel, Change, MakeUp, Substitute
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.export.feed_entries import Entry, entries
from timetable.export.feeds import Names, change_title, event, picks
from timetable.term import moment

NOW = moment(date(2026, 9, 2), "07:00")
SHARED = "A-r14"
NAMES = Names(unit=str, school_class=str, teacher=str, room=str, link=str)


def applied(tables: DatedTables, change: Change, number: int = 1, at: float = NOW) -> Applied:
    outcome = out(tables, change, number=number, now=at)
    assert outcome.possible
    return Applied(community="A", number=number, at=at, effects=outcome.effects)


def feed(kind: str, target: str, *amendments: Applied) -> dict[str, Entry]:
    found = entries(TERM, [version(community()[1])], picks(kind, target), amendments)  # type: ignore[arg-type]
    assert len({entry.uid for entry in found}) == len(found)
    return {entry.uid: entry for entry in found}


def test_moved_event_keeps_its_identity_and_the_others_their_bytes() -> None:
    tables = published()
    standing = first_of(tables, SHARED)
    move = applied(tables, a_move(tables, standing))
    before, after = feed("community", "A"), feed("community", "A", move)
    moved = after[standing.uid]
    assert (moved.sequence, moved.modified, change_title(moved)) == (1, NOW, "【调课】")
    assert moved.was.startswith(f"{standing.occurrence.day.date.month}月{standing.occurrence.day.date.day}日")
    others = before.keys() - {standing.uid}
    assert {uid: event(after[uid], NAMES) for uid in others} == {uid: event(before[uid], NAMES) for uid in others}


def test_move_taken_back_leaves_the_table_s_slot_and_a_higher_sequence() -> None:
    tables = published()
    standing = first_of(tables, SHARED)
    move = structs.replace(applied(tables, a_move(tables, standing)), undone_at=NOW + 60)
    back = feed("community", "A", move)[standing.uid]
    assert (back.occurrence, back.sequence, back.modified, change_title(back)) == (
        standing.occurrence,
        2,
        NOW + 60,
        "",
    )


def test_cancelled_event_stays_struck_out_and_the_make_up_stands_beside_it() -> None:
    tables = published()
    standing = first_of(tables, SHARED)
    place = a_move(tables, standing)
    cancel = applied(tables, Cancel(occurrence=standing.occurrence.id))
    without = tables.with_applied(cancel)
    made_up = applied(without, MakeUp(occurrence=standing.occurrence.id, date=place.date, period=place.period), 2)
    found = feed("class", standing.occurrence.parties[0].classes[0], cancel, made_up)
    assert (found[standing.uid].cancelled, change_title(found[standing.uid])) == (True, "【停课】")
    extra = found[f"{standing.uid}.x2"]
    assert (extra.cancelled, extra.sequence, change_title(extra)) == (False, 0, "【补课】")


def test_substitution_moves_the_event_from_one_teacher_s_feed_to_the_other_s() -> None:
    tables = published()
    register, _ = community()
    standing = first_of(tables, SHARED)
    absent = standing.occurrence.lesson.host.teachers[0]
    (instead,) = (t.id for t in register.teachers if "科学" in t.subjects and t.id != absent)
    day = standing.occurrence.day.date.isoformat()
    lesson = standing.occurrence.lesson.id
    change = applied(tables, Substitute(lesson=lesson, absent=absent, substitute=instead, first=day, last=day))
    gone, new = feed("teacher", absent, change)[standing.uid], feed("teacher", instead, change)[standing.uid]
    assert (gone.cancelled, gone.sequence, change_title(gone)) == (True, 1, "【代课】")
    assert (new.cancelled, change_title(new)) == (False, "【代课】")
    in_class = feed("class", standing.occurrence.parties[0].classes[0], change)[standing.uid]
    assert (in_class.cancelled, in_class.sequence, change_title(in_class)) == (False, 1, "【代课】")
    text = event(in_class, NAMES).replace(b"\r\n ", b"").decode()
    assert f"代课：{instead}（原任：{absent}）" in text


@given(st.integers(0, 2**31), st.integers(1, 12))
@settings(max_examples=15, deadline=None)
def test_feeds_show_what_takes_place_after_any_sequence_of_changes(seed: int, steps: int) -> None:
    register, table = community()
    chance = random.Random(seed)
    tables, now = published(), NOW
    versions = [version(table)]
    amendments: dict[int, Applied] = {}
    for number in range(1, steps + 1):
        now += chance.choice([60, 600, 20 * 3600])
        outcome = out(tables, some_change(chance, tables, now, number), number=number, now=now)
        if not outcome.possible:
            continue
        tables = carried_out(tables, outcome, number, now)
        if outcome.version is not None:  # also where a lasting change is taken back
            versions.append(outcome.version)
        elif outcome.undone is not None:
            amendments[outcome.undone] = structs.replace(amendments[outcome.undone], undone_at=now)
        else:
            amendments[number] = Applied(community="A", number=number, at=now, effects=outcome.effects)
    targets = [("teacher", teacher.id) for teacher in register.teachers]
    targets += [("class", one.id) for one in register.classes]
    for kind, target in targets:
        wanted = picks(kind, target)  # type: ignore[arg-type]
        found = entries(TERM, versions, wanted, list(amendments.values()))
        shown = {(entry.uid, entry.occurrence) for entry in found if not entry.cancelled}
        held = {
            (standing.uid, standing.occurrence)
            for day in days(register)
            for standing in tables.on(day)
            if not standing.cancelled and wanted(standing.occurrence.lesson)
        }
        assert shown == held

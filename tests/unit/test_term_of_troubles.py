"""One term with everything at once, in any order: closings, changes that last or not, make-ups and new bells."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.dated_days import TERM, broken_on, community, days, version
from tests.unit.test_amendments import NOW, carried_out, held_on, some_change
from tests.unit.test_closings import some_closing
from tests.unit.test_new_bells import days_rung, ringing
from timetable.checker import check
from timetable.days import make_ups
from timetable.days.changes import Change, MakeUp
from timetable.days.dated import DatedTables
from timetable.days.grounds import Grounds
from timetable.days.outcomes import work_out
from timetable.model import Register, minutes
from timetable.term import local_date


class Course:
    """A published table, what is done to it, and the bells of every date; each step is checked against the last."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.register, table = community()
        self.every = days(self.register)
        self.tables = DatedTables(TERM, [[version(table)]])
        self.now = NOW
        self.number = 0
        self.rang: list[tuple[date, Register]] = [(self.every[0], self.register)]

    def step(self) -> None:
        self.now += self.chance.choice([60, 600, 20 * 3600])
        self.number += 100
        before = self.tables
        match self.chance.choice(["close", "reopen", "make_up", "bells", "change", "change", "change"]):
            case "close":
                closing = some_closing(self.chance, self.number, self.now)
                self.tables = before.with_closings((*before.closings.all, closing))
                touched = {s.uid for day in closing.days for s in self.tables.on(day)}
            case "reopen" if before.closings.all:
                one = self.chance.choice(before.closings.all)
                touched = {s.uid for day in one.days for s in before.on(day)}
                opened = structs.replace(one, reopened_at=one.reopened_at or self.now)
                self.tables = before.with_closings(opened if c.id == one.id else c for c in before.closings.all)
            case "make_up" if before.closings.all:
                touched = self._make_ups()
            case "bells":
                self._ring()
                return
            case _:
                touched = self._do(some_change(self.chance, before, self.now, self.number), self.number) or set()
        for day in self.every:
            assert held_on(self.tables, day, touched) == held_on(before, day, touched)

    def valid(self) -> None:
        """Every date, by the bells that ring on it, and every version that is to come, by the newest."""
        for day in self.every:
            register = max((one for one in self.rang if one[0] <= day), key=lambda one: one[0])[1]
            assert broken_on(register, day, self.tables.on(day)) == []
        newest = self.tables.newest("A")
        assert newest is not None
        assert check(self.register, newest.table) == []

    def _do(self, change: Change, number: int) -> set[str] | None:
        """Carry it out where it is possible; whose standings it touches."""
        grounds = Grounds(self.register)
        outcome = work_out(change, community="A", number=number, grounds=grounds, tables=self.tables, now=self.now)
        if not outcome.possible:
            return None
        self.tables = carried_out(self.tables, outcome, number, self.now)
        return {one.uid for pair in outcome.touched for one in (pair.before, pair.after) if one is not None}

    def _make_ups(self) -> set[str]:
        """Some of a plan's first choices, which must hold together."""
        closing, touched = self.chance.choice(self.tables.closings.all), set()
        plan = make_ups.plan(Grounds(self.register), self.tables, closing, "A", self.now)
        for index, lost in enumerate(one for one in plan.lost if one.choices and self.chance.random() < 0.7):
            best = lost.choices[0]
            change = MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period)
            done = self._do(change, self.number + index)
            assert done is not None
            touched |= done
        return touched

    def _ring(self) -> None:
        """All schools ring a little earlier or later from tomorrow on: every lesson stays in its periods."""
        tomorrow = local_date(self.now) + timedelta(days=1)
        everywhere = {unit.id for unit in self.register.units}
        by = self.chance.choice([-5, 5])
        if (minutes_moved(self.rang, self.register) + by) not in (-5, 0, 5):
            by = -by
        self.register = ringing(self.register, dict.fromkeys(everywhere, by))
        before = self.tables
        self.tables, _ = days_rung(self.register, before, everywhere, self.now)
        self.rang = [one for one in self.rang if one[0] < tomorrow] + [(tomorrow, self.register)]
        for day in self.every:
            # what has been brought forward from a date to come keeps the clock that it had
            places = [_places(there, day, clock=day < tomorrow) for there in (before, self.tables)]
            assert places[0] == places[1]


def _places(tables: DatedTables, day: date, *, clock: bool) -> list[object]:
    """What stands on a date, with its clock or without."""
    return [
        (
            standing.uid,
            standing.cancelled,
            standing.starts if clock else None,
            [
                (party.unit, party.period, party.room, party.teachers, (party.start, party.end) if clock else None)
                for party in standing.occurrence.parties
            ],
        )
        for standing in sorted(tables.on(day), key=lambda standing: standing.uid)
    ]


def minutes_moved(rang: list[tuple[date, Register]], register: Register) -> int:
    """How much later than at the term's beginning the first bell rings."""
    first, now = (minutes(one.units[0].bells[0].periods[0].start) for one in (rang[0][1], register))
    return now - first


@given(st.integers(0, 2**31), st.integers(3, 14))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_sequence_of_troubles_keeps_every_date_valid_and_the_rest_where_it_was(seed: int, steps: int) -> None:
    course = Course(seed)
    for _ in range(steps):
        course.step()
        course.valid()

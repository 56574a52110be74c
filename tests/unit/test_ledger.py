"""The ledger counts who gave way: at unwelcome times, for objections, by agreeing to changes."""

from __future__ import annotations

from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from timetable.agreement import negotiation as talks
from timetable.agreement.amendments import Amendment
from timetable.agreement.consent import Consent
from timetable.agreement.ledger import ledger, met
from timetable.days.changes import Cancel
from timetable.days.versions import Diff, Version, Yielded
from timetable.model import BusyTime, Community, Leftover, Lesson, Party, Register, Slot, Table, Weeks
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)


def register() -> Register:
    builder = CommunityBuilder()
    core = builder.unit(STARTS, remote_rooms=2)
    east, west = builder.unit([start + 5 for start in STARTS]), builder.unit(STARTS)
    for member in (east, west):
        parties = [
            Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),))
            for unit in (core, member)
        ]
        builder.require("sync", "语文", 1, *parties, locked=(Slot(weekday=1, period=3 if member == east else 4),))
    wish = BusyTime(weekday=1, start="08:00", end="18:00")
    builder.units[1] = structs.replace(builder.units[1], wishes=(wish,))
    return builder.register()


HERE = register()
OUTCOME = solve(HERE, "A", seconds=10, workers=1)
assert OUTCOME.table is not None
TABLE = OUTCOME.table
COMMUNITY: Community = HERE.communities[0]


def lesson(member: str) -> Lesson:
    return next(one for one in TABLE.lessons if one.parties[1].unit == member)


def amendment(**changed: object) -> Amendment:
    plain = Amendment(
        community="A",
        number=1,
        revision=1,
        change=Cancel(occurrence="x"),
        reason="",
        unit="A1",
        by="东",
        at=0.0,
        mode="collaborative",
        core="A0",
        affected=("A0", "A1"),
        earliest=0.0,
        deadline=0.0,
        consents=(Consent(unit="A0", answer="agreed", by="核心", at=0.0),),
        applied_at=1.0,
    )
    return structs.replace(plain, **changed)


def test_lessons_at_unwelcome_times_and_minutes_left_over_are_counted() -> None:
    core, east, west = ledger(HERE, COMMUNITY, TABLE.lessons, (), (), "2026-09-01")
    assert (core.shared, east.shared, west.shared) == (2, 1, 1)
    assert (core.unwelcome, east.unwelcome, west.unwelcome) == (0, 1, 0)
    assert (core.leftover_minutes, east.leftover_minutes, west.leftover_minutes) == (5, 5, 0)
    assert isinstance(lesson("A1").parties[0].leftover[0], Leftover)
    assert east.gave_way == 1


def test_minutes_left_over_count_by_the_weeks_in_which_they_come() -> None:
    term = structs.replace(HERE.term, first_day="2026-08-31", last_day="2026-12-18", week_one="2026-08-31")
    sixteen_weeks = structs.replace(HERE, term=term)

    def left_over(weeks: Weeks, only_weeks: tuple[int, ...] = ()) -> int:
        lessons = [structs.replace(one, weeks=weeks, only_weeks=only_weeks) for one in TABLE.lessons]
        return ledger(sixteen_weeks, COMMUNITY, lessons, (), (), "2026-09-01")[1].leftover_minutes

    assert left_over("all") == 5
    assert left_over("odd") == 3
    assert left_over("all", (2, 6, 10, 14)) == 2
    assert left_over("odd", (3, 7, 8)) == 1
    assert left_over("all", (29,)) == 0


def test_an_objection_counts_once_the_lesson_stands_where_it_asked() -> None:
    stands = lesson("A2")
    elsewhere = Slot(weekday=4, period=2)
    raised = talks.Raised(unit="A2", lesson=stands.id, stood=elsewhere, counter=Slot(weekday=1, period=4))
    yielded = met([raised, raised], TABLE)
    assert yielded == (Yielded(lesson=stands.id, to="A2", by=("A0",)),)
    assert met([structs.replace(raised, counter=Slot(weekday=2, period=4))], TABLE) == ()
    assert met([structs.replace(raised, counter=None)], TABLE) == yielded
    still = Slot(weekday=stands.weekday, period=stands.host.period)
    assert met([structs.replace(raised, counter=None, stood=still)], TABLE) == ()
    version = Version(community="A", number=1, author="a", at=0.0, table=TABLE, diff=Diff(), yielded=yielded)
    core, east, west = ledger(HERE, COMMUNITY, TABLE.lessons, (version,), (), "2026-09-01")
    assert [(row.yielded, row.met) for row in (core, east, west)] == [(1, 0), (0, 0), (0, 1)]


def test_who_agreed_to_a_change_of_others_gave_way_and_an_undone_one_does_not_count() -> None:
    found = ledger(HERE, COMMUNITY, TABLE.lessons, (), (amendment(), amendment(undone_at=2.0)), "2026-09-01")
    assert [(row.agreed, row.granted) for row in found] == [(1, 0), (0, 1), (0, 0)]
    own = amendment(affected=("A1",))
    assert [row.granted for row in ledger(HERE, COMMUNITY, TABLE.lessons, (), (own,), "2026-09-01")] == [0, 0, 0]


def test_objections_of_a_round_are_remembered_until_it_is_published() -> None:
    stands = lesson("A1")
    draft = talks.propose(talks.begin(COMMUNITY, 1, COMMUNITY.units), unit="A0", by="核心", now=0.0)
    objected = talks.object_to(draft, unit="A1", by="东", now=1.0, reason="与升旗冲突", lesson=stands.id)
    raised = talks.remembered(objected, TABLE)
    stood = Slot(weekday=stands.weekday, period=stands.host.period)
    assert raised == (talks.Raised(unit="A1", lesson=stands.id, stood=stood, counter=None),)
    again = structs.replace(talks.rebuilt(objected, COMMUNITY, COMMUNITY.units, ()), raised=raised)
    assert talks.remembered(again, Table(community="A", term="t", lessons=())) == raised
    assert talks.remembered(structs.replace(again, state=talks.State.PUBLISHED), TABLE) == ()

"""A week on its dates, as the page is shown it, by the bells of the dates and the turns of the week."""

from __future__ import annotations

from datetime import date, timedelta

from server.closing_view import week_view
from server.county import County
from tests.community_builder import CommunityBuilder, bell_times
from timetable.days.dated import DatedTables
from timetable.days.grounds import Grounds
from timetable.days.versions import Diff, Version
from timetable.model import Party
from timetable.solving.solver import solve


def test_a_week_shows_whose_turn_it_is_and_the_clock_of_its_dates() -> None:
    builder = CommunityBuilder()
    starts = bell_times(480, 20, 840)
    units = [builder.unit(starts), builder.unit(starts)]
    for unit in units:
        builder.rings_anew(unit, "2026-11-02", [start + 10 for start in starts])
    parties = [
        Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),)) for unit in units
    ]
    builder.require("sync", "语文", 1, *parties, rotation=tuple(units))
    register = builder.register()
    outcome = solve(register, "A", seconds=10, workers=1)
    assert outcome.table is not None
    [lesson] = outcome.table.lessons
    version = Version(community="A", number=1, author="a", at=0.0, table=outcome.table, diff=Diff())
    county, tables = County(register), DatedTables(register.term, [[version]])
    for week in (8, 9, 10, 11):
        view = week_view(county, register.communities[0], Grounds(register), tables, version, week)
        # whoever reads the version knows the bells and the turns: nothing has changed
        assert view.changed == ()
        assert [id for day in view.days for id in day.standing] == [lesson.id]
    [dated] = tables.on(date(2026, 11, 2) + timedelta(days=lesson.weekday - 1))
    assert dated.occurrence.lesson.start == lesson.later[0].start
    assert dated.occurrence.lesson.host.unit == units[1]

"""What pages are shown of changes after publication, of the days that result, and of a cover plan."""

from server.consent_view import consent_row
from server.county import County
from server.shapes.amendment import AmendmentCheck, AmendmentView, CoverView, OccurrenceRow
from server.shapes.table import NameRef
from timetable.agreement import amendments as talks
from timetable.agreement.amendment_policy import asked_beside
from timetable.agreement.amendments import Amendment
from timetable.days.cover import CoverPlan
from timetable.days.grounds import Grounds
from timetable.days.scene import Outcome, lines_of
from timetable.days.standing import Standing
from timetable.model import Community, Finding


def amendment_view(
    amendment: Amendment, unit: str | None, now: float, clashes: tuple[Finding, ...] = ()
) -> AmendmentView:
    """`unit` is the one that the asker speaks for; `clashes` came up after it was applied."""
    return AmendmentView(
        community=amendment.community,
        number=amendment.number,
        revision=amendment.revision,
        change=amendment.change,
        reason=amendment.reason,
        unit=amendment.unit,
        by=amendment.by,
        at=amendment.at,
        state=amendment.state.value,
        cause=amendment.cause,
        findings=(*amendment.findings, *clashes),
        lines=amendment.lines,
        affected=amendment.affected,
        consents=tuple(consent_row(asked, amendment.answer(asked)) for asked in talks.asked_units(amendment)),
        earliest=amendment.earliest,
        deadline=amendment.deadline,
        may=talks.possible(amendment, unit, now) if unit is not None else (),  # type: ignore[arg-type]
        version=amendment.version,
        applied_at=amendment.applied_at,
        undone_by=amendment.undone_by,
    )


def amendment_check(grounds: Grounds, community: Community, outcome: Outcome, unit: str) -> AmendmentCheck:
    """What `unit` would bring about, and whom it would have to ask."""
    return AmendmentCheck(
        possible=outcome.possible,
        findings=outcome.findings,
        lines=lines_of(grounds, outcome),
        affected=outcome.affected,
        asked=asked_beside(community, unit, outcome.affected),
    )


def occurrence_row(grounds: Grounds, standing: Standing) -> OccurrenceRow:
    occurrence, planned = standing.occurrence, standing.planned
    lesson = occurrence.lesson
    return OccurrenceRow(
        occurrence=occurrence.id,
        community=standing.community,
        lesson=lesson.id,
        title=grounds.title(lesson),
        subject=lesson.subject,
        kind=lesson.kind,
        date=occurrence.day.date.isoformat(),
        weekday=occurrence.day.date.isoweekday(),
        week=occurrence.day.week,
        start=lesson.start,
        end=lesson.end,
        starts=occurrence.starts,
        parties=occurrence.parties,
        change=standing.change,
        planned_date=planned.day.date.isoformat() if planned else None,
        planned_start=planned.lesson.start if planned else None,
        provisional=occurrence.day.provisional,
        reason=standing.closing.reason if standing.closing else "",
    )


def cover_view(county: County, plan: CoverPlan) -> CoverView:
    named = {plan.teacher, *(candidate.teacher for need in plan.needs for candidate in need.candidates)}
    teachers = [county.teacher(id) for id in sorted(named)]
    return CoverView(
        teacher=plan.teacher,
        first=plan.first,
        last=plan.last,
        needs=plan.needs,
        teachers=tuple(NameRef(id=one.id, name=one.name, unit=one.posts[0]) for one in teachers),
    )

"""A community's day: what waits for the person, the shared lessons on the clock, what is live, the year's quotas."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from server.auth.policy import PERMISSIONS, speaks_for
from server.auth.principal import Principal
from server.county import County, reference
from server.free_space import LEAST_BYTES
from server.shapes.review import ReviewRow
from server.shapes.table import BuildView, LiveNow, Need, NeedCode, PairQuota, TodayLesson, TodayParty, TodayView
from server.table_view import term_reference, unit_reference
from signaling.wire import SessionState
from timetable.agreement import amendments as changes
from timetable.agreement import negotiation as talks
from timetable.agreement.amendments import Amendment
from timetable.agreement.service import Draft
from timetable.days.dated import DatedTables
from timetable.days.standing import Standing
from timetable.model import SHARED_KINDS, Community, Lesson
from timetable.term import local_date

SYNC_QUOTA = 20
"""Sync lessons a year for each pair of core and member: the quota that one real county published in 2021."""


CLOSINGS_AHEAD = 14
"""Days for which closed schools are told of in advance."""


class KnownSession(Struct, frozen=True, kw_only=True):
    """What the day needs to know of a live session."""

    id: str
    occurrence: str
    state: SessionState


def lesson_title(county: County, lesson: Lesson) -> str:
    """Subject and classes, with the topic where one is known: 科学 五(2)班 · 光的反射."""
    classes = next((party.classes for party in lesson.parties if party.classes), ())
    names = "、".join(county.school_class(id).name for id in classes)
    title = f"{lesson.subject} {names}".strip()
    return f"{title} · {lesson.topic}" if lesson.topic else title


def today_view(
    county: County,
    community: Community,
    *,
    tables: DatedTables,
    draft: Draft | None,
    amendments: Sequence[Amendment],
    sessions: Mapping[str, KnownSession],
    live: Sequence[LiveNow],
    reviews: Sequence[ReviewRow],
    held: Mapping[str, Sequence[str]],
    asker: Principal,
    today: date,
    now: float,
    interrupted: BuildView | None = None,
    disk_low: int | None = None,
) -> TodayView:
    """`tables` are those in force, `amendments` those of the community, `sessions` by occurrence; `held` are the
    subjects of this year's sync lessons, by member unit; `interrupted`: the build whose table waits to be taken up;
    `disk_low`: free bytes of the server's disk where they are few."""
    shared = [
        standing
        for standing in tables.on(today)
        if standing.community == community.id and standing.occurrence.lesson.kind in SHARED_KINDS
    ]
    return TodayView(
        community=reference(community),
        term=term_reference(county, today),
        weekday=today.isoweekday(),
        date=today.isoformat(),
        units=tuple(
            unit_reference(unit, community, county.register.term, today) for unit in county.units_of(community)
        ),
        needs=(
            *_closed(county, community, tables, asker, today),
            *_filling(asker, disk_low),
            *_interrupted(community, asker, interrupted),
            *_needs(county, community, draft, amendments, live, reviews, asker, now),
        ),
        lessons=tuple(_row(county, standing, sessions.get(standing.occurrence.id)) for standing in shared),
        live=tuple(live),
        quotas=_quotas(county, community, tables, held, today),
        reviews_open=sum(review.state != "closed" for review in reviews),
        reviews_closed=sum(review.state == "closed" for review in reviews),
    )


def _row(county: County, standing: Standing, session: KnownSession | None) -> TodayLesson:
    occurrence, lesson = standing.occurrence, standing.occurrence.lesson
    return TodayLesson(
        occurrence=occurrence.id,
        lesson=lesson.id,
        title=lesson_title(county, lesson),
        subject=lesson.subject,
        kind=lesson.kind,
        start=lesson.start,
        end=lesson.end,
        parties=tuple(TodayParty(unit=p.unit, start=p.start, end=p.end) for p in occurrence.parties),
        session=session.id if session else None,
        state=session.state if session else "scheduled",
        host=lesson.host.unit,
        provisional=occurrence.day.provisional,
        change=standing.change,
    )


def _needs(
    county: County,
    community: Community,
    draft: Draft | None,
    amendments: Sequence[Amendment],
    live: Sequence[LiveNow],
    reviews: Sequence[ReviewRow],
    asker: Principal,
    now: float,
) -> tuple[Need, ...]:
    """Most urgent first: a live lesson with a room in trouble, changes that wait for an answer, the table's talks, then
    the reviews."""
    found: list[Need] = []
    for session in live:
        for room in session.rooms:
            if room.state in ("reconnecting", "offline"):
                values: dict[str, str | int] = {"unit": room.unit_name, "title": session.title}
                found.append(_need("lesson_live", values, f"/classroom/{session.session}", "bad"))
    page = f"/timetable?community={community.id}"
    found += _asked(county, community, amendments, asker, f"{page}&tab=nego", now)
    if draft is None:
        may = speaks_for(asker, community.core, community.units, community.id) == community.core
        found.append(_need("table_missing", {"community": community.name}, f"{page}&tab=build" if may else "", "warn"))
    elif draft.negotiation.state in (talks.State.PROPOSED, talks.State.AGREED):
        found += _talks(county, community, draft.negotiation, asker, f"{page}&tab=nego", now)
    for review in reviews:
        if review.state != "closed" and asker.unit in review.missing:
            code: Literal["review_overdue", "review_open"] = "review_overdue" if review.overdue else "review_open"
            found.append(
                _need(code, {"title": review.title}, f"/review/{review.id}", "warn" if review.overdue else "info")
            )
    return tuple(found)


def _closed(county: County, community: Community, tables: DatedTables, asker: Principal, today: date) -> Iterable[Need]:
    """Schools of the community that are shut today or soon: everybody must know."""
    may = any(grant.role in PERMISSIONS["close_schools"] for grant in asker.grants)
    until = today + timedelta(days=CLOSINGS_AHEAD)
    for closing in tables.closings.all:
        here = [unit for unit in community.units if unit in closing.units]
        if closing.reopened_at is not None or not here or closing.last < today.isoformat():
            continue
        if closing.first > until.isoformat():
            continue
        values: dict[str, str | int] = {
            "reason": closing.reason,
            "first": closing.first,
            "last": closing.last,
            "units": "、".join(county.unit_short(unit) for unit in here),
        }
        link = "/year" if may else f"/timetable?community={community.id}"
        yield _need("schools_closed", values, link, "bad" if closing.first <= today.isoformat() else "warn")


def _interrupted(community: Community, asker: Principal, build: BuildView | None) -> Iterable[Need]:
    """Only who may build can do something about it."""
    if build is not None and speaks_for(asker, community.core, community.units, community.id) == community.core:
        page = f"/timetable?community={community.id}&tab=build"
        values: dict[str, str | int] = {"community": community.name}
        if build.cost is not None and build.kept_until is not None:
            values |= {"cost": build.cost, "date": local_date(build.kept_until).isoformat()}
        yield _need("build_interrupted", values, page, "warn")


def _filling(asker: Principal, free: int | None) -> Iterable[Need]:
    """Who answers for the server's machine hears of it; nobody else can do anything about it."""
    if free is not None and any(grant.role == "bureau_admin" for grant in asker.grants):
        severity: Literal["bad", "warn"] = "bad" if free < LEAST_BYTES else "warn"
        yield _need("disk_filling", {"gb": f"{free / 1024**3:.1f}"}, "", severity)


def _asked(
    county: County, community: Community, amendments: Sequence[Amendment], asker: Principal, page: str, now: float
) -> Iterable[Need]:
    """Changes after publication that wait for the asker's unit; one of the same day is urgent."""
    unit = speaks_for(asker, community.core, community.units, community.id)
    for amendment in amendments:
        if unit is not None and "agree" in changes.possible(amendment, unit, now):
            line = amendment.lines[0] if amendment.lines else None
            stand = (line.before or line.after) if line else None
            values: dict[str, str | int] = {
                "unit": county.unit_name(amendment.unit),
                "title": line.title if line else "",
                "date": stand.date if stand else "",
                "start": stand.start if stand else "",
            }
            same_day = local_date(amendment.earliest) == local_date(now)
            yield _need("amendment_asked", values, page, "bad" if same_day else "warn")


def _talks(
    county: County, community: Community, standing: talks.Negotiation, asker: Principal, page: str, now: float
) -> Iterable[Need]:
    for objection in standing.objections:
        yield _need("objection", {"unit": county.unit_name(objection.unit), "reason": objection.reason}, page, "bad")
    unit = speaks_for(asker, community.core, community.units, community.id)
    silent = [other for other in standing.silent if other == unit or unit == community.core]
    for other in silent:
        values: dict[str, str | int] = {"unit": county.unit_name(other), "draft": standing.draft}
        if standing.deadline is not None:
            values["days"] = max(0, int((standing.deadline - now) // 86400))
        yield _need("consent_missing", values, page, "warn" if other == unit else "info")


def _need(
    code: NeedCode,
    values: dict[str, str | int],
    link: str,
    severity: Literal["bad", "warn", "info"],
) -> Need:
    return Need(code=code, values=values, link=link, severity=severity)


def _quotas(
    county: County, community: Community, tables: DatedTables, held: Mapping[str, Sequence[str]], today: date
) -> tuple[PairQuota, ...]:
    """Planned counts the lessons of the term up to today, so that it can be set against those held."""
    sync = tables.only(
        {
            lesson.id
            for version in tables.versions(community.id)
            for lesson in version.table.lessons
            if lesson.kind == "sync"
        }
    )
    planned: dict[str, int] = defaultdict(int)
    term = county.register.term
    day = date.fromisoformat(term.first_day)
    while day <= today and day.isoformat() <= term.last_day:
        for occurrence in sync.occurrences_on(day):
            for party in occurrence.parties:
                planned[party.unit] += 1
        day += timedelta(days=1)
    return tuple(
        PairQuota(
            unit=unit,
            held=len(held.get(unit, ())),
            planned=planned[unit],
            quota=SYNC_QUOTA,
            subjects=len(set(held.get(unit, ()))),
        )
        for unit in community.members
    )

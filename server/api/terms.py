"""Terms: those that there were, and the turn to the next one with its classes."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, timedelta

from aiohttp import web

from server.auth.middleware import principal
from server.auth.policy import allowed, permit
from server.county import County
from server.keys import counties_key, importing_key, registers_key
from server.shapes.terms import LeavingClasses, NewRollover, RolloverView, TermRow, TermsView
from server.web import body, reply
from timetable.errors import StaleVersion, TimetableError
from timetable.model import Finding, Register, Term
from timetable.term import local_date
from timetable.years.next_classes import GRADES
from timetable.years.rollover import Next, Rollover, roll_over

AUTUMN_FROM = 7
"""Terms that begin in this month or later are the first of their school year."""
BODY_LIMIT = 512 * 1024

routes = web.RouteTableDef()


class RolloverRefused(TimetableError):
    """The next term cannot be made like this; the findings say why."""

    code = "rollover_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{len(findings)} obstacle(s)")
        self.findings = tuple(findings)


@routes.get("/api/terms")
async def show(request: web.Request) -> web.Response:
    asker = principal(request)
    permit(asker, "plan_terms")
    county = await request.app[counties_key].now()
    known = await request.app[registers_key].terms()
    view = TermsView(
        terms=tuple(
            TermRow(id=one.id, name=one.name, first_day=one.first_day, last_day=one.last_day) for one, _ in known
        ),
        register_version=await request.app[registers_key].version(),
        proposed=_proposed(county.register.term),
        leaving=tuple(_leaving(county)),
        may_turn=allowed(asker, "turn_terms"),
    )
    return reply(request, view)


@routes.post("/api/rollover")
async def turn(request: web.Request) -> web.Response:
    """`?check=1` only looks."""
    asker = principal(request)
    looking = bool(request.query.get("check"))
    permit(asker, "plan_terms" if looking else "turn_terms")
    wanted = await body(request, NewRollover, BODY_LIMIT)
    registers, importing = request.app[registers_key], request.app[importing_key]
    version = await registers.version()
    if version != wanted.register_version:
        raise StaleVersion(wanted.register_version, version)
    known = [one.id for one, _ in await registers.terms()]
    register = (await request.app[counties_key].now()).register
    today = local_date(time.time())
    found = await asyncio.to_thread(roll_over, register, wanted.plan, today=today, known=known)
    if looking:
        # what the register's own check has against it belongs to the preview
        faults = (await importing.edit(lambda _: found.register, asker.name, keep=False)).findings
        return reply(request, _view(found, faults, version, taken=False))
    if not found.possible:
        raise RolloverRefused([finding for finding in found.findings if finding.severity == "error"])

    def change(standing: Register) -> Register:
        if standing is not register:
            raise StaleVersion(version, version + 1)
        return found.register

    report = await importing.edit(change, asker.name)
    return reply(request, _view(found, report.findings, report.version or version, taken=True), 201)


def _view(found: Next, faults: Sequence[Finding], version: int, *, taken: bool) -> RolloverView:
    findings = (*found.findings, *faults)
    return RolloverView(
        taken=taken,
        possible=all(finding.severity != "error" for finding in findings),
        register_version=version,
        findings=tuple(sorted(findings, key=lambda finding: finding.severity == "warning")),
        classes=found.classes,
        teachers=found.teachers,
        requirements=found.requirements,
    )


def _leaving(county: County) -> list[LeavingClasses]:
    found = []
    for unit in county.register.units:
        last = GRADES[unit.stage][1]
        leaving = sorted((c.number, c.pupils) for c in county.register.classes if c.unit == unit.id and c.grade == last)
        community = county.community_of(unit.id)
        found.append(
            LeavingClasses(
                unit=unit.id,
                unit_name=unit.name,
                community=community.id if community else "",
                pupils=tuple(pupils for _, pupils in leaving),
            )
        )
    return found


def _proposed(term: Term) -> Rollover:
    """The usual dates of the term that follows: the second from March, the first from September."""
    first = date.fromisoformat(term.first_day)
    if first.month >= AUTUMN_FROM:
        begins, ends = date(first.year + 1, 3, 1), date(first.year + 1, 7, 9)
        id, year, half = f"{first.year + 1}-spring", first.year, "二"
    else:
        begins, ends = date(first.year, 9, 1), date(first.year + 1, 1, 14)
        id, year, half = f"{first.year}-autumn", first.year, "一"
    following = Term(
        id=id,
        name=f"{year}—{year + 1}学年第{half}学期",
        first_day=begins.isoformat(),
        last_day=ends.isoformat(),
        week_one=(begins - timedelta(days=begins.weekday())).isoformat(),
        provisional_from=begins.isoformat(),
    )
    return Rollover(term=following, promote=half == "一")

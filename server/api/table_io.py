"""Tables out of the server and into it: exports for walls, desks and calendars; a school's own table; calendars."""

import asyncio
import time
from collections.abc import Sequence
from typing import Literal, get_args
from urllib.parse import quote

from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import permit, sees_table
from server.auth.principal import Principal
from server.county import County
from server.keys import amendments_key, counties_key, importing_key, site_key, timetable_key
from server.sentences import LANGUAGES, words_in
from server.shapes.table_io import CalendarView, ExportView, OwnTableView, TakenTime
from server.uploads import takes_place, uploaded_files
from server.web import choice, reply
from timetable.commitments import commitments_of
from timetable.days.versions import Version
from timetable.errors import InputRefused, NotFound
from timetable.export.feed_entries import entries
from timetable.export.paper import Fit, PaperName, Printing
from timetable.export.table_export import Audience, Events, Form, TableExport, Taken
from timetable.model import Community, Finding, Register, Table
from timetable.own.ics import CalendarImport, Proposal, read_calendar, with_calendar
from timetable.own.lessons import Into, OwnImport, take_own_table
from timetable.term import local_date

routes = web.RouteTableDef()

STILL = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy of a page that is only drawn: it runs nothing and fetches nothing."""


@routes.get("/api/communities/{community}/export")
async def export(request: web.Request) -> web.Response:
    """`?form=` and `?for=` say what for whom, `?id=` for one of them, `?version=` which, `?fit=` and `?paper=` how
    a wall comes onto paper; a file to save, or a page to print. `?report=1` says instead what it takes and loses."""
    asker = principal(request)
    county = await request.app[counties_key].now()
    community = county.community(request.match_info["community"])
    if not sees_table(asker, community):
        raise NotPermitted("view_table")
    form: Form = choice(request, "form", get_args(Form))
    audience: Audience = choice(request, "for", get_args(Audience), "community")
    words = words_in(choice(request, "lang", LANGUAGES, LANGUAGES[0]))
    shown, table = await _table(request, community)
    if shown is None:
        state = words("export.draft")
    else:
        state = words("export.published", number=shown.number, date=local_date(shown.at).isoformat())
    standing = await request.app[timetable_key].published()
    others = [version.table for version in standing if version.community != community.id]
    taking = TableExport(
        county.register,
        community,
        table,
        words=words,
        state=state,
        events=await _events(request, county, community) if shown is not None else None,
        link=lambda lesson: f"{request.app[site_key].public_url}/lessons?lesson={quote(lesson)}",
        commitments=commitments_of(county.register, others),
        on=local_date(time.time()).isoformat(),
        printing=_printing(request),
    )
    taken = await asyncio.to_thread(taking.take, form, audience, request.query.get("id", ""))
    if request.query.get("report") == "1":
        view = ExportView(
            name=taken.name,
            bytes=len(taken.content),
            findings=taken.findings,
            sheets=taken.sheets,
            smallest=taken.smallest,
        )
        return reply(request, view)
    return _file(taken, shown=form == "print")


def _printing(request: web.Request) -> Printing:
    fit: Fit = choice(request, "fit", get_args(Fit), "readable")
    paper: PaperName | None = choice(request, "paper", get_args(PaperName)) if "paper" in request.query else None
    return Printing(fit, paper or "")


async def _table(request: web.Request, community: Community) -> tuple[Version | None, Table]:
    """The version that is asked for with its table, or the draft's; NotFound where there is none."""
    wanted = request.query.get("version", "")
    tables = request.app[timetable_key]
    draft, history = await asyncio.gather(tables.draft(community.id), tables.history(community.id))
    if wanted == "draft" or (not wanted and not history):
        if draft is None:
            raise NotFound("table", community.id)
        return None, draft.table
    shown = next((version for version in history if wanted in ("", str(version.number))), None)
    if shown is None:
        raise NotFound("version", wanted[:20])
    return shown, shown.table


async def _events(request: web.Request, county: County, community: Community) -> Events:
    """The published events with what was changed on single days."""
    present = await request.app[amendments_key].present()
    versions = present.tables.versions(community.id)
    applied = [one for one in present.history if one.community == community.id]
    return lambda wanted: entries(county.register.term, versions, wanted, applied)


def _file(taken: Taken, *, shown: bool) -> web.Response:
    """A file to save; or to look at, as a page of its own that runs nothing."""
    kind, _, charset = taken.content_type.partition("; charset=")
    headers = {"Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(taken.name)}"}
    if shown:
        headers["Content-Security-Policy"] = STILL
    return web.Response(body=taken.content, content_type=kind, charset=charset or None, headers=headers)


@routes.post("/api/units/{unit}/own-table")
@takes_place
async def take_own(request: web.Request) -> web.Response:
    """A school's own table. `?into=` locked or busy; `?check=1` only checks; `?good_rows=1` takes what is sound."""
    asker = principal(request)
    county = await request.app[counties_key].now()
    unit = county.unit(request.match_info["unit"])
    _permit(asker, county, (unit.id,))
    into: Into = choice(request, "into", get_args(Into), "locked")
    files = await uploaded_files(request)
    found: list[OwnImport] = []

    def change(register: Register) -> Register:
        found.append(take_own_table(files, register, unit.id, into))
        return found[-1].register

    check = request.query.get("check") == "1"
    good_rows = request.query.get("good_rows") == "1"
    faults = (await request.app[importing_key].edit(change, asker.name, keep=False)).findings
    clean = not any(finding.severity == "error" for finding in faults)
    taken = clean and not check and (good_rows or not found[-1].has_errors)
    if taken:
        await request.app[importing_key].edit(change, asker.name)
    own = found[-1]
    view = OwnTableView(
        findings=(*own.findings, *faults),
        imported=taken,
        lessons=own.lessons,
        locked=own.locked,
        requirements=own.requirements,
        busy=own.busy,
    )
    return reply(request, view)


@routes.post("/api/teachers/{teacher}/calendar")
@takes_place
async def take_teachers_calendar(request: web.Request) -> web.Response:
    """The weekly times that a teacher's calendar takes; `?check=1` only proposes them."""
    principal(request)
    county = await request.app[counties_key].now()
    teacher = county.teacher(request.match_info["teacher"])
    return await _calendar(request, county, teacher.posts, "teacher", teacher.id)


@routes.post("/api/rooms/{room}/calendar")
@takes_place
async def take_rooms_calendar(request: web.Request) -> web.Response:
    """The weekly times that a room's calendar takes; `?check=1` only proposes them."""
    principal(request)
    county = await request.app[counties_key].now()
    room = county.room(request.match_info["room"])
    return await _calendar(request, county, (room.unit,), "room", room.id)


async def _calendar(
    request: web.Request, county: County, units: Sequence[str], noun: Literal["teacher", "room"], id: str
) -> web.Response:
    asker = principal(request)
    _permit(asker, county, units)
    files = await uploaded_files(request)
    term = county.register.term
    read = [await asyncio.to_thread(read_calendar, name, content, term) for name, content in files.items()]
    found = _together(read)
    imported = False
    if request.query.get("check") != "1" and not found.has_errors:
        try:
            await request.app[importing_key].edit(
                lambda register: with_calendar(register, noun, id, found.proposals), asker.name
            )
            imported = True
        except InputRefused as refused:
            found = CalendarImport(proposals=found.proposals, findings=(*found.findings, *refused.findings))
    times = tuple(_time(proposal) for proposal in found.proposals)
    return reply(request, CalendarView(times=times, findings=found.findings, imported=imported))


def _time(proposal: Proposal) -> TakenTime:
    busy = proposal.busy
    return TakenTime(
        weekday=busy.weekday,
        start=busy.start,
        end=busy.end,
        weeks=busy.weeks,
        reason=busy.reason,
        held=proposal.held,
        possible=proposal.possible,
    )


def _together(read: Sequence[CalendarImport]) -> CalendarImport:
    proposals: tuple[Proposal, ...] = tuple(one for part in read for one in part.proposals)
    findings: tuple[Finding, ...] = tuple(one for part in read for one in part.findings)
    return CalendarImport(proposals=proposals, findings=findings)


def _permit(asker: Principal, county: County, units: Sequence[str]) -> None:
    """A school's own people and the convenor of its community; the bureau for all."""
    home = next((found for unit in units if (found := county.community_of(unit))), None)
    permit(asker, "import_register", units=units, community=home.id if home else None)

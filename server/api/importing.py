"""Import of registers over HTTP: workbooks, csv or JSON in one request, checked or taken as a whole."""

import asyncio
from collections import Counter
from datetime import date
from typing import get_args
from urllib.parse import quote

import msgspec
from aiohttp import web

from server.auth.errors import NotPermitted
from server.auth.middleware import principal
from server.auth.policy import may_change, permit
from server.keys import counties_key, importing_key
from server.shapes.table import ImportView
from server.uploads import takes_place, uploaded_files
from server.web import InvalidBody, choice, reply
from timetable.errors import InputRefused
from timetable.export.table_export import CONTENT_TYPES
from timetable.fet.importing import import_fet, joined, term_from
from timetable.model import Id, Register, Stage
from timetable.register.importing import ImportReport
from timetable.register.reach import Reach
from timetable.register.sheets import empty_forms

routes = web.RouteTableDef()

LEFT_OUT = "row_left_out"
FORM_NAME = "同课 导入.xlsx"


@routes.post("/api/import")
@takes_place
async def import_files(request: web.Request) -> web.Response:
    """`?check=1` only checks; `?good_rows=1` takes the rows without errors. Findings are an answer, not a failure."""
    asker = principal(request)
    permit(asker, "import_register")
    files = await uploaded_files(request)
    importing = request.app[importing_key]
    await request.app[counties_key].load()
    county = request.app[counties_key].latest
    if request.query.get("check") == "1":
        return reply(request, _view(await importing.check(files), imported=False))
    try:
        report = await importing.run(
            files,
            asker.name,
            good_rows_only=request.query.get("good_rows") == "1",
            may=lambda touched: may_change(asker, touched, county),
        )
    except InputRefused as refused:
        return reply(request, ImportView(findings=refused.findings, counts={}, imported=False))
    return reply(request, _view(report, imported=True))


@routes.get("/api/import/form")
async def form(request: web.Request) -> web.Response:
    """The workbook to be filled in: every sheet with its columns, and no rows."""
    permit(principal(request), "import_register")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(FORM_NAME)}"}
    content = await asyncio.to_thread(empty_forms)
    return web.Response(body=content, content_type=CONTENT_TYPES["xlsx"], headers=headers)


@routes.post("/api/import/fet")
@takes_place
async def import_school(request: web.Request) -> web.Response:
    """One school's `.fet` file as a school of the county, alone in a community of its own. `?unit=` is the id that it
    gets, `?stage=` which it is; before the first import `?first_day=` is the Monday with which the term begins."""
    asker = principal(request)
    county = request.app[counties_key].latest
    if not may_change(asker, Reach(frozenset(), county=True), county):
        raise NotPermitted("import_school")
    unit = _id(request, "unit")
    stage: Stage = choice(request, "stage", get_args(Stage), "primary")
    files = await uploaded_files(request)
    if len(files) != 1:
        raise InvalidBody("one FET file at a time", "")
    ((name, content),) = files.items()
    check = request.query.get("check") == "1"
    standing = await request.app[counties_key].load()
    if standing is not None and any(one.id == unit for one in standing.units):
        _permit_again(standing, unit)
    term = standing.term if standing is not None else term_from(_monday(request))
    taken = await asyncio.to_thread(import_fet, name, content, term, stage=stage, unit=unit, beside=standing)
    if taken.register is None:
        return reply(request, ImportView(findings=taken.findings, counts={}, imported=False))
    school = taken.register
    counts = {name: len(getattr(school, name)) for name in ("classes", "teachers", "requirements")}
    importing = request.app[importing_key]
    try:
        if standing is not None:
            report = await importing.edit(lambda register: joined(register, school), asker.name, keep=not check)
        elif check:
            report = await importing.check({"school.json": msgspec.json.encode(school)})
        else:
            report = await importing.run({"school.json": msgspec.json.encode(school)}, asker.name)
    except InputRefused as refused:
        return reply(request, ImportView(findings=(*taken.findings, *refused.findings), counts=counts, imported=False))
    findings = (*taken.findings, *report.findings)
    return reply(request, ImportView(findings=findings, counts=counts, imported=not check))


def _id(request: web.Request, name: str) -> str:
    try:
        return msgspec.convert(request.query.get(name, ""), Id)
    except msgspec.ValidationError as error:
        raise InvalidBody("letters, digits, dot, dash, underscore", f"?{name}") from error


def _permit_again(standing: Register, unit: str) -> None:
    """Only a school that came from FET may come from there again."""
    if all(community.id != f"{unit}-community" for community in standing.communities):
        raise InvalidBody("a school of the county has this id", "?unit")


def _monday(request: web.Request) -> date:
    try:
        monday = date.fromisoformat(request.query.get("first_day", ""))
    except ValueError as error:
        raise InvalidBody("a date such as 2026-08-31", "?first_day") from error
    if monday.isoweekday() != 1:
        raise InvalidBody("a Monday", "?first_day")
    return monday


def _view(report: ImportReport, *, imported: bool) -> ImportView:
    dropped = Counter(finding.sheet for finding in report.findings if finding.code == LEFT_OUT)
    return ImportView(findings=report.findings, counts=report.counts, imported=imported, dropped=dict(dropped))

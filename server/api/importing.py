"""Import of registers over HTTP: workbooks, csv or JSON in one request, checked or taken as a whole."""

from collections import Counter

from aiohttp import web

from server.auth.middleware import principal
from server.auth.policy import may_change, permit
from server.keys import counties_key, importing_key
from server.shapes.table import ImportView
from server.uploads import uploaded_files
from server.web import reply
from timetable.errors import InputRefused
from timetable.importing import ImportReport

routes = web.RouteTableDef()

LEFT_OUT = "row_left_out"


@routes.post("/api/import")
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


def _view(report: ImportReport, *, imported: bool) -> ImportView:
    dropped = Counter(finding.sheet for finding in report.findings if finding.code == LEFT_OUT)
    return ImportView(findings=report.findings, counts=report.counts, imported=imported, dropped=dict(dropped))

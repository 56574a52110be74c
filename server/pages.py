"""This module owns the built browser client: its pages at short addresses, its assets cached for good."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

STATIC = Path(__file__).with_name("static")
HOME = {"home", "index"}
BUILD_ONLY = {".gz", ".br", ".json"}
ASSETS = "assets"
FOREVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


def routes(static: Path = STATIC) -> list[web.RouteDef]:
    """The routes of the client in `static`: `timetable.html` answers `/timetable` and everything below it."""
    if not any(static.glob("*.html")):
        return [web.get("/", _not_built)]
    found: list[web.RouteDef] = []
    for file in sorted(static.iterdir()):
        if file.suffix == ".html" and file.stem in HOME:
            found.append(web.get("/", _serve(file)))
        elif file.suffix == ".html":
            found += [web.get(f"/{file.stem}", _serve(file)), web.get(f"/{file.stem}/{{tail:.*}}", _serve(file))]
        elif file.is_file() and file.suffix not in BUILD_ONLY:
            found.append(web.get(f"/{file.name}", _serve(file)))
    return [*found, web.get(f"/{ASSETS}/{{name}}", _serve_asset(static / ASSETS))]


def _serve(file: Path) -> Handler:
    async def page(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(file, headers={"Cache-Control": REVALIDATE})

    return page


def _serve_asset(folder: Path) -> Handler:
    # read once: a name from the address is looked up here and never becomes a path
    files = {file.name: file for file in folder.glob("*") if file.is_file()}

    async def asset(request: web.Request) -> web.FileResponse:
        file = files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={"Cache-Control": FOREVER})

    return asset


async def _not_built(_request: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable(reason="the web client is not built")

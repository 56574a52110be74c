"""The application whole: bodies, problems, headers, pages, log, metrics, and the life of its process."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import logging
import os
import pkgutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.settings import Settings, load
from server import free_space, logs
from server.app import create_app
from server.errors import OUR_PACKAGES, STATUS
from server.headers import ALWAYS
from server.keys import settings_key
from server.process import CannotListen, serve
from server.web import BODY_LIMIT, body, reply

Client = TestClient[web.Request, web.Application]

SECRET = "x7Gk2Qm9Zr4Tn8Wp1Lc6Vb3Hs5Jd0FyAeUoIiNqRtM"


class Desk(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    row: int
    pupil_name: str = ""


class DeskTaken(Exception):
    """An error of a package of ours, as the middleware sees one."""

    __module__ = "timetable.errors"
    code = "stale_version"

    def __init__(self, row: int, takers: tuple[str, ...]) -> None:
        super().__init__(f"desk {row} is taken")
        self.row = row
        self.takers = takers


async def echo(request: web.Request) -> web.Response:
    return reply(request, await body(request, Desk), 201)


async def take(_request: web.Request) -> web.Response:
    raise DeskTaken(3, ("a", "b"))


async def crash(_request: web.Request) -> web.Response:
    raise RuntimeError(f"password=hunter2 Authorization: Bearer abc.def token={SECRET}")


def settings_in(folder: Path, **environ: str) -> Settings:
    return load(None, {"TONGKE_SERVER_DATA_DIR": str(folder / "data"), "TONGKE_SERVER_PORT": "0", **environ})


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A built client, in small."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    for page in ("home", "sign-in", "classroom"):
        (folder / f"{page}.html").write_text(f"<!doctype html><title>{page}</title>")
    (folder / "assets" / "home-4f2a.js").write_text("export {};")
    (folder / "mark.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "secret.txt").write_text("not of the client")
    return folder


@pytest.fixture
async def client(tmp_path: Path, static: Path) -> AsyncIterator[Client]:
    app = create_app(settings_in(tmp_path), static)
    app.router.add_post("/desks", echo)
    app.router.add_post("/desks/{row}/take", take)
    app.router.add_get("/crash", crash)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def log() -> Callable[[], list[dict[str, object]]]:
    stream = io.StringIO()
    logs.configure(stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_body_comes_back_in_the_format_that_was_asked_for(client: Client) -> None:
    desk = Desk(row=2, pupil_name="学生07")
    packed = await client.post(
        "/desks",
        data=msgspec.msgpack.encode(desk),
        headers={"Content-Type": "application/msgpack", "Accept": "application/msgpack"},
    )
    assert (packed.status, msgspec.msgpack.decode(await packed.read(), type=Desk)) == (201, desk)
    plain = await client.post("/desks", json={"row": 2, "pupilName": "学生07"})
    assert await plain.json() == {"row": 2, "pupilName": "学生07"}


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code", "fields"),
    [
        (b'{"row": "two"}', "application/json", 422, "invalid_body", {"path": "$.row"}),
        (b'{"row": ', "application/json", 400, "malformed_body", {}),
        (b"\xc1", "application/msgpack", 400, "malformed_body", {}),
        (b'{"row": 1, "pupilName": "\xff"}', "application/json", 400, "malformed_body", {}),
        (b"[" * 60_000, "application/json", 422, "invalid_body", {}),
        (b"row=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type", {}),
        (b" " * (BODY_LIMIT + 1), "application/json", 413, "body_too_large", {}),
    ],
)
async def test_a_bad_body_is_refused_by_code(
    client: Client, raw: bytes, content_type: str, status: int, code: str, fields: dict[str, str]
) -> None:
    answer = await client.post("/desks", data=raw, headers={"Content-Type": content_type})
    problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert fields.items() <= problem.get("fields", {}).items()


async def test_a_domain_error_tells_its_code_and_its_fields(client: Client) -> None:
    answer = await client.post("/desks/3/take")
    assert await answer.json(content_type="application/problem+json") == {
        "status": 409,
        "code": "stale_version",
        "detail": "desk 3 is taken",
        "fields": {"row": 3},
        "errors": ["a", "b"],
    }


async def test_an_unforeseen_error_tells_nothing_but_where_to_look(
    client: Client, log: Callable[[], list[dict[str, object]]]
) -> None:
    answer = await client.get("/crash")
    problem = await answer.json(content_type="application/problem+json")
    incident = problem["fields"]["incident"]
    assert (answer.status, problem) == (
        500,
        {"status": 500, "code": "internal_error", "fields": {"incident": incident}},
    )
    [line] = [line for line in log() if line["event"] == "internal_error"]
    assert (line["incident"], line["route"]) == (incident, "/crash")
    assert "RuntimeError" in str(line["exception"])
    assert not [word for word in ("hunter2", "abc.def", SECRET) if word in str(log())]


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/absent", "not_found"), ("PUT", "/desks", None)])
async def test_no_such_route_is_a_problem_too(client: Client, method: str, path: str, code: str | None) -> None:
    answer = await client.request(method, path)
    problem = await answer.json(content_type="application/problem+json")
    assert problem["code"] == (code or "method_not_allowed")
    assert code or answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/healthz", "/absent", "/assets/home-4f2a.js", "/crash"])
async def test_every_response_carries_the_headers(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"].split("style-src")[0]


@pytest.mark.parametrize(
    ("path", "title"),
    [("/", "home"), ("/sign-in", "sign-in"), ("/classroom", "classroom"), ("/classroom/s1/host", "classroom")],
)
async def test_pages_answer_at_short_addresses(client: Client, path: str, title: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert f"<title>{title}</title>" in await answer.text()
    again = await client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


async def test_assets_are_cached_for_good_and_nothing_else_can_be_reached(client: Client) -> None:
    asset = await client.get("/assets/home-4f2a.js")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "javascript" in asset.content_type
    assert (await client.get("/mark.svg")).content_type == "image/svg+xml"
    for path in ("/assets/..%2Fhome.html", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/", "/assets/absent.js"):
        assert (await client.get(path)).status == 404


async def test_a_client_that_is_not_built_says_so(tmp_path: Path) -> None:
    async with TestClient(TestServer(create_app(settings_in(tmp_path), tmp_path / "absent"))) as client:
        answer = await client.get("/")
        problem = await answer.json(content_type="application/problem+json")
    assert (problem["code"], problem["detail"]) == ("unavailable", "the web client is not built")


async def test_metrics_count_by_route_and_hold_no_path(client: Client) -> None:
    await client.get(f"/classroom/{SECRET}")
    text = await (await client.get("/metrics")).text()
    assert 'tongke_http_requests_total{method="GET",route="/classroom/{tail}",status="200"} 1.0' in text
    assert "tongke_loop_lag_seconds" in text
    assert "process_cpu_seconds_total" in text
    assert "# TYPE tongke_disk_free_bytes gauge" in text
    assert SECRET not in text


async def test_health_is_what_the_database_says(client: Client) -> None:
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"status": "ok"})


async def test_health_says_that_the_disk_is_full(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_space, "LEAST_BYTES", 1 << 62)
    answer = await client.get("/healthz")
    problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"], problem["code"]) == (507, 507, "disk_full")
    assert problem["detail"].startswith("server.data_dir: only ")


@pytest.mark.parametrize(
    ("value", "gone"),
    [
        ({"password": "hunter2", "login": "w"}, "hunter2"),
        ({"headers": {"Set-Cookie": "session=abc"}}, "abc"),
        (f"GET /feeds/{SECRET}.ics", SECRET),
        ("postgresql+psycopg://tongke:hunter2@db/x", "hunter2"),
        ("Cookie: session=abc; x=1", "abc"),
        (["$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"], "aGFzaA"),
        ({"token": b"abc"}, "abc"),
    ],
)
def test_scrub_takes_secrets_out(value: object, gone: str) -> None:
    assert gone not in str(logs.scrub(value))


def test_scrub_leaves_the_rest_alone() -> None:
    plain = {"code": "not_found", "lesson": "L-2026-3-1", "seconds": 1.5, "names": ["语文教师01"], "none": None}
    assert logs.scrub(plain) == plain


def test_libraries_log_in_the_same_format(log: Callable[[], list[dict[str, object]]]) -> None:
    structlog.get_logger("x").info("ours", token=SECRET)
    logging.getLogger("aiohttp.server").warning("theirs %s", SECRET)
    ours, theirs = log()
    assert (ours["event"], ours["level"], ours["token"]) == ("ours", "info", "[scrubbed]")
    assert (theirs["event"], theirs["level"]) == ("theirs [scrubbed]", "warning")


async def test_a_process_serves_on_a_free_port_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    answered: list[object] = []

    async def ready(app: web.Application) -> None:
        url = app[settings_key].public_url
        async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as answer:
            answered.append(await answer.json())
        (tmp_path / "data" / "written").write_bytes(b"a picture")
        signal_self()

    async with asyncio.timeout(20):
        await serve(settings_in(tmp_path), create_app, ready)
    assert answered == [{"status": "ok"}]
    # pictures of children are nobody else's on the machine
    written = [file for file in (tmp_path / "data").rglob("*") if not file.is_dir()]
    assert [file for file in written if file.stat().st_mode & 0o007] == []


async def test_a_process_that_is_still_starting_stops_too(tmp_path: Path) -> None:
    closed: list[bool] = []

    def build(settings: Settings) -> web.Application:
        async def slow(_app: web.Application) -> AsyncIterator[None]:
            signal_self()
            try:
                await asyncio.Event().wait()
                yield
            finally:
                closed.append(True)

        app = create_app(settings)
        app.cleanup_ctx.append(slow)
        return app

    async with asyncio.timeout(20):
        await serve(settings_in(tmp_path), build)
    assert closed == [True]


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    async with TestServer(web.Application()) as other:
        settings = settings_in(tmp_path, TONGKE_SERVER_PORT=str(other.port))
        with pytest.raises(CannotListen, match=str(other.port)):
            await serve(settings, create_app)


def signal_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_every_error_code_has_its_status() -> None:
    for package in OUR_PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    codes = {str(vars(kind)["code"]) for kind in _descendants(Exception) if "code" in vars(kind)}
    assert codes - STATUS.keys() == set()
    assert STATUS.keys() - codes == set()


def _descendants(kind: type[Exception]) -> Iterator[type[Exception]]:
    for child in kind.__subclasses__():
        if child.__module__.partition(".")[0] in OUR_PACKAGES:
            yield child
        yield from _descendants(child)

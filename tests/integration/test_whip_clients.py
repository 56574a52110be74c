"""Other people's WHIP and WHEP clients against our server: ffmpeg's muxer, two libraries in Chromium, and a relay."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aioice import stun, turn
from playwright.async_api import Browser, Page, async_playwright

from server.keys import relay_key
from server.relay import Relay
from tests import services
from tests.live_lessons import plan
from tests.live_server import LiveServer
from tests.media_clients import clients, until

PLAN = plan()
ROOT = Path(__file__).parents[2]
EDGE = ROOT / "tests/edge"
ROLLDOWN = ROOT / "server/web/node_modules/.bin/rolldown"
SECRET = "a secret of the relay and the server"


@pytest.fixture
async def server(server: LiveServer) -> LiveServer:
    await server.service.open(PLAN)
    return server


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a page with the libraries."""
    services.edge_modules()
    if not ROLLDOWN.exists():
        (pytest.fail if services.require_all() else pytest.skip)("the client's build tools are not installed")
    site = tmp_path_factory.mktemp("site")
    command = [
        str(ROLLDOWN),
        "clients.mjs",
        "--format",
        "esm",
        "--platform",
        "browser",
        "-o",
        str(site / "clients.mjs"),
    ]
    subprocess.run(command, cwd=EDGE, capture_output=True, check=True)
    shutil.copy(EDGE / "page.html", site / "page.html")
    return site


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """One that takes the relay's certificate, which nobody has signed."""
    path = services.require("chromium")
    async with async_playwright() as playwright:
        arguments = [*services.CHROMIUM_ARGS, "--ignore-certificate-errors"]
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture
async def page(chromium: Browser, libraries: Path) -> AsyncIterator[Page]:
    """A page of another origin than the server's."""
    app = web.Application()
    app.router.add_static("/", libraries)
    site = TestServer(app)
    await site.start_server()
    page = await chromium.new_page()
    await page.goto(str(site.make_url("/page.html")))
    await page.wait_for_function("() => window.ready")
    yield page
    await page.close()
    await site.close()


def urls(server: LiveServer) -> tuple[list[str], list[str]]:
    """Address and token of an encoder and of a player."""
    encoder, _ = server.service.admission.invite_encoder(PLAN, 3600.0)
    player, _ = server.service.admission.invite_player(PLAN, 3600.0)
    return [str(server.web.make_url("/whip/s1")), encoder], [str(server.web.make_url("/whep/s1")), player]


async def sees(page: Page, frames: int = 10) -> dict[str, Any]:
    """Wait until a watching page has decoded so many more pictures, and heard something."""
    before = (await page.evaluate("() => state()"))["frames"]
    async with asyncio.timeout(25):
        while True:
            now: dict[str, Any] = await page.evaluate("() => state()")
            if now["frames"] >= before + frames and now["packets"] > frames:
                return now
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_ffmpeg_publishes_into_a_session(
    server: LiveServer, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("openssl")
    (url, token), _ = urls(server)
    command = [sys.executable, "-m", "tests.whip_muxer", url, token, str(tmp_path)]
    pipe = subprocess.PIPE
    muxer = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: ASYNC220 - its start takes no time
    try:
        await until(lambda: muxer.poll() is not None or len(server.hub.tracks("s1")) == 2, 30)
        tracks = server.hub.tracks("s1")
        assert {(track.kind, track.codec) for track in tracks} == {("video", "h264"), ("audio", "opus")}
        async with clients(server.hub, "s1", "watcher") as (watcher,):
            await watcher.subscribe(*(track.id for track in tracks))
            await until(lambda: all(found.frames > 10 for found in watcher.watchers.values()), 25)
        assert server.room().participants["encoder.core"].presence == "connected"
    finally:
        sent, said = await asyncio.to_thread(muxer.communicate, timeout=20)
    assert int(sent) > 10, said
    # it says goodbye with DELETE
    await until(lambda: server.room().participants["encoder.core"].presence == "offline", 20)


@pytest.mark.slow
async def test_libraries_publish_watch_restart_and_stop(server: LiveServer, page: Page, chromium: Browser) -> None:
    whip, whep = urls(server)
    await page.evaluate("given => publish(...given)", whip)
    watching = await chromium.new_page()
    await watching.goto(page.url)
    await watching.wait_for_function("() => window.ready")
    await watching.evaluate("given => watch(...given)", whep)
    await sees(watching)
    before = {owner[1]: server.hub.etag(resource) for resource, owner in server.service.resources._owners.items()}
    assert len(before) == 2
    await page.evaluate("() => restart()")
    await watching.evaluate("() => restart()")
    after = {owner[1]: server.hub.etag(resource) for resource, owner in server.service.resources._owners.items()}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    await sees(watching, 30)
    await page.evaluate("() => leave()")
    await until(lambda: server.room().participants["encoder.core"].presence == "offline")

    # the other library takes the same place
    await page.evaluate("given => ingest(...given)", whip)
    await sees(watching, 30)
    await page.evaluate("() => leave()")
    await watching.evaluate("() => leave()")
    await until(lambda: server.pass_time(0.25) or not server.service.resources._owners)
    assert server.hub.tracks("s1") == []
    await watching.close()


# the relay


@pytest.mark.slow
@pytest.mark.parametrize("way", ["turn:127.0.0.1:{}?transport=udp", "turns:127.0.0.1:{}?transport=tcp"])
async def test_chromium_publishes_and_watches_through_the_relay_alone(
    server: LiveServer, page: Page, chromium: Browser, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    with services.relay_server(SECRET, tls=way.startswith("turns")) as (port, log):
        relay_clock = services.wall_clock
        given = Relay([way.format(port)], SECRET, 3600.0, relay_clock)
        server.web.app[relay_key] = given
        whip, whep = urls(server)
        relayed = {"iceTransportPolicy": "relay"}
        await page.evaluate("given => publish(...given)", [*whip, relayed])
        watching = await chromium.new_page()
        await watching.goto(page.url)
        await watching.wait_for_function("() => window.ready")
        await watching.evaluate("given => watch(...given)", [*whep, relayed])
        assert (await sees(watching))["path"] == "relay"
        assert (await page.evaluate("() => state()"))["path"] == "relay"
        ports = {server.hub._port.text(peer.ice.selected)[1] for peer in server.hub._peers.values()}
        assert len(ports) == 2
        assert all(40000 <= port < 41000 for port in ports)
        await watching.close()
        assert SECRET not in log.read_text(errors="replace") + caplog.text


async def allocate(port: int, username: str, password: str) -> turn.TurnTransport:
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", port), username=username, password=password
    )
    return transport


async def test_relay_takes_our_credentials_until_they_expire_and_no_others() -> None:
    with services.relay_server(SECRET) as (port, _):
        now = services.wall_clock()
        url = [f"turn:127.0.0.1:{port}"]
        for secret, at in ((SECRET, now - 7200), ("another secret of 16 characters", now)):
            (server,) = Relay(url, secret, 3600.0, lambda at=at: at).servers("room-1")  # type: ignore[misc]
            with pytest.raises(stun.TransactionFailed) as refused:
                await allocate(port, server.username, server.credential)
            assert refused.value.response.attributes["ERROR-CODE"][0] == 401
        (server,) = Relay(url, SECRET, 3600.0, lambda: now).servers("room-1")
        assert "room-1" not in server.username
        (await allocate(port, server.username, server.credential)).close()


async def test_relay_sends_to_the_media_address_and_nowhere_else() -> None:
    with services.relay_server(SECRET, peer="127.0.0.2") as (port, _):
        (server,) = Relay([f"turn:127.0.0.1:{port}"], SECRET, 3600.0, services.wall_clock).servers("room-1")
        transport = await allocate(port, server.username, server.credential)
        inner: Any = transport._TurnTransport__inner_protocol  # type: ignore[attr-defined]
        for peer, code in (("127.0.0.1", 403), ("10.0.0.1", 403), ("192.168.1.1", 403), ("127.0.0.2", 0)):
            request = stun.Message(
                message_method=stun.Method.CHANNEL_BIND,
                message_class=stun.Class.REQUEST,
                attributes={"CHANNEL-NUMBER": 0x4000 + code, "XOR-PEER-ADDRESS": (peer, 9)},
            )
            try:
                await inner.request_with_retry(request)
                found = 0
            except stun.TransactionFailed as refused:
                found = refused.response.attributes["ERROR-CODE"][0]
            assert (peer, found) == (peer, code)
        transport.close()

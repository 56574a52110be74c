"""What a lesson's pictures cost and how late they are: a full mesh of rooms, and a real browser that sends and watches.

The browser draws the time into a picture as black and white fields, sends it through the hub and reads it from what it
gets back: glass to glass, less camera and screen. Both ends and the server share this machine's cores.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import async_playwright

from signaling.media.hub import MediaConfig, MediaHub
from tests.bench.media import hub as hub_process
from tests.bench.runner import Figure

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
ROOMS = 8
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--allow-loopback-in-peer-connection")
QUIET = ("--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream", "--no-first-run")

PAGE = r"""<!doctype html><body><script>
const FIELD = 40, BITS = 24;
const canvas = document.createElement("canvas"); canvas.width = 960; canvas.height = 540;
const pen = canvas.getContext("2d", {alpha: false});
function draw() {
  const now = Math.round(performance.now()) & (2 ** BITS - 1);
  pen.fillStyle = `hsl(${now / 20 % 360} 40% 50%)`; pen.fillRect(0, 0, 960, 540);
  for (let bit = 0; bit < BITS; bit++) {
    pen.fillStyle = now >> bit & 1 ? "#fff" : "#000";
    pen.fillRect(bit * FIELD, 200, FIELD, 2 * FIELD);
  }
}
setInterval(draw, 1000 / 15);
async function ask(path, pc, tracks) {
  await pc.setLocalDescription(await pc.createOffer());
  const body = JSON.stringify({sdp: pc.localDescription.sdp, tracks});
  const answer = await (await fetch(path, {method: "POST", body})).json();
  await pc.setRemoteDescription({type: "answer", sdp: answer.sdp});
  return answer.tracks;
}
const publisher = new RTCPeerConnection();
let tracks = [];
async function publish() {
  draw();
  const [track] = canvas.captureStream(15).getVideoTracks();
  const encodings = [{maxBitrate: 850000, maxFramerate: 15}];
  const section = publisher.addTransceiver(track, {direction: "sendonly", sendEncodings: encodings});
  const known = RTCRtpReceiver.getCapabilities("video").codecs;
  const plain = line => /42e01f/.test(line) && /mode=1/.test(line);
  const h264 = known.filter(c => c.mimeType === "video/H264" && plain(c.sdpFmtpLine));
  section.setCodecPreferences([...h264, ...known.filter(c => c.mimeType === "video/rtx")]);
  tracks = await ask("/publish", publisher);
}
const small = document.createElement("canvas"); small.width = 960; small.height = 540;
const eye = small.getContext("2d", {willReadFrequently: true});
function read(video) {
  eye.drawImage(video, 0, 0, 960, 540);
  const row = eye.getImageData(0, 200 + FIELD, 960, 1).data;
  let value = 0;
  for (let bit = 0; bit < BITS; bit++) if (row[(bit * FIELD + FIELD / 2) * 4] > 127) value |= 1 << bit;
  return value;
}
async function watch(seen) {
  const begun = performance.now(), pc = new RTCPeerConnection(), video = document.createElement("video");
  video.autoplay = video.muted = video.playsInline = true;
  document.body.append(video);
  const first = new Promise(done => video.requestVideoFrameCallback(() => done(performance.now() - begun)));
  pc.ontrack = ({track}) => { video.srcObject = new MediaStream([track]); };
  pc.addTransceiver("video", {direction: "recvonly"});
  await ask("/subscribe", pc, tracks);
  const waited = await first;
  await seen(video);
  pc.close(); video.remove();
  return waited;
}
async function joins(count) {
  const waited = [];
  for (let i = 0; i < count; i++) waited.push(await watch(async () => {}));
  return waited;
}
async function latencies(count) {
  const found = [];
  await watch(video => new Promise(done => {
    const look = () => {
      const late = (Math.round(performance.now()) - read(video)) & (2 ** BITS - 1);
      found.push(late);
      if (found.length < count) video.requestVideoFrameCallback(look); else done();
    };
    video.requestVideoFrameCallback(look);
  }));
  return found;
}
</script></body>"""


def figures(full: bool) -> Iterator[Figure]:
    yield mesh(20 if full else 8)
    if Path(CHROMIUM).exists() or shutil.which("chromium"):
        yield from asyncio.run(in_browser(joins=40 if full else 20, frames=450 if full else 150))


def mesh(seconds: int) -> Figure:
    """The hub's share of one core while `ROOMS` rooms all see and hear each other at the bitrates of a lesson."""
    with hub_process("127.0.0.1") as server:
        command = [sys.executable, "-m", "tests.bench.media_load", "mesh", server.url, str(server.pid), "127.0.0.1"]
        done = subprocess.run(
            [*command, str(ROOMS), str(seconds), "reports"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        )
    core = float(json.loads(done.stdout)["core"])
    return _figure(f"full mesh of {ROOMS} rooms, the server", round(core, 3), "cores", 1.0)


async def in_browser(*, joins: int, frames: int) -> list[Figure]:
    hub = MediaHub(MediaConfig())
    await hub.open()
    try:
        async with page_server(hub) as url, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium") or CHROMIUM,
                headless=False,
                args=["--headless=new", *FLAGS, *QUIET],
            )
            page = await browser.new_page()
            await page.goto(url)
            await page.evaluate("publish()")
            waited = sorted(await page.evaluate("count => joins(count)", joins))
            late = sorted((await page.evaluate("count => latencies(count)", frames + 15))[15:])
            await browser.close()
    finally:
        await hub.close()
    return [
        _figure("join to first frame, p95", round(waited[int(len(waited) * 0.95) - 1]), "ms", 1000),
        _figure("glass to glass, median", round(late[len(late) // 2]), "ms", 200),
        _figure("glass to glass, p95", round(late[int(len(late) * 0.95)]), "ms", None),
    ]


@asynccontextmanager
async def page_server(hub: MediaHub) -> AsyncIterator[str]:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def publish(request: web.Request) -> web.Response:
        answer = hub.publish("lesson", "host", (await request.json())["sdp"])
        return web.json_response({"sdp": answer.sdp, "tracks": [track.id for track in answer.tracks]})

    async def subscribe(request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        answer = hub.subscribe("lesson", "member", body["sdp"], {"0": body["tracks"][0]})
        return web.json_response({"sdp": answer.sdp, "tracks": body["tracks"]})

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/publish", publish)
    app.router.add_post("/subscribe", subscribe)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def _figure(name: str, value: float, unit: str, most: float | None) -> Figure:
    return Figure(
        figure=name,
        value=value,
        unit=unit,
        peer=None,
        peer_value=None,
        ratio=None,
        goal=f"at most {most:g} {unit}" if most is not None else None,
        met=value <= most if most is not None else None,
    )

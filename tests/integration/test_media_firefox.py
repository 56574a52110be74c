"""Two layers of one camera from Firefox ESR, and back to it: the larger, the smaller and a layer that rests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from signaling.media.hub import MediaHub
from tests.firefox import Firefox, firefox
from tests.media_clients import media_hub, until
from tests.networks import address_beside_loopback

pytestmark = pytest.mark.slow

PAGE = r"""<!doctype html><body></body><script>
async function post(path, body) {
  const answer = await fetch(path, {method: "POST", body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
const up = new RTCPeerConnection({bundlePolicy: "max-bundle"});
const down = new RTCPeerConnection({bundlePolicy: "max-bundle"});
async function publish() {
  const video = {width: 640, height: 360, frameRate: 15};
  const media = await navigator.mediaDevices.getUserMedia({audio: true, video});
  const [camera] = media.getVideoTracks();
  const encoding = (rate, scale) => ({maxBitrate: rate, maxFramerate: 15, scaleResolutionDownBy: scale});
  const sections = [
    up.addTransceiver(media.getAudioTracks()[0], {direction: "sendonly"}),
    up.addTransceiver(camera, {direction: "sendonly", sendEncodings: [encoding(850000, 1)]}),
    up.addTransceiver(camera, {direction: "sendonly", sendEncodings: [encoding(150000, 4)]}),
  ];
  await up.setLocalDescription(await up.createOffer());
  const named = (values) => Object.fromEntries(sections.map((section, at) => [section.mid, values[at]]));
  const answer = await post("/publish", {sdp: up.localDescription.sdp,
    sources: named(["mic", "teacher", "teacher"]), layers: named(["high", "high", "low"])});
  await up.setRemoteDescription({type: "answer", sdp: answer.sdp});
  return answer.tracks;
}
async function watch(tracks) {
  const added = tracks.map(track => [track.id, down.addTransceiver(track.kind, {direction: "recvonly"})]);
  await down.setLocalDescription(await down.createOffer());
  const slots = Object.fromEntries(added.map(([id, section]) => [section.mid, id]));
  const answer = await post("/subscribe", {slots, sdp: down.localDescription.sdp});
  await down.setRemoteDescription({type: "answer", sdp: answer.sdp});
}
async function received() {
  const found = {audio: 0, video: 0, height: 0};
  for (const entry of (await down.getStats()).values()) if (entry.type === "inbound-rtp") {
    found[entry.kind] = entry.kind === "audio" ? entry.packetsReceived : entry.framesDecoded;
    if (entry.kind === "video") found.height = entry.frameHeight;
  }
  return found;
}
async function rest(section) {
  const {sender} = up.getTransceivers()[section], parameters = sender.getParameters();
  parameters.encodings[0].active = false;
  await sender.setParameters(parameters);
  return true;
}
</script>"""


def server(hub: MediaHub) -> web.Application:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def publish(request: web.Request) -> web.Response:
        wanted = await request.json()
        answer = hub.publish("lesson", "a", wanted["sdp"], wanted["sources"], wanted["layers"])
        tracks = [{"id": track.id, "kind": track.kind} for track in answer.tracks]
        return web.json_response({"sdp": answer.sdp, "tracks": tracks})

    async def subscribe(request: web.Request) -> web.Response:
        wanted = await request.json()
        return web.json_response({"sdp": hub.subscribe("lesson", "b", wanted["sdp"], wanted["slots"]).sdp})

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/publish", publish)
    app.router.add_post("/subscribe", subscribe)
    return app


async def decoded(browser: Firefox, height: Callable[[int], bool], frames: int = 10) -> None:
    """Wait until so many more frames have come, sound too, and the picture is of such a height."""
    first = await browser.evaluate("received()")
    async with asyncio.timeout(30):
        while True:
            now = await browser.evaluate("received()")
            grown = now["video"] >= first["video"] + frames and now["audio"] > first["audio"]
            if grown and height(now["height"]):
                return
            await asyncio.sleep(0.2)


async def test_firefox_sends_and_sees_two_layers(tmp_path: Path) -> None:
    with address_beside_loopback() as address:
        await _two_layers(tmp_path, address)


async def _two_layers(folder: Path, address: str) -> None:
    async with media_hub(host=address) as hub:
        runner = web.AppRunner(server(hub))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with firefox(folder / "profile") as browser:
            await browser.go(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            tracks = await browser.evaluate("publish()")
            assert [track["kind"] for track in tracks] == ["audio", "video"]
            await browser.evaluate(f"watch({json.dumps(tracks)}).then(() => true)")
            camera = hub._track(tracks[1]["id"])
            await decoded(browser, lambda height: height > 0)
            assert set(camera.layers) == {"high", "low"}
            hub.view("lesson", "b", {camera.info.id: 90})
            await decoded(browser, lambda height: height == 90)
            hub.view("lesson", "b", {camera.info.id: 720})
            await decoded(browser, lambda height: height > 90)
            assert hub.links("lesson")["b"].levels == {camera.info.id: "high"}
            await browser.evaluate("rest(2)")
            await until(lambda: not camera.layers["low"].flowing(hub._clock()), 20)
            await decoded(browser, lambda height: height > 90)
            assert browser.errors == []
        await runner.cleanup()

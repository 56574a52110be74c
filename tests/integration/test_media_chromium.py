"""The hub and a real browser: a publisher and a subscriber in Chromium, with renegotiation and an ICE restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from signaling.media.hub import MediaHub
from tests.media_clients import media_hub, until

PAGE = r"""<!doctype html><script>
async function post(path, body) {
  const answer = await fetch(path, {method: "POST", body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
async function negotiate(pc, path, body) {
  await pc.setLocalDescription(await pc.createOffer());
  const answer = await post(path, {...body, sdp: pc.localDescription.sdp});
  await pc.setRemoteDescription({type: "answer", sdp: answer.sdp});
  return answer;
}
const camera = (width) => navigator.mediaDevices.getUserMedia(
  {audio: true, video: {width, height: width * 3 / 4, frameRate: 15}});
const peers = {};
async function publish(name, width) {
  const media = await camera(width), pc = peers[name] = new RTCPeerConnection();
  for (const track of media.getTracks()) pc.addTransceiver(track, {direction: "sendonly", streams: [media]});
  return (await negotiate(pc, "/publish", {name})).tracks;
}
async function addCamera(name, width) {
  const media = await camera(width);
  peers[name].addTransceiver(media.getVideoTracks()[0], {direction: "sendonly"});
  return (await negotiate(peers[name], "/publish", {name})).tracks;
}
const watcher = new RTCPeerConnection();
watcher.ontrack = ({track, transceiver}) => {
  const element = document.createElement(track.kind);
  element.autoplay = element.muted = element.playsInline = true;
  element.dataset.mid = transceiver.mid;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
};
const wanted = {};
async function watch(...tracks) {
  const added = tracks.map(track => [track.id, watcher.addTransceiver(track.kind, {direction: "recvonly"})]);
  await watcher.setLocalDescription(await watcher.createOffer());
  for (const [id, transceiver] of added) wanted[transceiver.mid] = id;
  const answer = await post("/subscribe", {name: "watcher", slots: wanted, sdp: watcher.localDescription.sdp});
  await watcher.setRemoteDescription({type: "answer", sdp: answer.sdp});
  return answer;
}
async function restart(pc, path, body) {
  pc.restartIce();
  return negotiate(pc, path, body);
}
async function restartByFragment(pc, resource) {  // RFC 9725
  pc.restartIce();
  const offer = await pc.createOffer();
  await pc.setLocalDescription(offer);
  const pick = (text, key) => text.match(new RegExp("a=" + key + ":(\\S+)"))[1];
  const mine = ["ice-ufrag", "ice-pwd"].map(key => `a=${key}:${pick(offer.sdp, key)}\r\n`).join("");
  const {fragment} = await post("/restart", {resource, fragment: mine});
  let sdp = pc.currentRemoteDescription.sdp;
  for (const key of ["ice-ufrag", "ice-pwd"])
    sdp = sdp.replace(new RegExp("a=" + key + ":\\S+", "g"), "a=" + key + ":" + pick(fragment, key));
  await pc.setRemoteDescription({type: "answer", sdp});
}
async function foretold(name) {  // what the hub tells a publisher of the loss that its sound may meet
  for (const entry of (await peers[name].getStats()).values())
    if (entry.type === "remote-inbound-rtp" && entry.kind === "audio") return entry.fractionLost;
}
async function outgoing(name) {  // bit/s that it believes it may send
  for (const entry of (await peers[name].getStats()).values())
    if (entry.type === "candidate-pair" && entry.nominated) return entry.availableOutgoingBitrate;
}
async function received(mid) {
  const receiver = watcher.getTransceivers().find(t => t.mid === mid).receiver, found = {};
  const stats = await receiver.getStats();
  for (const entry of stats.values()) if (entry.type === "inbound-rtp") {
    for (const key of ["kind", "framesDecoded", "frameWidth", "packetsReceived", "packetsLost", "ssrc",
      "totalSamplesReceived", "concealedSamples"])
      found[key] = entry[key] ?? 0;
    found.codec = entry.codecId ? stats.get(entry.codecId).mimeType : "";
  }
  return found;
}
</script><body></body>"""


@asynccontextmanager
async def page_server(
    hub: MediaHub, reroute: Callable[[str], str] = str, reroute_up: Callable[[str], str] = str
) -> AsyncIterator[str]:
    """reroute, reroute_up: lead the media of the watcher, and of the publishers, over lines of their own."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def publish(request: web.Request) -> web.Response:
        wanted = await request.json()
        answer = hub.publish("lesson", wanted["name"], wanted["sdp"], {})
        tracks = [{"id": track.id, "kind": track.kind, "source": track.source} for track in answer.tracks]
        return web.json_response({"sdp": reroute_up(answer.sdp), "resource": answer.resource, "tracks": tracks})

    async def subscribe(request: web.Request) -> web.Response:
        wanted = await request.json()
        answer = hub.subscribe("lesson", wanted["name"], wanted["sdp"], wanted["slots"])
        return web.json_response({"sdp": reroute(answer.sdp), "resource": answer.resource, "slots": answer.slots})

    async def restart(request: web.Request) -> web.Response:
        wanted = await request.json()
        return web.json_response({"fragment": hub.restart(wanted["resource"], wanted["fragment"])})

    app = web.Application()
    app.router.add_post("/restart", restart)
    app.router.add_get("/", page)
    app.router.add_post("/publish", publish)
    app.router.add_post("/subscribe", subscribe)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def advances(page: Page, mid: str, *, by: int = 10, width: int | None = None) -> dict[str, Any]:
    """Wait until the browser has received so much more on this section."""
    first: dict[str, Any] = await page.evaluate("mid => received(mid)", mid)
    async with asyncio.timeout(20):
        while True:
            now: dict[str, Any] = await page.evaluate("mid => received(mid)", mid)
            counter = "framesDecoded" if now.get("kind") == "video" else "packetsReceived"
            grown = now.get(counter, 0) - first.get(counter, 0) >= by
            if grown and (width is None or now["frameWidth"] == width):
                return now
            await asyncio.sleep(0.1)


@pytest.mark.slow
async def test_chromium_publishes_h264_and_watches_through_renegotiations(chromium: Browser) -> None:
    async with media_hub() as hub, page_server(hub) as url:
        page = await chromium.new_page()
        await page.goto(url)
        a = await page.evaluate("publish('a', 320)")
        assert [track["source"] for track in a] == ["mic", "teacher"]
        first = await page.evaluate("tracks => watch(...tracks)", a)
        assert first["slots"] == {"0": a[0]["id"], "1": a[1]["id"]}
        video = await advances(page, "1", width=320)
        assert video["codec"] == "video/H264"
        assert (await advances(page, "0"))["codec"] == "audio/opus"

        # a member comes later: the watcher adds sections to the same connection
        b = await page.evaluate("publish('b', 240)")
        second = await page.evaluate("tracks => watch(...tracks)", b)
        assert second["resource"] == first["resource"]
        assert (await advances(page, "3", width=240))["codec"] == "video/H264"
        await advances(page, "2")
        again = await advances(page, "1")
        assert again["ssrc"] == video["ssrc"]
        assert again["packetsLost"] < 5  # a break in the numbers would count as thousands

        # a publisher adds its second camera
        more = await page.evaluate("addCamera('a', 160)")
        assert [track["source"] for track in more] == ["mic", "teacher", "pupils"]
        assert [track["id"] for track in more[:2]] == [track["id"] for track in a]
        await page.evaluate("track => watch(track)", more[2])
        await advances(page, "4", width=160)

        # another room in the same slot
        hub.switch("lesson", "watcher", "1", b[1]["id"])
        await advances(page, "1", width=240)
        hub.switch("lesson", "watcher", "1", a[1]["id"])
        switched = await advances(page, "1", width=320)
        assert switched["ssrc"] == video["ssrc"]
        assert switched["packetsLost"] < 5

        # ICE restarts of both sides, with new offers
        ufrags, resources = set(hub._port.ice.by_ufrag), set(hub._peers)
        restarted = [hub._publications["lesson", "a"].peer.resource, first["resource"]]
        paths = {resource: hub._peers[resource].ice.selected for resource in restarted}
        await page.evaluate("restart(peers.a, '/publish', {name: 'a'})")
        await page.evaluate("restart(watcher, '/subscribe', {name: 'watcher', slots: wanted})")
        assert len(set(hub._port.ice.by_ufrag) - ufrags) == 2
        await advances(page, "1", by=45, width=320)
        await until(lambda: all(hub._peers[resource].ice.selected != paths[resource] for resource in restarted), 20)
        assert set(hub._peers) == resources

        assert hub.links("lesson")["a"].publish_rtt is not None
        await page.close()


@pytest.mark.slow
async def test_chromium_uses_tcp_where_udp_is_blocked_and_restarts_ice_by_fragment(chromium: Browser) -> None:
    nobody = (("127.0.0.1", 9),)
    async with media_hub(public=nobody, tcp_port=0) as hub, page_server(hub) as url:
        page = await chromium.new_page()
        await page.goto(url)
        tracks = await page.evaluate("publish('a', 320)")
        answer = await page.evaluate("tracks => watch(...tracks)", tracks)
        await advances(page, "1", width=320)
        assert all(peer.ice.tcp is not None for peer in hub._peers.values())
        await page.evaluate("resource => restartByFragment(watcher, resource)", answer["resource"])
        await advances(page, "1", by=45)
        assert hub.restart(answer["resource"], "a=candidate:1 1 udp 1 127.0.0.1 9 typ host") == ""
        hub.close_session("lesson")
        await until(lambda: not hub._port.tcp)
        await page.wait_for_function("['closed', 'failed', 'disconnected'].includes(watcher.connectionState)")
        await page.close()


@pytest.mark.slow
async def test_chromium_keeps_to_the_estimates_of_the_server_without_other_feedback(chromium: Browser) -> None:
    """REMB alone, from the first second on, down and up again: so long as this holds, transport-wide feedback for every
    packet of a publisher would only cost."""
    async with media_hub(max_publish_bitrate=1_500_000) as hub, page_server(hub) as url:
        page = await chromium.new_page()
        await page.goto(url)
        tracks = await page.evaluate("publish('a', 320)")
        await page.evaluate("tracks => watch(...tracks)", tracks)

        async def allowed(least: int, most: int) -> None:
            async with asyncio.timeout(15):
                while not least <= (await page.evaluate("() => outgoing('a')") or 0) <= most:  # noqa: ASYNC110 - the browser's
                    await asyncio.sleep(0.2)

        for rate in (1_500_000, 200_000, 1_500_000):
            hub._pulse._most = rate
            await allowed(int(rate * 0.9), rate)
        await page.close()

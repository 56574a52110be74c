"""What a page does to its browser's media where one thing is asked for before the last one is done: the client's own
modules in Chromium, against a far end in the same page. The browser is real, and only slow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

from tests import client_code

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODULES = {"publisher": "classroom/publisher.ts", "capture": "classroom/capture.ts"}
PAGE = """<!doctype html><body></body><script type="module">
import { Publisher } from "/publisher.mjs";
import { Capture } from "/capture.mjs";
Object.assign(window, { Capture });

// the far end of each peer connection, told apart by what never changes in its offers
const ends = new Map();
window.offers = 0;
window.refuse = null;
window.withoutWay = false;
async function answer(sdp) {
  window.offers += 1;
  if (window.refuse) throw window.refuse;
  const [name] = sdp.match(/^o=.*? \\d+ /m);
  const end = ends.get(name) ?? new RTCPeerConnection();
  ends.set(name, end);
  await end.setRemoteDescription({ type: "offer", sdp });
  await end.setLocalDescription();
  await window.until(() => end.iceGatheringState === "complete");
  window.way = end.localDescription.sdp.match(/^a=(candidate:.*)$/m)[1];
  return window.withoutWay ? end.localDescription.sdp.replace(/^a=(candidate|end-of-candidates).*\\r\\n/gm, "")
    : end.localDescription.sdp;
}
window.sleep = (time) => new Promise((done) => setTimeout(done, time));
window.until = async (condition) => { while (!condition()) await sleep(10); };
const door = {
  request: async ({ sdp }) => ({ t: "media_answer", sdp: await answer(sdp), slots: {} }),
  changed: () => undefined,
};
window.publisher = () => new Publisher(door, []);
window.camera = async () => (await navigator.mediaDevices.getUserMedia({ video: true })).getVideoTracks()[0];
window.ready = true;
</script>"""
SLOW_TO_REPLACE = """(() => {
  const real = RTCRtpSender.prototype.replaceTrack;
  let replacing = 0;
  RTCRtpSender.prototype.replaceTrack = async function (track) {
    replacing += 1;
    try {
      await new Promise(done => setTimeout(done, 200));
      return await real.call(this, track);
    } finally {
      replacing -= 1;
    }
  };
  // whoever waited for one has gone on by then, and has asked for the next, if it does
  window.replaced = async () => { do { await sleep(20); } while (replacing > 0); };
})()"""
SLOW_TO_OPEN = """(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const opened = await real(wanted);
    window.opening = true;
    await new Promise(done => setTimeout(done, 300));
    return opened;
  };
})()"""


@dataclass
class Client:
    """A page that has the client's modules, and every error that nobody caught in it."""

    page: Page
    errors: list[str]

    async def does(self, script: str) -> Any:
        """What the body of an async function returns."""
        return await self.page.evaluate(f"async () => {{ {script} }}")


@pytest_asyncio.fixture(loop_scope="module")
async def client(shared_chromium: Browser) -> AsyncIterator[Client]:
    async def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].removesuffix(".mjs")
        if name in MODULES:
            code = client_code.bundle(MODULES[name]).read_text("utf-8")
            await route.fulfill(body=code, content_type="text/javascript")
        else:
            await route.fulfill(body=PAGE, content_type="text/html")

    context = await shared_chromium.new_context()
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.route("http://localhost/**", serve)
    await page.goto("http://localhost/")
    await page.wait_for_function("() => window.ready")
    yield Client(page, errors)
    await context.close()


async def test_connection_that_is_begun_anew_does_not_wait_for_the_closed_one(client: Client) -> None:
    """A browser never answers what it was asked of a connection that was closed meanwhile."""
    found = await client.does("""
        const path = publisher();
        void path.send(new Map([["teacher", await camera()]]));
        // its offer is being made when the page comes back at a server that knows nothing
        await Promise.resolve();
        path.recover(true);
        await Promise.race([until(() => path.state === "connected"), sleep(8000)]);
        return { state: path.state, offers };
    """)
    assert found == {"state": "connected", "offers": 1}
    assert client.errors == []


async def test_last_of_two_quick_changes_of_a_camera_is_sent(client: Client) -> None:
    await client.page.evaluate(SLOW_TO_REPLACE)
    found = await client.does("""
        const path = publisher(), [first, second] = [await camera(), await camera()];
        const sent = () => path.pc.getSenders().map((sender) => sender.track === first);
        await path.send(new Map([["teacher", first]]));
        const change = path.send(new Map([["teacher", second]]));
        await path.send(new Map([["teacher", first]]));
        await change;
        await replaced();
        return sent();
    """)
    assert found == [True, True]
    assert client.errors == []


async def test_connection_closed_while_a_camera_is_changed_is_no_error(client: Client) -> None:
    await client.page.evaluate(SLOW_TO_REPLACE)
    await client.does("""
        const path = publisher();
        await path.send(new Map([["teacher", await camera()]]));
        const change = path.send(new Map([["teacher", await camera()], ["screen", await camera()]]));
        path.close();
        await change;
        await replaced();
    """)
    assert client.errors == []


async def test_offer_that_was_refused_is_made_again_though_the_line_is_there(client: Client) -> None:
    """What the first offer agreed on connects after the second one was refused: the page must not rest on that."""
    found = await client.does("""
        const path = publisher(), first = await camera(), second = await camera();
        window.withoutWay = true;
        await path.send(new Map([["teacher", first]]));
        window.refuse = new Error("not now");
        await path.send(new Map([["teacher", first], ["pupils", second]]));
        window.refuse = null, window.withoutWay = false;
        const before = path.pc;
        await before.addIceCandidate({ candidate: way, sdpMLineIndex: 0 });
        await until(() => before.connectionState === "connected" || before !== path.pc);
        const said = path.state;
        await Promise.race([until(() => path.state === "connected"), sleep(8000)]);
        const agreed = path.pc.getTransceivers().filter((one) => one.currentDirection !== null);
        return { said, state: path.state, agreed: agreed.length };
    """)
    assert found == {"said": "broken", "state": "connected", "agreed": 4}
    assert client.errors == []


async def test_device_chosen_while_another_is_being_opened_is_the_one_that_is_used(client: Client) -> None:
    await client.page.evaluate(SLOW_TO_OPEN)
    found = await client.does("""
        const capture = new Capture({ cameras: [] }, () => undefined);
        const all = await navigator.mediaDevices.enumerateDevices();
        const chosen = all.filter((device) => device.kind === "audioinput").pop();
        const opened = capture.open();
        await until(() => window.opening);
        const used = capture.use("mic", { id: chosen.deviceId, label: chosen.label });
        await Promise.all([opened, used]);
        const answer = [capture.tracks.get("mic")?.label === chosen.label, [...capture.standIns.values()]];
        capture.close();
        return answer;
    """)
    assert found == [True, []]
    assert client.errors == []

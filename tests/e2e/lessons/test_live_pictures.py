"""Which picture stands for a room: a teacher's camera, the pupils', a screen; as the host or an assistant chooses."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page

from server.keys import live_key
from tests.e2e.classroom import WAIT
from tests.e2e.live_county import ANSWERS, FAKE, ROOM, chromium_with, live_county

pytestmark = pytest.mark.slow

HOST = "host.person.host_teacher"
# They move by an animation: the timers of a tab behind another one run once a second, and less often on a busy machine.
SLIDES = (
    "data:text/html;charset=utf-8,<title>Slides</title><style>@keyframes go{to{transform:translateX(80vw)}}"
    "p{width:2em;font-size:9em;animation:go 2s linear infinite alternate}</style><p>光</p>"
)
# A browser that is slow to take what a picture may cost, and takes nothing else until it has.
SLOW_TO_OBEY = """(() => {
  const real = RTCRtpSender.prototype.setParameters, busy = new WeakSet();
  RTCRtpSender.prototype.setParameters = async function (parameters) {
    if (busy.has(this)) throw new DOMException("in progress", "InvalidStateError");
    busy.add(this);
    await real.call(this, parameters);
    await new Promise(done => setTimeout(done, 400));
    busy.delete(this);
  };
})()"""
# What a browser says where the system lets it read no screen, where nobody picked one, and where the system failed.
UNREADABLE = """(() => {
  const answers = [
    ["Permission denied by system", "NotAllowedError"],
    ["Permission denied", "NotAllowedError"],
    ["", "NotReadableError"],
  ];
  navigator.mediaDevices.getDisplayMedia = async () => { throw new DOMException(...answers.shift()); };
})()"""
# Slides that never move, on a machine that tells nobody of a page that stands still.
SENDS_NOTHING = """
  navigator.mediaDevices.getDisplayMedia = async () => document.createElement("canvas").captureStream(0);
"""
# A person who chooses no screen before `picked`, and a browser that takes no answer about it before `answered`.
SLOW_TO_SHARE = """(() => {
  const real = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
  const take = RTCPeerConnection.prototype.setRemoteDescription;
  const until = async (name) => { while (!window[name]) await new Promise(done => setTimeout(done, 20)); };
  window.shared = [];
  window.agreed = 0;
  navigator.mediaDevices.getDisplayMedia = async (wanted) => {
    await until("picked");
    const stream = await real(wanted);
    window.shared.push(...stream.getTracks());
    return stream;
  };
  RTCPeerConnection.prototype.setRemoteDescription = async function (answer) {
    if (window.shared.length === 0) return take.call(this, answer);
    await until("answered");
    await take.call(this, answer);
    window.agreed += 1;
  };
})()"""
TAB = "--auto-select-tab-capture-source-by-title=Slides"


async def sees(page: Page, participant: str, source: str) -> None:
    """Wait until the page shows this picture of a participant, and it moves."""
    shown = f'video[data-participant="{participant}"][data-source="{source}"]'
    await page.wait_for_function(
        "([shown, seen]) => [...document.querySelectorAll(shown)].some(video => Number(video.dataset.frames) > seen)",
        arg=[shown, 3],
        timeout=WAIT,
    )


async def pressed(page: Page, selector: str) -> None:
    await page.wait_for_selector(f'{selector}[aria-pressed="true"]', timeout=WAIT)


async def test_host_and_assistant_choose_the_camera_of_a_room(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=2) as browser:
        host, panel, phone = await lesson.host(browser), await lesson.panel(browser), await lesson.assistant(browser)
        await sees(host, ROOM, "pupils")
        await sees(panel, HOST, "teacher")

        # the host shows the class beside the teacher, then the teacher again
        own = 'aside [data-action="select-source"]'
        await host.click(f'{own}[data-source="pupils"]')
        await sees(panel, HOST, "pupils")
        await pressed(host, f'{own}[data-source="pupils"]')
        await host.keyboard.press("c")
        await sees(panel, HOST, "teacher")

        # the far room's teacher instead of its pupils: once from the host's tile, and back from the assistant's phone
        await host.click(f'[data-room="{ROOM}"] [data-action="select-source"][data-source="teacher"]')
        await sees(host, ROOM, "teacher")
        choose = '.cameras [data-action="select-source"]'
        await pressed(phone, f'{choose}[data-source="teacher"]')
        await phone.click(f'{choose}[data-source="pupils"]')
        await sees(host, ROOM, "pupils")
        await pressed(phone, f'{choose}[data-source="pupils"]')

        # a panel that comes back is seen as it was chosen
        await phone.click(f'{choose}[data-source="teacher"]')
        await sees(host, ROOM, "teacher")
        await panel.reload()
        await sees(panel, HOST, "teacher")
        await sees(host, ROOM, "teacher")
        assert lesson.errors == []


async def test_screen_of_the_host_is_seen_by_all_until_it_is_taken_back(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host, panel = await lesson.host(browser), await lesson.panel(browser)
        await sees(panel, HOST, "teacher")
        await host.click('[data-action="share-screen"]')
        await sees(panel, HOST, "screen")
        # small writing is what a screen is shared for
        await panel.wait_for_function(
            "() => document.querySelector('video[data-source=screen]').videoWidth === 1920", timeout=WAIT
        )
        await pressed(host, '[data-action="share-screen"]')
        # the teacher's face for a moment: the screen goes on and waits
        await host.click('aside [data-action="select-source"][data-source="teacher"]')
        await sees(panel, HOST, "teacher")
        await host.click('aside [data-action="select-source"][data-source="screen"]')
        await sees(panel, HOST, "screen")
        await host.click('[data-action="share-screen"]')
        await sees(panel, HOST, "teacher")
        await host.wait_for_selector('[data-action="share-screen"][aria-pressed="false"]', timeout=WAIT)
        assert lesson.errors == []


async def test_screen_is_seen_though_the_browser_is_slow_to_obey(tmp_path: Path, migrated_sqlite: Path) -> None:
    """A new picture rests until it is chosen, and is chosen at once."""
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host, panel = await lesson.host(browser, script=SLOW_TO_OBEY), await lesson.panel(browser)
        await sees(panel, HOST, "teacher")
        await host.click('[data-action="share-screen"]')
        await sees(panel, HOST, "screen")
        assert lesson.errors == []


async def test_screen_that_cannot_be_read_is_told_and_a_change_of_mind_is_not(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host = await lesson.host(browser, script=UNREADABLE, lang="en")
        share, told = '[data-action="share-screen"]', '[data-code="screen_unreadable"]'
        await host.click(share)
        await host.wait_for_selector(told, timeout=WAIT)
        # so many words push no button off the screen
        assert await host.evaluate("() => document.querySelector('.dock').scrollWidth <= innerWidth")
        await host.click(share)
        await host.wait_for_selector(told, state="detached", timeout=WAIT)
        await host.click(share)
        await host.wait_for_selector(told, timeout=WAIT)
        assert lesson.errors == []


async def test_screen_that_sends_nothing_is_not_laid_to_the_rooms_line(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host, panel = await lesson.host(browser, script=SENDS_NOTHING), await lesson.panel(browser)
        await sees(panel, HOST, "teacher")
        await host.click('[data-action="share-screen"]')
        await panel.wait_for_selector('[data-view="audio"] .heard[data-why="not_sent"]', timeout=WAIT)
        assert "不是本教室的线路" in await panel.inner_text(".heard")
        await host.wait_for_selector('td[data-sees="unsent"]', timeout=WAIT)
        await host.click('[data-action="share-screen"]')
        await panel.wait_for_selector('[data-view="live"]', timeout=WAIT)
        await sees(panel, HOST, "teacher")
        assert lesson.errors == []


async def test_screen_taken_back_while_it_is_being_shown_is_not_chosen(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with live_county(tmp_path / "data", migrated_sqlite) as lesson, chromium_with(cameras=1) as browser:
        host, panel = await lesson.host(browser, script=SLOW_TO_SHARE), await lesson.panel(browser)
        await sees(panel, HOST, "teacher")
        share = '[data-action="share-screen"]'
        # a second press while the browser still asks is no second question
        await host.click(share)
        await host.click(share)
        await host.evaluate("() => { window.picked = true; }")
        await host.wait_for_selector(f'{share}[aria-pressed="true"]', timeout=WAIT)
        await host.click(share)
        await host.wait_for_selector(f'{share}[aria-pressed="false"]', timeout=WAIT)
        # the server knows of the screen, and of its end
        await host.evaluate("() => { window.answered = true; }")
        await host.wait_for_function("() => window.agreed === 2", timeout=WAIT)
        assert await host.evaluate("() => window.shared.map(track => track.readyState)") == ["ended"]
        session = lesson.county.app[live_key].running(lesson.session)
        assert session.room.participants[HOST].source == "teacher"
        assert lesson.errors == []


async def test_slides_that_are_closed_give_way_to_the_camera(tmp_path: Path, migrated_sqlite: Path) -> None:
    """A real tab is captured; it is closed, so the browser itself ends the picture, as its own "stop sharing" does."""
    async with (
        live_county(tmp_path / "data", migrated_sqlite) as lesson,
        chromium_with(cameras=1) as browser,
        chromium_with(TAB, without=(ANSWERS, FAKE)) as presenter,
    ):
        panel = await lesson.panel(browser)
        host = await lesson.host(presenter)
        slides = await host.context.new_page()
        await slides.goto(SLIDES)
        await host.bring_to_front()
        await host.wait_for_selector('.own [data-action="choose-devices"]', timeout=WAIT)
        await host.click('[data-action="share-screen"]')
        await sees(panel, HOST, "screen")
        await slides.close()
        await host.wait_for_selector('[data-action="share-screen"][aria-pressed="false"]', timeout=WAIT)
        await panel.wait_for_selector('video[data-source="screen"]', state="detached", timeout=WAIT)
        # nothing is left of this host but a place: the page says so and goes on
        await host.wait_for_selector(f'[data-room="{ROOM}"][data-state="connected"]', timeout=WAIT)
        assert lesson.errors == []

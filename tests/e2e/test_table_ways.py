"""A small county's table in real Chromium: the way out where there is none, why a slot will not do, another place for
a lesson that a school objects to, two directors at once, and tables that come in and go out by the pages' buttons."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec import structs
from playwright.async_api import FilePayload, Page, Route, expect

from server.keys import counties_key, importing_key, repairs_key, timetable_key
from tests.county_server import (
    MEMBER,
    SYNC,
    SYNC_REQUIREMENT,
    Caller,
    CountyServer,
    agree_on,
)
from tests.e2e.desks import Desks
from tests.e2e.test_pages import OVERFLOW, PHONE, UNTRANSLATED, WAIT
from tests.media_clients import until
from timetable.model import Register, SchoolUnit, Slot, Table
from timetable.solving.solver import solve
from timetable.term import local_date

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

TABLE = "/api/communities/A/timetable?version=draft"


async def a_draft(county: CountyServer) -> Caller:
    """Let the solver make a draft; the answer asks as the core school's director."""
    director = await county.person("core_director")
    register = (await county.app[counties_key].now()).register
    table = (await asyncio.to_thread(solve, register, "A", seconds=20, workers=1, improve_until=0)).table
    assert table is not None
    await county.app[timetable_key].take_draft("A", table, author="教务", revision=0)
    assert (await director.get(TABLE)).json["status"] == "draft"
    return director


async def overwork(county: CountyServer) -> None:
    """One teacher of the core school has eight lessons and may give one a day."""

    def changed(register: Register) -> Register:
        wanted = next(one for one in register.requirements if one.id == "A-r2")
        teacher = wanted.parties[0].teachers[0]
        return structs.replace(
            register,
            requirements=tuple(structs.replace(r, weekly=8) if r is wanted else r for r in register.requirements),
            teachers=tuple(structs.replace(t, max_per_day=1) if t.id == teacher else t for t in register.teachers),
        )

    await county.app[importing_key].edit(changed, "tests")


def file(name: str, content: str | bytes) -> FilePayload:
    body = content.encode("gb18030") if isinstance(content, str) else content
    return {"name": name, "mimeType": "application/octet-stream", "buffer": body}


async def nothing_is_cut_off(page: Page) -> None:
    assert await page.evaluate(UNTRANSLATED) == []
    assert (await page.evaluate(OVERFLOW))["right"] <= 0


async def test_where_no_table_exists_a_press_makes_the_cheapest_concession_and_builds(
    small: CountyServer, desks: Desks
) -> None:
    await overwork(small)
    page = await desks.open("core_director", "/timetable?tab=build&lang=en")
    await page.locator('[data-action="build"]').last.click()
    first = page.locator("[data-concession]").first
    await expect(first).to_be_visible(timeout=60_000)
    await expect(page.locator('.way-out[data-state="done"]')).to_be_visible(timeout=60_000)
    prices = [int(price or 0) for price in await page.locator("[data-price]").evaluate_all(PRICES)]
    assert prices == sorted(prices)
    assert await first.get_attribute("data-concession") == "teacher_day"
    assert await page.locator(".note.bad").count() == 1
    await nothing_is_cut_off(page)
    await first.locator('[data-action="concede"]').click()
    await expect(page.locator('.table-page[data-status="draft"]')).to_be_visible(timeout=60_000)
    register = (await small.app[counties_key].now()).register
    assert any(teacher.max_per_day == 2 for teacher in register.teachers)


PRICES = "rows => rows.map(row => row.dataset.price)"


async def test_who_may_not_move_a_lesson_sees_why_a_slot_will_not_do(small: CountyServer, desks: Desks) -> None:
    await a_draft(small)
    page = await desks.open("member_director", f"/timetable?version=draft&lesson={SYNC}&tab=lesson&lang=en")
    await page.locator(f'.les[data-lesson="{SYNC}"]').focus()
    await page.keyboard.press("m")
    await expect(page.locator('.cd[data-verdict="impossible"]').first).to_be_visible(timeout=WAIT)
    below = page.locator(".below")
    # the lesson may stand in the last period of a day, or in the first
    for key in (*["ArrowDown"] * 12, *["ArrowUp"] * 12):
        await page.keyboard.press(key)
        if await below.count() and await below.get_attribute("data-slot-verdict", timeout=WAIT) == "impossible":
            break
    assert await below.locator(".why li").count() > 0
    before = (await (await small.person("core_director")).get(TABLE)).json
    await page.keyboard.press("Enter")
    await page.locator('.cd[data-verdict="fits"], .cd[data-verdict="costs"]').first.click()
    await expect(page.locator('.below[data-slot-verdict="fits"], .below[data-slot-verdict="costs"]')).to_be_visible()
    assert await page.evaluate(UNTRANSLATED) == []
    await page.keyboard.press("Escape")
    await expect(page.locator(".cd")).to_have_count(0)
    assert (await (await small.person("core_director")).get(TABLE)).json == before


async def test_a_finger_asks_why_a_slot_will_not_do(small: CountyServer, desks: Desks) -> None:
    await a_draft(small)
    path = f"/timetable?version=draft&lesson={SYNC}&tab=lesson&lang=zh-CN"
    page = await desks.open("member_director", path, viewport=PHONE, has_touch=True)
    await page.locator('[data-action="look-slots"]').tap()
    await page.locator('.cd[data-verdict="impossible"]').first.tap(timeout=WAIT)
    await expect(page.locator(".carry-hint p").first).to_be_visible()
    assert await page.evaluate(UNTRANSLATED) == []


async def test_a_printed_draft_says_that_it_is_one(small: CountyServer, desks: Desks) -> None:
    await a_draft(small)
    page = await desks.open("core_director", "/timetable?version=draft&view=class&lang=en")
    head = page.locator(".wall-head")
    await expect(head).to_be_hidden(timeout=WAIT)
    await page.emulate_media(media="print")
    await expect(head).to_be_visible()
    await expect(head).to_contain_text("draft 1 (not published)")
    await expect(page.locator(".panel")).to_be_hidden()


async def test_the_slots_of_the_first_lesson_are_got_ready_by_the_page(small: CountyServer, desks: Desks) -> None:
    await a_draft(small)
    assert small.app[repairs_key].worker_process is None
    page = await desks.open("core_director", "/timetable?version=draft&lang=en")
    await expect(page.locator(".table-main [data-lesson]").first).to_be_visible(timeout=WAIT)
    await until(lambda: small.app[repairs_key].worker_process is not None)


async def test_an_objection_finds_its_lesson_the_slot_that_is_wanted(small: CountyServer, desks: Desks) -> None:
    director = await a_draft(small)
    view = (await director.get(TABLE)).json
    slots = (await director.get(f"/api/communities/A/slots?lesson={SYNC}")).json["slots"]
    wanted = next(slot for slot in slots if slot["verdict"] in ("fits", "costs"))
    await director.post("/api/communities/A/propose", {"revision": view["revision"]})
    member = await small.person("member_director")
    objection = {"reason": "操场那时在用", "lesson": SYNC, "counterWeekday": wanted["weekday"]}
    objection |= {"revision": view["revision"] + 1, "counterPeriod": wanted["period"]}
    assert (await member.post("/api/communities/A/object", objection)).status == 200
    page = await desks.open("core_director", "/timetable?version=draft&tab=nego&lang=en")
    row = page.locator(f'.ng[data-unit="{MEMBER}"]')
    await expect(row).to_have_attribute("data-state", "objected", timeout=WAIT)
    await row.locator('[data-action="seek-place"]').click()
    await page.locator('[data-action="accept-repair"]').click(timeout=WAIT)
    await expect(page.locator('.table-page[data-status="draft"]')).to_be_visible()
    after = (await director.get(TABLE)).json
    moved = next(lesson for lesson in after["lessons"] if lesson["id"] == SYNC)
    assert (moved["weekday"], moved["parties"][0]["period"]) == (wanted["weekday"], wanted["period"])
    before = {lesson["id"]: lesson for lesson in view["lessons"]}
    assert [one["id"] for one in after["lessons"] if one != before[one["id"]]] == [SYNC]


async def test_undo_never_goes_behind_a_repair_that_is_looked_at_or_on_its_way(
    small: CountyServer, desks: Desks
) -> None:
    director = await a_draft(small)

    async def slot() -> tuple[int, int]:
        found = next(lesson for lesson in (await director.get(TABLE)).json["lessons"] if lesson["id"] == SYNC)
        return found["weekday"], found["parties"][0]["period"]

    before = await slot()
    page = await desks.open("core_director", f"/timetable?version=draft&lesson={SYNC}&tab=lesson&lang=en")
    repair = page.locator(".repair .moves li")

    async def propose() -> None:
        await page.locator(f'.les[data-lesson="{SYNC}"]').focus(timeout=WAIT)
        await page.keyboard.press("m")
        await page.locator(".places li button").first.click(timeout=WAIT)
        await expect(repair).to_be_visible(timeout=WAIT)

    await propose()
    await page.keyboard.press("Control+z")
    await expect(repair).to_have_count(0, timeout=WAIT)
    assert await slot() == before
    held: list[Route] = []
    undone: list[str] = []
    await page.route("**/accept", lambda route: held.append(route))
    page.on("request", lambda request: undone.append(request.url) if request.url.endswith("/undo") else None)
    await propose()
    await page.locator('[data-action="accept-repair"]').click()
    await until(lambda: bool(held))
    await page.keyboard.press("Control+z")
    assert undone == []
    await held[0].continue_()
    await expect(repair).to_have_count(0, timeout=WAIT)
    assert await slot() != before
    await page.keyboard.press("Control+z")
    await expect(page.locator(".undo-said:not(.bad)")).to_be_visible(timeout=WAIT)
    assert await slot() == before
    for redo in ("Control+Shift+z", '[data-action="redo"]'):
        await (page.click(redo) if redo.startswith("[") else page.keyboard.press(redo))
        await expect(page.locator('[data-action="redo"]')).to_have_attribute("aria-disabled", "true", timeout=WAIT)
        assert await slot() != before
        await page.keyboard.press("Control+z")
        await expect(page.locator('[data-action="redo"]:not([aria-disabled])')).to_be_visible(timeout=WAIT)
        assert await slot() == before


async def locked(county: CountyServer, slots: Mapping[str, Slot]) -> Table:
    """A table in which these requirements stand there; afterwards nothing holds them."""

    def held(register: Register) -> Register:
        return structs.replace(
            register,
            requirements=tuple(
                structs.replace(r, locked=(slots[r.id],) if r.id in slots else ()) for r in register.requirements
            ),
        )

    register = (await county.app[counties_key].now()).register
    table = (await asyncio.to_thread(solve, held(register), "A", seconds=20, workers=1, improve_until=0)).table
    assert table is not None
    return table


async def test_a_drop_that_moves_many_says_so_and_names_a_slot_that_does_not(small: CountyServer, desks: Desks) -> None:
    def busier(register: Register) -> Register:
        """Each class of the three schools has one lesson more."""
        known = next(one for one in register.requirements if one.id == SYNC_REQUIREMENT)
        own = (
            structs.replace(known, id=f"A-own{number}", kind="local", parties=(party,))
            for number, party in enumerate(known.parties)
        )
        return structs.replace(register, requirements=(*register.requirements, *own))

    await small.app[importing_key].edit(busier, "tests")
    there = {f"A-own{number}": Slot(weekday=3, period=6) for number in range(3)}
    table = await locked(small, {SYNC_REQUIREMENT: Slot(weekday=1, period=7), **there})
    await small.app[timetable_key].take_draft("A", table, author="教务", revision=0)
    page = await desks.open("core_director", f"/timetable?version=draft&lesson={SYNC}&tab=lesson&lang=en")
    await page.locator(f'.les[data-lesson="{SYNC}"]').focus(timeout=WAIT)
    await page.keyboard.press("m")
    await page.locator('.cd[data-slot="3.6"]').first.click(timeout=WAIT)
    repair = page.locator(".repair")
    await expect(repair).to_have_attribute("data-moves", "4", timeout=WAIT)
    await expect(repair.locator('[data-schools="3"]')).to_be_visible()
    await expect(repair.locator("details[data-school]")).to_have_count(3)
    await expect(page.locator('[data-action="accept-repair"]')).to_contain_text("4")
    await expect(repair.locator("[data-elsewhere]")).to_be_visible(timeout=WAIT)
    await nothing_is_cut_off(page)
    await page.locator('[data-action="look-elsewhere"]').click()
    await expect(repair).to_have_attribute("data-moves", "1")
    await page.locator('[data-action="accept-repair"]').click()
    await expect(repair).to_have_count(0, timeout=WAIT)
    after = (await (await small.person("core_director")).get(TABLE)).json["lessons"]
    before = {lesson.id: (lesson.weekday, lesson.host.period) for lesson in table.lessons}
    moved = [one["id"] for one in after if (one["weekday"], one["parties"][0]["period"]) != before[one["id"]]]
    assert moved == [SYNC]


async def test_a_lesson_of_today_is_changed_until_it_begins(small: CountyServer, desks: Desks) -> None:
    today = local_date(time.time())

    def every_other_week(register: Register) -> Register:
        odd = (structs.replace(r, weeks="odd") if r.id == SYNC_REQUIREMENT else r for r in register.requirements)
        return structs.replace(register, requirements=tuple(odd))

    # the term's seventh week is this one
    await small.app[importing_key].edit(every_other_week, "tests")
    table = await locked(small, {SYNC_REQUIREMENT: Slot(weekday=today.isoweekday(), period=6)})
    await agree_on(small.app[timetable_key], table, tuple(unit.id for unit in await core_units(small)))
    page = await desks.open("core_director", "/")
    for clock, offered in (("00:01", 1), ("23:58", 0)):
        await page.clock.set_fixed_time(f"{today.isoformat()}T{clock}:00+08:00")
        await page.goto(f"{small.base}/timetable?lesson={SYNC}&tab=lesson&lang=zh-CN")
        await expect(page.locator(".panel .costs-head").first).to_be_visible(timeout=WAIT)
        await expect(page.locator('[data-action="move-lesson"]')).to_have_count(offered)
        await expect(page.locator("[data-past]")).to_have_count(1 - offered)
    await page.goto(f"{small.base}/timetable?lesson={SYNC}&tab=lesson&week=8&plan=weekly&lang=en")
    await expect(page.locator("[data-past]")).to_contain_text("not held in this week", timeout=WAIT)
    await expect(page.locator('[data-action="move-lesson"]')).to_have_count(0)
    assert await page.evaluate(UNTRANSLATED) == []


async def test_a_version_says_what_it_changed_for_each_school(small: CountyServer, desks: Desks) -> None:
    units = tuple(unit.id for unit in await core_units(small))
    for weekday, own in ((1, 2), (2, 4)):
        slots = {SYNC_REQUIREMENT: Slot(weekday=weekday, period=6)}
        table = await locked(small, slots)
        lessons = tuple(
            structs.replace(one, weekday=own + int(one.id[-1])) if one.kind == "local" else one for one in table.lessons
        )
        await agree_on(small.app[timetable_key], structs.replace(table, lessons=lessons), units)
    page = await desks.open("core_director", "/")
    # a part of the page that does not come can be asked for again
    parts = "**/assets/versions-*.js"
    await page.route(parts, lambda route: route.abort())
    await page.goto(f"{small.base}/timetable?tab=versions&lang=zh-CN")
    again = page.locator(".panel .note-act button")
    await expect(again).to_be_visible(timeout=WAIT)
    await page.unroute(parts)
    await again.click()
    await page.locator('[data-action="version-diff"]').first.click(timeout=WAIT)
    changes = page.locator('[data-diff="2"] li[data-change="moved"]')
    await expect(changes).to_have_count(3, timeout=WAIT)
    await page.locator(".diffs select").select_option(MEMBER)
    await expect(changes).to_have_count(1)
    await expect(changes.locator("s")).to_have_text("周一第6节")
    await expect(changes.locator(".diff-what b")).to_have_text("周二第6节")
    await nothing_is_cut_off(page)


async def core_units(county: CountyServer) -> Sequence[SchoolUnit]:
    """The schools of the first community, the core school first."""
    known = await county.app[counties_key].now()
    return known.units_of(known.community("A"))


async def test_of_two_directors_the_second_sees_what_the_first_changed(small: CountyServer, desks: Desks) -> None:
    principal = await small.person("core_principal")
    await a_draft(small)
    page = await desks.open("core_director", "/timetable?version=draft&tab=nego&lang=en")
    propose = page.locator('.panel [data-action="propose"]')
    await expect(propose).to_be_visible(timeout=WAIT)
    view = (await principal.get(TABLE)).json
    slots = (await principal.get(f"/api/communities/A/slots?lesson={SYNC}")).json["slots"]
    free = next(slot for slot in slots if slot["verdict"] in ("fits", "costs"))
    move = {"revision": view["revision"], "lesson": SYNC, "weekday": free["weekday"], "period": free["period"]}
    repair = (await principal.post("/api/communities/A/repairs", move)).json
    await principal.post(f"/api/communities/A/repairs/{repair['id']}/accept")
    await propose.click()
    conflict = page.locator('[data-state="conflict"]')
    await expect(conflict.locator('[data-change="moved"]')).to_have_count(1, timeout=WAIT)
    await expect(conflict).to_contain_text("某core_principal")
    await expect(conflict).to_contain_text("Propose the draft")
    await nothing_is_cut_off(page)
    await conflict.locator('[data-action="do-again"]').click()
    await expect(page.locator('.table-page[data-status="proposed"]')).to_be_visible(timeout=WAIT)
    assert (await principal.get(TABLE)).json["negotiation"]["state"] == "proposed"


async def test_a_schools_own_table_is_looked_at_mended_and_taken(small: CountyServer, desks: Desks) -> None:
    page = await desks.open("core_director", "/import?kind=own&lang=en")
    choose = page.locator('input[type="file"]')
    head = "班级,星期,节次,学科,教师\n"
    await choose.set_input_files([file("空.csv", "")])
    # the same file may be chosen again once it is mended
    assert await choose.input_value() == ""
    await page.locator('[data-action="check-import"]').click()
    await expect(page.locator('[data-finding="file_empty"]')).to_be_visible(timeout=WAIT)
    # where there are no good rows, none are offered
    assert await page.locator('[data-action="import-good-rows"]').count() == 0
    await choose.set_input_files([file("表.csv", f"{head}A0-5-1班,周一,2,语文,\n九(9)班,周二,2,语文,\n")])
    await page.locator('[data-action="check-import"]').click()
    fault = page.locator('[data-finding="own_row_unreadable"], [data-finding="own_class_unknown"]')
    await expect(fault).to_contain_text("表.csv", timeout=WAIT)
    await expect(fault).to_contain_text("row 3")
    await nothing_is_cut_off(page)
    await choose.set_input_files([file("表.csv", f"{head}A0-5-1班,周一,2,语文,\n")])
    await page.locator('[data-action="check-import"]').click()
    await page.locator('[data-action="import"]').click(timeout=WAIT)
    await expect(page.locator(".note.ok")).to_be_visible(timeout=WAIT)
    await expect(page.locator('[data-action="import"]')).to_have_count(0)
    register = (await small.app[counties_key].now()).register
    locked = next(one.locked for one in register.requirements if one.id == "A-r2")
    assert [(slot.weekday, slot.period) for slot in locked] == [(1, 2)]


async def test_calendars_and_fet_files_come_in_by_their_buttons(small: CountyServer, desks: Desks) -> None:
    first = (await small.app[counties_key].now()).register.term.week_one.replace("-", "")
    calendar = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:{first}T000000Z\r\n"
        f"DTSTART;TZID=Asia/Shanghai:{first}T080000\r\nDTEND;TZID=Asia/Shanghai:{first}T090000\r\n"
        "RRULE:FREQ=WEEKLY;COUNT=12\r\nSUMMARY:Duty\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    page = await desks.open("member_director", "/import?kind=calendar&lang=en")
    await page.locator('input[type="file"]').set_input_files([file("日历.ics", calendar)])
    await page.locator('[data-action="check-import"]').click()
    await expect(page.locator(".taken-times li")).to_contain_text("Duty", timeout=WAIT)
    await nothing_is_cut_off(page)
    await page.locator('[data-action="import"]').click()
    await expect(page.locator('[data-action="import"]')).to_have_count(0, timeout=WAIT)
    register = (await small.app[counties_key].now()).register
    assert sum(len(teacher.unavailable) for teacher in register.teachers) == 1
    school = (
        b"<fet version='6.8.5'><Institution_Name>North</Institution_Name><Days_List><Day><Name>Monday</Name></Day>"
        b"</Days_List><Hours_List><Hour><Name>1</Name></Hour></Hours_List><Students_List><Year><Name>5a</Name></Year>"
        b"</Students_List><Activities_List><Activity><Teacher>Li</Teacher><Subject>Art</Subject><Students>5a</Students>"
        b"<Duration>1</Duration><Id>1</Id><Activity_Group_Id>0</Activity_Group_Id><Active>true</Active></Activity>"
        b"</Activities_List></fet>"
    )
    bureau = await desks.open("bureau_admin", "/import?kind=fet&lang=zh-CN")
    await bureau.locator('input[name="unit"]').fill("north")
    await bureau.locator('input[type="file"]').set_input_files([file("学校.fet", school)])
    await bureau.locator('[data-action="check-import"]').click()
    await expect(bureau.locator('[data-finding="fet_hours_assumed"]')).to_be_visible(timeout=WAIT)
    await nothing_is_cut_off(bureau)
    await bureau.locator('[data-action="import"]').click()
    await expect(bureau.locator('[data-action="import"]')).to_have_count(0, timeout=WAIT)
    assert (await small.app[counties_key].now()).unit("north").name == "North"


async def test_who_may_not_import_is_told_so(desks: Desks) -> None:
    for name in ("core_teacher", "researcher", "core_principal", "bureau_viewer"):
        page = await desks.open(name, "/import?lang=en")
        await expect(page.locator('[data-state="not-permitted"]')).to_be_visible(timeout=WAIT)
        assert await page.locator('input[type="file"]').count() == 0


async def test_the_table_is_taken_away_in_every_form(small: CountyServer, desks: Desks) -> None:
    await a_draft(small)
    page = await desks.open("core_director", "/timetable?version=draft&lang=en")
    await page.locator('[data-action="take-away"]').click()
    dialog = page.locator("dialog")
    save = dialog.locator('[data-action="save-table"]')
    # printing is what is offered first, with what it takes; the page to print has no script to run
    said = dialog.locator("[data-sheets]")
    await expect(said).to_have_attribute("data-smallest", re.compile(r"^(9|1\d)"), timeout=WAIT)
    async with page.context.expect_page() as opening:
        await dialog.locator('[data-action="print-table"]').click()
    printed = await opening.value
    await expect(printed.locator("section.sheet")).to_have_count(
        int(await said.get_attribute("data-sheets") or 0), timeout=WAIT
    )
    await printed.close()
    for form, audience, begins in (
        ("xlsx", "class", b"PK"),
        ("csv", "teacher", b"\xef\xbb\xbf"),
        ("json", "unit", b"{"),
    ):
        await dialog.locator(f'[data-value="{form}"]').click()
        await dialog.locator(f'[data-value="{audience}"]').click()
        await dialog.locator('select[name="target"]').select_option(index=1)
        async with page.expect_download() as waiting:
            await save.click()
        taken = await waiting.value
        assert taken.suggested_filename.endswith(f".{form}")
        assert Path(await taken.path()).read_bytes().startswith(begins)
    assert await dialog.locator('[data-value="ics"]').count() == 0
    await dialog.locator('[data-value="fet"]').click()
    await expect(dialog.locator('[data-finding="fet_bells"]')).to_be_visible(timeout=WAIT)
    await nothing_is_cut_off(page)
    async with page.expect_download() as waiting:
        await save.click()
    assert (await waiting.value).suggested_filename.endswith(".fet")


async def test_what_another_school_would_have_to_concede_has_no_button(small: CountyServer, desks: Desks) -> None:
    def changed(register: Register) -> Register:
        member = next(
            party.teachers[0]
            for r in register.requirements
            if r.id == SYNC_REQUIREMENT
            for party in r.parties
            if party.unit == MEMBER
        )
        return structs.replace(
            register,
            requirements=tuple(
                structs.replace(r, weekly=8) if r.id == SYNC_REQUIREMENT else r for r in register.requirements
            ),
            teachers=tuple(structs.replace(t, max_per_day=1) if t.id == member else t for t in register.teachers),
        )

    await small.app[importing_key].edit(changed, "tests")
    # another of the school's people looks already; this page takes it up
    principal = await small.person("core_principal")
    assert (await principal.post("/api/communities/A/explanations", {"seconds": 120})).status == 201
    page = await desks.open("core_director", "/timetable?tab=build&lang=en")
    theirs = page.locator('[data-concession="teacher_day"]')
    await expect(theirs).to_be_visible(timeout=60_000)
    assert await theirs.locator('[data-action="concede"]').count() == 0
    name = (await small.app[counties_key].now()).unit(MEMBER).name
    await expect(theirs).to_contain_text(name)

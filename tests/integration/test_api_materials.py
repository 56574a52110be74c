"""Materials over HTTP: added by the host, read by those of the lesson, shown in its rooms, and gone when deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from server.keys import live_key, materials_key, settings_key
from signaling.events import Joined
from signaling.materials import OpenMaterial
from signaling.messages import Ack
from signaling.session import LiveSession
from tests.county_server import CORE, MEMBER, SYNC, Answer, Caller, CountyServer, running_county
from tests.material_files import pdf, picture
from tests.media_clients import until
from timetable.term import local_date

DAY_AHEAD = f"{SYNC}.{local_date(time.time()) + timedelta(days=2)}"


def form(*files: bytes, name: str = "光的反射.pdf") -> FormData:
    made = FormData(quote_fields=False)
    for number, content in enumerate(files):
        made.add_field("file", BytesIO(content), filename=name if number == 0 else f"{number}-{name}")
    return made


async def upload(
    caller: Caller,
    *files: bytes,
    session: str = DAY_AHEAD,
    kind: str = "guide_sheet",
    title: str = "导学单",
    **more: str,
) -> Answer:
    query = {"kind": kind, "title": title, **more}
    return await caller.ask("POST", f"/api/sessions/{session}/materials", params=query, data=form(*files))


async def listed(caller: Caller, session: str = DAY_AHEAD) -> list[dict[str, Any]]:
    view = (await caller.get(f"/api/sessions/{session}/materials")).json
    rows: list[dict[str, Any]] = view["materials"]
    return rows


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - the condition is behind HTTP
            await asyncio.sleep(0.05)


def kept(county: CountyServer) -> list[Path]:
    folder = county.app[settings_key].materials_dir
    return [file for file in folder.rglob("*") if file.is_file()]


async def test_host_adds_replaces_and_deletes(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    added = await upload(host, pdf(3))
    assert added.status == 201
    row = added.json
    assert (row["kind"], row["title"], row["weekly"]) == ("guide_sheet", "导学单", False)
    (version,) = row["versions"]
    assert (version["number"], version["fileName"], version["addedBy"]) == (1, "光的反射.pdf", "某host_teacher")
    assert version["pages"] == [[1131, 1600]] * 3

    replaced = await upload(host, picture(), picture("JPEG"), replaces=row["id"])
    assert [(v["number"], len(v["pages"]), v["original"]) for v in replaced.json["versions"]] == [
        (2, 2, False),
        (1, 3, True),
    ]
    assert await listed(host) == [replaced.json]
    # the first version can still be had: a lesson may have it open
    old = await host.get(f"/api/sessions/{DAY_AHEAD}/materials/{version['id']}/pages/3")
    assert (old.status, old.headers["Content-Type"]) == (200, "image/webp")
    assert "immutable" in old.headers["Cache-Control"]
    assert old.headers["Cache-Control"].startswith("private")
    small = await host.get(f"/api/sessions/{DAY_AHEAD}/materials/{version['id']}/pages/3?size=small")
    assert 0 < len(small.body) < len(old.body)
    file = await host.get(f"/api/sessions/{DAY_AHEAD}/materials/{version['id']}/file")
    assert file.body == pdf(3)
    assert file.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%85%89")
    assert len(kept(county)) == 11

    assert (await host.delete(f"/api/sessions/{DAY_AHEAD}/materials/{row['id']}")).status == 204
    assert await listed(host) == []
    assert kept(county) == []
    gone = await host.get(f"/api/sessions/{DAY_AHEAD}/materials/{version['id']}/pages/1")
    assert gone.refusal == (404, "material_not_found")
    again = await host.delete(f"/api/sessions/{DAY_AHEAD}/materials/{row['id']}")
    assert again.refusal == (404, "material_not_found")


async def test_a_week_has_its_own_materials_beside_those_of_every_week(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    await upload(host, picture(), title="每周的", weekly="1")
    await upload(host, picture(), title="这天的")
    following = f"{SYNC}.{local_date(time.time()) + timedelta(days=9)}"
    assert [row["title"] for row in await listed(host)] == ["每周的", "这天的"]
    assert [row["title"] for row in await listed(host, following)] == ["每周的"]
    rehearsal = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    assert [row["title"] for row in await listed(host, rehearsal)] == ["每周的"]


async def test_those_of_the_lesson_read_and_its_host_alone_changes(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    sheet = (await upload(host, pdf(1))).json
    design = (await upload(host, pdf(1), kind="lesson_design", title="教学设计")).json
    pages = {row["id"]: f"/api/sessions/{DAY_AHEAD}/materials/{row['versions'][0]['id']}" for row in (sheet, design)}
    readers = ["core_director", "convenor", "member_teacher", "third_teacher", "researcher", "bureau_viewer"]
    for name in readers:
        reader = await county.person(name)
        assert [row["id"] for row in await listed(reader)] == [sheet["id"], design["id"]], name
        assert (await reader.get(f"{pages[design['id']]}/pages/1")).status == 200
    panel = await county.panel(MEMBER)
    assert [row["id"] for row in await listed(panel)] == [sheet["id"]]
    assert (await panel.get(f"{pages[sheet['id']]}/pages/1")).status == 200
    assert (await panel.get(f"{pages[design['id']]}/pages/1")).refusal == (404, "material_not_found")
    assert (await panel.get(f"{pages[sheet['id']]}/file")).refusal == (403, "not_in_lesson")
    for stranger in (await county.person("foreign_teacher"), await county.panel("B0")):
        assert (await stranger.get(f"/api/sessions/{DAY_AHEAD}/materials")).refusal == (403, "not_in_lesson")
        assert (await stranger.get(f"{pages[sheet['id']]}/pages/1")).refusal == (403, "not_in_lesson")
    assert (await county.nobody.get(f"{pages[sheet['id']]}/pages/1")).refusal == (401, "not_signed_in")
    for name in ("member_teacher", "researcher", "bureau_viewer"):
        other = await county.person(name)
        assert (await upload(other, pdf(1))).refusal == (403, "not_in_lesson")
        assert (await other.delete(f"/api/sessions/{DAY_AHEAD}/materials/{sheet['id']}")).refusal == (
            403,
            "not_in_lesson",
        )
        assert not (await other.get(f"/api/sessions/{DAY_AHEAD}/materials")).json["mayChange"]


async def test_another_lesson_s_material_is_not_reached_through_one_s_own(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    version = (await upload(host, picture(), session=DAY_AHEAD)).json["versions"][0]["id"]
    foreign = await county.person("foreign_teacher")
    own = next(row["id"] for row in (await foreign.get(f"/api/sessions?date={DAY_AHEAD[-10:]}")).json if row["role"])
    reached = await foreign.get(f"/api/sessions/{own}/materials/{version}/pages/1")
    assert reached.refusal == (404, "material_not_found")


async def test_what_cannot_become_a_material_leaves_nothing(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    refused = [
        ((b"GIF89a" + b"\0" * 5000,), (415, "material_wrong_type")),
        ((b"PK\x03\x04 a word processor's file",), (415, "material_wrong_type")),
        ((b"",), (415, "material_wrong_type")),
        ((pdf(1), picture()), (415, "material_wrong_type")),
        ((pdf(encrypted=True),), (422, "material_encrypted")),
        ((pdf(121),), (422, "material_too_many_pages")),
        ((b"%PDF-1.7 broken",), (422, "material_unreadable")),
        ((picture()[:200],), (422, "material_unreadable")),
        ((), (400, "malformed_body")),
    ]
    for files, refusal in refused:
        assert (await upload(host, *files)).refusal == refusal
    assert (await upload(host, pdf(1), kind="test_paper")).refusal == (422, "invalid_body")
    assert (await upload(host, pdf(1), title=" ")).refusal == (422, "invalid_body")
    assert (await upload(host, pdf(1), replaces="absent")).refusal == (404, "material_not_found")
    path = f"/api/sessions/{DAY_AHEAD}/materials?kind=exercise&title=x"
    assert (await host.ask("POST", path, data=pdf(1))).refusal == (400, "malformed_body")
    assert await listed(host) == []
    assert kept(county) == []


async def test_an_upload_is_stopped_at_its_limit(tmp_path: Path, migrated_sqlite: Path) -> None:
    async with running_county(tmp_path / "data", migrated_sqlite, TONGKE_MATERIALS_UPLOAD_MB="1") as county:
        host = await county.person("host_teacher")
        assert (await upload(host, pdf(1) + b"\0" * (1 << 20))).refusal == (413, "material_too_large")
        half = picture() + b"\0" * (600 << 10)
        assert (await upload(host, half, half)).refusal == (413, "material_too_large")
        assert kept(county) == []


async def test_an_upload_given_up_is_not_kept(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    uploading = asyncio.create_task(upload(host, pdf(120)))

    async def drawn() -> bool:
        view = (await host.get(f"/api/sessions/{DAY_AHEAD}/materials")).json
        return any(entry["done"] for entry in view["preparing"])

    async def nothing_left() -> bool:
        view = (await host.get(f"/api/sessions/{DAY_AHEAD}/materials")).json
        return not view["preparing"] and not kept(county)

    await eventually(drawn)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    await eventually(nothing_left)
    assert await listed(host) == []


async def test_rooms_of_a_running_lesson_learn_of_every_change(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    await upload(host, pdf(2), title="课前放好的", weekly="1")
    session = (await host.post("/api/sessions", {"lesson": SYNC})).json["id"]
    running = county.app[live_key].running(session)
    assert [one.title for one in running.room.board.shelf] == ["课前放好的"]
    await upload(host, pdf(2), session=session, kind="lesson_design", title="教学设计")
    added = (await upload(host, pdf(2), session=session, kind="exercise", title="课中加的")).json
    assert [one.title for one in running.room.board.shelf] == ["课前放好的", "课中加的"]
    await upload(host, pdf(5), session=session, kind="exercise", title="课中加的", replaces=added["id"])
    newest = running.room.board.shelf[1]
    assert (newest.number, len(newest.pages), newest.material) == (2, 5, added["id"])

    open_by_host(running, newest.version)
    in_use = await host.delete(f"/api/sessions/{session}/materials/{added['id']}")
    assert in_use.refusal == (409, "material_in_use")
    open_by_host(running, "blank")
    assert (await host.delete(f"/api/sessions/{session}/materials/{added['id']}")).status == 204
    assert [one.title for one in running.room.board.shelf] == ["课前放好的"]


def open_by_host(running: LiveSession, version: str) -> None:
    running.programs.enter(Joined(participant="host", role="host", unit=CORE, unit_name=CORE, name="主讲"))
    answer = running.obey("host", OpenMaterial(msg_id=f"open-{version}", version=version))
    assert isinstance(answer, Ack)


async def test_what_a_crash_left_is_swept_at_the_next_start(tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = tmp_path / "data"
    async with running_county(folder, migrated_sqlite) as county:
        host = await county.person("host_teacher")
        row = (await upload(host, pdf(1))).json
        blobs = folder / "materials" / "blobs"
        (blobs / "00").mkdir()
        (blobs / "00" / ("00" * 32)).write_bytes(b"nobody needs this")
        half = county.app[materials_key].new_folder() / "file-0"
        half.write_bytes(b"%PDF-")
    async with running_county(folder, migrated_sqlite, furnished=False) as county:
        await until(lambda: not half.exists() and len(kept(county)) == 3)
        host = await county.person("host_teacher")
        assert await listed(host) == [row]


async def test_a_disk_that_refuses_is_said_and_nothing_is_kept(county: CountyServer) -> None:
    host = await county.person("host_teacher")
    folder = county.app[settings_key].materials_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "blobs").write_bytes(b"no folder can be here")
    assert (await upload(host, pdf(1))).refusal == (507, "material_unwritable")
    assert await listed(host) == []
    assert [file.name for file in kept(county)] == ["blobs"]

"""Pages are drawn in a process of its own, and no file of a stranger's does more than be refused."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from PIL import Image

from server.materials.errors import (
    MaterialEncrypted,
    MaterialError,
    MaterialTooHeavy,
    MaterialTooManyPages,
    MaterialUnreadable,
)
from server.materials.pictures import PagePictures
from tests.material_files import pdf, picture, sideways_photo


async def draw(folder: Path, *files: bytes, most: int = 20, seconds: float = 60.0) -> tuple[tuple[int, int], ...]:
    folder.mkdir(exist_ok=True)
    paths = []
    for number, content in enumerate(files):
        paths.append(folder / f"file-{number}")
        paths[-1].write_bytes(content)
    return await PagePictures(seconds).draw(paths, folder, most, lambda done, pages: None)


async def test_every_page_becomes_two_pictures(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    file = tmp_path / "file"
    file.write_bytes(pdf(3))
    sizes = await PagePictures().draw([file], tmp_path, 20, lambda done, pages: told.append((done, pages)))
    assert sizes == ((1131, 1600),) * 3
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    for number in (1, 2, 3):
        with Image.open(tmp_path / f"{number}.large") as large, Image.open(tmp_path / f"{number}.small") as small:
            assert (large.format, large.size, small.size) == ("WEBP", (1131, 1600), (452, 640))
            darkest = min(large.convert("L").tobytes())
        assert darkest < 64  # something is written on it
        assert (tmp_path / f"{number}.large").stat().st_size < 40_000


async def test_pictures_are_a_page_each_and_stand_upright(tmp_path: Path) -> None:
    files = [picture("PNG", 3200, 1800), picture("WEBP"), sideways_photo()]
    assert await draw(tmp_path, *files) == ((1600, 900), (800, 600), (600, 800))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (pdf(encrypted=True), MaterialEncrypted),
        (pdf(21), MaterialTooManyPages),
        (pdf(0), MaterialUnreadable),
        (b"%PDF-1.7 and nothing else", MaterialUnreadable),
        (b"%PDF-", MaterialUnreadable),
        (pdf()[:90], MaterialUnreadable),
        (picture()[:300], MaterialUnreadable),
        (b"\xff\xd8\xff" + b"\0" * 2000, MaterialUnreadable),
        (b"GIF89a" + b"\0" * 100, MaterialUnreadable),
        (b"", MaterialUnreadable),
    ],
    ids=["encrypted", "long", "empty", "no body", "head only", "cut pdf", "cut png", "false jpeg", "gif", "nothing"],
)
async def test_what_cannot_be_drawn_is_refused_by_its_code(
    tmp_path: Path, content: bytes, error: type[MaterialError]
) -> None:
    with pytest.raises(error):
        await draw(tmp_path, content)


async def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (9_000, 9_000)).save(bomb)
    assert bomb.stat().st_size < 200_000
    with pytest.raises(MaterialTooHeavy):
        await draw(tmp_path / "out", bomb.read_bytes())


async def test_a_page_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    circles = b"".join(
        f"0.1 w {x % 500} {x % 800} m {x % 90} 10 {x % 70} 20 {x % 300} {x % 200} c S\n".encode()
        for x in range(200_000)
    )
    with pytest.raises(MaterialTooHeavy):
        await draw(tmp_path, pdf(20, content=circles), seconds=1.0)


async def test_whoever_gives_up_leaves_no_process(tmp_path: Path) -> None:
    began = asyncio.Event()
    file = tmp_path / "file"
    file.write_bytes(pdf(120))
    drawing = asyncio.create_task(PagePictures().draw([file], tmp_path, 120, lambda done, pages: began.set()))
    await began.wait()
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    drawn = len(list(tmp_path.glob("*.large")))
    assert drawn < 120
    await asyncio.sleep(0)
    assert len(list(tmp_path.glob("*.large"))) == drawn


@pytest.mark.slow
async def test_broken_files_are_drawn_or_refused_and_nothing_else(tmp_path: Path) -> None:
    """Whatever is done to good files, the answer is pictures or a code, within the time a page may take."""
    rng = random.Random(7)
    good = [pdf(2), picture("PNG", 90, 60), picture("JPEG", 90, 60), picture("WEBP", 90, 60)]
    outcomes: dict[str, int] = {}

    async def attempt(number: int) -> None:
        content = bytearray(rng.choice(good))
        for _ in range(rng.choice([1, 3, 20, 200])):
            place = rng.randrange(len(content))
            match rng.randrange(4):
                case 0:
                    content[place] = rng.randrange(256)
                case 1:
                    del content[place : place + rng.randrange(1, 40)]
                case 2:
                    content[place:place] = content[place : place + 60]
                case 3:
                    content[place : place + 4] = rng.choice([b"9999", b"-1 0", b"\xff\xff\xff\xff", b"\0\0\0\0"])
            content = content or bytearray(b"%PDF-")
        try:
            await draw(tmp_path / str(number), bytes(content), seconds=20.0)
            outcome = "drawn"
        except MaterialError as error:
            outcome = error.code
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    for first in range(0, 24, 2):
        await asyncio.gather(attempt(first), attempt(first + 1))
    assert outcomes.keys() <= {"drawn", "material_unreadable", "material_too_heavy", "material_encrypted"}
    assert outcomes["drawn"] > 0
    assert outcomes["material_unreadable"] > 0

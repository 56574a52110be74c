"""The process that draws the pages of one material: `python -I draw_pages.py FOLDER MOST_PAGES FILE...`.

It reads what strangers made, so it runs alone: with limits on its memory, its processor time, its files, and without
our modules. Every page becomes two WebP pictures in FOLDER, `N.large` and `N.small`. Each line on standard output is
a JSON object: `{"pages": N}`, then `{"page": N, "width": W, "height": H}` for each, or `{"refused": CODE, ...}`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pypdfium2
from PIL import Image, ImageOps

LARGE, SMALL = 1600, 640
"""Pixels of the longer edge: for the panel, and for a line that cannot wait and the thumbs."""
MEMORY_BYTES = 1280 << 20
PROCESSOR_SECONDS = 90
FILE_BYTES = 32 << 20
MOST_PIXELS = 64_000_000
"""Of a picture that somebody hands in; a telephone's camera makes 12 to 50 million."""
FEW_COLOURS = 4096
"""A page with fewer is writing or drawing: kept exactly it is smaller, and sharper, than as a photo."""
SHADES = tuple(round(value / 17) * 17 for value in range(256))
"""16 of them for each colour: the edges of letters stay smooth, and the picture becomes half as large."""
NICE = 10


class Refused(Exception):
    """Why there are no pictures."""

    def __init__(self, reason: str, **values: int) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


def confine() -> None:
    """Give up what drawing pages does not need; a lesson on the same machine goes first."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def tell(**line: object) -> None:
    print(json.dumps(line), flush=True)


def draw(folder: Path, most: int, files: list[Path]) -> None:
    """Draw all pages of `files`: one PDF, or pictures of a page each."""
    first = 1
    for file in files:
        pages = pdf_pages(file, most) if is_pdf(file) else iter([picture(file)])
        if not is_pdf(file) and first == 1:
            tell(pages=len(files))
        for page in pages:
            width, height = write(page, folder, first)
            tell(page=first, width=width, height=height)
            first += 1


def is_pdf(file: Path) -> bool:
    with file.open("rb") as opened:
        return b"%PDF-" in opened.read(1024)


def pdf_pages(file: Path, most: int) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        locked = code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY)
        raise Refused("material_encrypted" if locked else "material_unreadable") from error
    count = len(document)
    if not 1 <= count <= most:
        raise Refused("material_too_many_pages", pages=count, most=most) if count else Refused("material_unreadable")
    tell(pages=count)
    try:
        if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
            document.init_forms()
        for number in range(count):
            page = document[number]
            width, height = page.get_size()
            if width <= 0 or height <= 0:
                raise Refused("material_unreadable")
            bitmap = page.render(scale=LARGE / max(width, height))
            yield bitmap.to_pil().convert("RGB")
            bitmap.close()
            page.close()
    except pypdfium2.PdfiumError as error:
        raise Refused("material_unreadable") from error


def picture(file: Path) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # refused below by our own limit, for all formats alike
    try:
        with Image.open(file, formats=["PNG", "JPEG", "WEBP"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused("material_too_heavy")
            opened.draft("RGB", (LARGE, LARGE))  # a large photo is decoded small
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                white = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(white, upright)
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, TypeError, IndexError, KeyError, EOFError, OverflowError) as error:
        # the readers of pictures say in many ways that the bytes are broken
        raise Refused("material_unreadable") from error


def write(page: Image.Image, folder: Path, number: int) -> tuple[int, int]:
    """Write both pictures of a page and return the size of the large one, in pixels."""
    large = fit(page, LARGE)
    save(large, folder / f"{number}.large")
    save(fit(large, SMALL), folder / f"{number}.small")
    return large.size


def fit(page: Image.Image, edge: int) -> Image.Image:
    if max(page.size) <= edge:
        return page
    scale = edge / max(page.size)
    size = (max(1, round(page.width * scale)), max(1, round(page.height * scale)))
    return page.resize(size, Image.Resampling.LANCZOS)


def save(page: Image.Image, target: Path) -> None:
    """Write the smaller of a photo's and a drawing's encoding."""
    encoded = BytesIO()
    page.save(encoded, "WEBP", quality=72, method=4)
    if page.getcolors(FEW_COLOURS) is not None:
        exact = BytesIO()
        page.point(SHADES * len(page.getbands())).save(exact, "WEBP", lossless=True, quality=80, method=6)
        encoded = min(encoded, exact, key=lambda made: made.getbuffer().nbytes)
    target.write_bytes(encoded.getbuffer())


def main(arguments: list[str]) -> int:
    confine()
    folder, most, *files = arguments
    try:
        draw(Path(folder), int(most), [Path(file) for file in files])
    except Refused as refused:
        tell(refused=refused.reason, **refused.values)
    except MemoryError:
        tell(refused="material_too_heavy")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

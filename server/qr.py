"""This module owns QR codes as the pages draw them: the dark squares as one path, with nothing in it to run."""

from __future__ import annotations

from itertools import groupby

import segno

from server.shapes.live import QrCode


def qr_code(text: str) -> QrCode:
    """The code of `text`, without the quiet zone: a page leaves four squares free on every side."""
    rows = tuple(segno.make(text, error="m", micro=False).matrix)
    path: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            width = len(list(run))
            if dark:
                path.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    return QrCode(size=len(rows), path="".join(path))

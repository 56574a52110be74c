"""Bodies about lesson materials."""

from __future__ import annotations

from server.shapes.base import Body
from signaling.materials import MaterialKind


class MaterialVersionRow(Body, frozen=True, kw_only=True):
    """One version; its pages are at `/api/sessions/{session}/materials/{id}/pages/{page}`."""

    id: str
    number: int
    file_name: str
    bytes: int
    pages: tuple[tuple[int, int], ...]
    """Width and height of each, in pixels of the large picture."""
    added_at: float
    added_by: str
    original: bool
    """Whether the file can be had as it was handed in."""


class MaterialRow(Body, frozen=True, kw_only=True):
    id: str
    kind: MaterialKind
    title: str
    weekly: bool
    """It belongs to this lesson every week, not to this day's alone."""
    versions: tuple[MaterialVersionRow, ...]
    """The newest first."""


class Preparing(Body, frozen=True, kw_only=True):
    """An upload whose pages are being drawn."""

    title: str
    done: int
    pages: int


class MaterialsView(Body, frozen=True, kw_only=True):
    """The materials of a session's lesson, as far as the asker may read them."""

    materials: tuple[MaterialRow, ...]
    preparing: tuple[Preparing, ...]
    may_change: bool
    rehearsal: bool
    """There is no day to which a material could belong alone."""
    most_megabytes: int
    most_pages: int

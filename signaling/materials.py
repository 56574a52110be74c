"""This module owns lesson materials on the wire: what is on a session's shelf, and which page all rooms have open.

The shelf holds what may be shown to classes; a lesson design (教学设计) is for teachers and never gets there.
"""

import math
from typing import Annotated, Final, Literal

from msgspec import Meta

from signaling.wire import Command, Part, RoomEvent, Short

MaterialKind = Literal["guide_sheet", "lesson_design", "teaching_resource", "exercise"]
"""课堂导学单, 教学设计, 教学资源, 课堂练习."""
PageNumber = Annotated[int, Meta(ge=1, le=1000)]

PartNumber = Annotated[int, Meta(ge=0, le=50)]
"""0 shows a page whole, 1 and up a band of it: writing on an upright page is too small for a wall otherwise."""
BAND: Final = 0.62
"""Height of a band for a page's width of 1: nearly a panel's."""

NOT_FOR_CLASSES: Final[frozenset[MaterialKind]] = frozenset({"lesson_design"})


class Material(Part, frozen=True, kw_only=True):
    """One version of a material, as rooms need it to lay its pages out before they have them."""

    version: str
    """Id of the version; a replaced material has another one."""
    material: str
    kind: MaterialKind
    title: str
    number: int
    """1 for the first version, counting up."""
    pages: tuple[tuple[int, int], ...]
    """Width and height of every page, in pixels of its large picture."""


BLANK: Final = Material(
    version="blank",
    material="blank",
    kind="teaching_resource",
    title="",
    number=1,
    pages=((1600, 900),) * 20,
)
"""The empty board: nobody uploads it, it is on every shelf, and its pages have no pictures."""


class Shown(Part, frozen=True, kw_only=True):
    """What all rooms have open, and since when (unix seconds)."""

    material: Material
    page: int
    part: int
    by: str
    since: float


class OpenMaterial(Command, frozen=True, kw_only=True, tag="open_material"):
    """Open a material in all rooms at once; `version` is one of the shelf, or `blank`."""

    version: Short
    page: PageNumber = 1


class TurnPage(Command, frozen=True, kw_only=True, tag="turn_page"):
    """Turn to a page of what is open; `version` says which, so that a late turn never hits another material."""

    version: Short
    page: PageNumber
    part: PartNumber = 0


class CloseMaterial(Command, frozen=True, kw_only=True, tag="close_material"):
    """Close what is open; the rooms see the host again."""


class MaterialsShelved(RoomEvent, frozen=True, kw_only=True, tag="materials_shelved"):
    """The whole shelf, whenever it changes: at the opening, after an upload, a replacement, a deletion."""

    materials: tuple[Material, ...]


class MaterialOpened(RoomEvent, frozen=True, kw_only=True, tag="material_opened"):
    by: str
    page: int
    material: Material
    lead: float = 0.0
    """Seconds from the event's own time until all rooms show it together."""


class PageTurned(RoomEvent, frozen=True, kw_only=True, tag="page_turned"):
    by: str
    page: int
    part: int = 0
    lead: float = 0.0
    """As of `material_opened`."""


class MaterialClosed(RoomEvent, frozen=True, kw_only=True, tag="material_closed"):
    by: str


def parts_of(material: Material, page: int) -> int:
    """How many bands a page has; 1 for one that fits a panel as it is."""
    width, height = material.pages[page - 1]
    return max(1, math.ceil(height / (width * BAND) - 0.25))

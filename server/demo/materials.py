"""What the demo lesson begins with: a guide sheet and slides, handed in once as its teacher would."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from server.auth.principal import Principal
from server.materials.service import Handed, Materials, NewMaterial
from server.shapes.people import Grant
from signaling.plan import SessionPlan

SAMPLES = Path(__file__).parents[2] / "config" / "demo"
HANDED_IN = (
    ("guide_sheet.pdf", NewMaterial(kind="guide_sheet", title="导学单：光的反射", weekly=True)),
    ("slides.pdf", NewMaterial(kind="teaching_resource", title="课件：光的反射", weekly=True)),
)


async def supply(materials: Materials, plan: SessionPlan) -> None:
    """Hand the samples in, unless the lesson has materials already."""
    host = Principal(
        kind="person",
        id=f"person.{plan.host.teachers[0]}",
        name=plan.lesson.host_teacher,
        unit=plan.host.unit,
        teacher=plan.host.teachers[0],
        grants=(Grant(role="teacher", unit=plan.host.unit),),
    )
    if (await materials.view(host, plan.session)).materials:
        return
    for name, new in HANDED_IN:
        folder = await asyncio.to_thread(materials.new_folder)
        try:
            await materials.add(host, plan, new, [await asyncio.to_thread(_handed, name, folder)], folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)


def _handed(name: str, folder: Path) -> Handed:
    file = Path(shutil.copy(SAMPLES / name, folder / name))
    return Handed(file=file, name=name, bytes=file.stat().st_size)

"""This module owns the cameras at work: which are pulled into which session now, and bringing them back when they fail.

The camera of a host classroom is pulled from the moment its session opens until it ends, and those of the members that
are wanted in all lessons. Each has a process of its own (`server.cameras.pull`), which publishes by WHIP like any
encoder: a broken camera breaks nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import structlog

from server.cameras.address import CameraRefused, reachable, redirected
from server.cameras.pull import Seen, Task
from server.cameras.store import Camera, CameraStore
from signaling.cameras import CameraWord, RoomCamera
from signaling.history import JournalRefused
from signaling.plan import SessionPlan, UnitPart
from signaling.service import LiveService

State = Literal["idle", "connecting", "live", "failed"]

EVERY = 1.0
FIRST_RETRY, LONGEST_RETRY = 1.0, 30.0
STEADY = 20.0
"""Seconds of pictures after which a camera counts as well again."""
LOOK_SECONDS = 30.0
MOST_REDIRECTIONS = 3
STOP_SECONDS = 5.0
TOKEN_SECONDS = 6 * 3600.0
OPEN_STATES = ("open", "live", "overrun")

log = structlog.get_logger()


class Pair(msgspec.Struct, frozen=True):
    """Files of a certificate on P-256 and its key."""

    cert_file: str
    key_file: str


class CameraPulls:
    """`whip_base`: where this server's WHIP is reached from this machine; `networks`: where cameras may be."""

    def __init__(
        self,
        live: LiveService,
        store: CameraStore,
        pair: Pair,
        *,
        whip_base: Callable[[], str],
        networks: Sequence[str],
    ) -> None:
        self._live, self._store, self._pair = live, store, pair
        self._whip_base, self._networks = whip_base, networks
        self._pulls: dict[tuple[str, str], tuple[Camera, asyncio.Task[None]]] = {}
        self._seen: dict[str, tuple[State, Seen]] = {}
        self._untold: dict[tuple[str, str], RoomCamera] = {}
        """By session and room: what a full disk has kept from the rooms."""

    def state(self, room: str) -> tuple[State, Seen]:
        """How a room's camera fares, and what it sends."""
        return self._seen.get(room, ("idle", Seen()))

    async def look(self, url: str) -> Seen:
        """What a camera sends, with a picture; raises CameraRefused for an address outside of the networks."""
        source = await reachable(url, self._networks)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._followed(Task(source=source), lambda seen: None)
        except TimeoutError:
            return Seen(problem="unreachable")

    async def run(self) -> None:
        """Pull what is to be pulled, until cancelled."""
        try:
            while True:
                try:
                    await self.tend()
                except Exception:
                    log.exception("cameras_not_tended")
                await asyncio.sleep(EVERY)
        finally:
            pulls = [task for _, task in self._pulls.values()]
            for task in pulls:
                task.cancel()
            await asyncio.gather(*pulls, return_exceptions=True)

    async def tend(self) -> None:
        """Begin and end pulls as the sessions and the cameras are now."""
        cameras = await asyncio.to_thread(self._store.all)
        wanted = {
            (session.id, camera.room): (session.plan, part, camera)
            for session in self._live.sessions
            for part in session.plan.parts
            if session.room.state in OPEN_STATES
            and (camera := cameras.get(part.room)) is not None
            and (part is session.plan.host or camera.lessons == "all")
        }
        for key, (camera, task) in list(self._pulls.items()):
            if key not in wanted or wanted[key][2] != camera:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._pulls[key]
                self._seen.pop(camera.room, None)
        for key, (plan, part, camera) in wanted.items():
            if key not in self._pulls:
                task = asyncio.create_task(self._pull(plan, part, camera), name=f"camera {camera.room}")
                self._pulls[key] = (camera, task)

        for session in self._live.sessions:
            for room in session.room.cameras.keys() - {camera for at, camera in wanted if at == session.id}:
                self._tell(session.id, RoomCamera(room=room, state="off"))
        for (at, _), untold in list(self._untold.items()):
            self._tell(at, untold)

    def _tell(self, session: str, camera: RoomCamera) -> None:
        self._untold.pop((session, camera.room), None)
        try:
            self._live.tell_camera(session, camera)
        except JournalRefused:
            # the pictures do not wait for the disk; the rooms are told once there is space
            self._untold[session, camera.room] = camera
            log.warning("camera_not_told", session=session, room=camera.room)

    async def _pull(self, plan: SessionPlan, part: UnitPart, camera: Camera) -> None:
        """Pull one camera, again and again, with growing pauses while it fails."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_RETRY
        while True:
            self._seen[camera.room] = ("connecting", self.state(camera.room)[1])
            began: list[float] = []

            def publishing(seen: Seen, began: list[float] = began) -> None:
                began.append(clock())
                self._seen[camera.room] = ("live", seen)
                self._tell(plan.session, _told(camera.room, "live", seen))

            seen = await self._once(plan, part, camera, publishing)
            self._seen[camera.room] = ("failed", seen)
            self._tell(plan.session, _told(camera.room, "failed", seen))
            log.info("camera_stopped", room=camera.room, session=plan.session, problem=seen.problem)
            pause = FIRST_RETRY if began and clock() - began[0] > STEADY else min(LONGEST_RETRY, pause * 2)
            await asyncio.sleep(pause)

    async def _once(
        self, plan: SessionPlan, part: UnitPart, camera: Camera, publishing: Callable[[Seen], None]
    ) -> Seen:
        try:
            source = await reachable(camera.url, self._networks)
        except CameraRefused:
            return Seen(problem="unreachable")
        token, _ = self._live.admission.invite_camera(plan, part, TOKEN_SECONDS)
        publish = f"{self._whip_base()}/whip/{plan.session}"
        pair = self._pair
        task = Task(source, publish, token, camera.sound, cert_file=pair.cert_file, key_file=pair.key_file)
        return await self._followed(task, publishing)

    async def _followed(self, task: Task, publishing: Callable[[Seen], None]) -> Seen:
        """Do a task, wherever the camera sends its watcher within the networks."""
        for _ in range(MOST_REDIRECTIONS + 1):
            process = await _start(task)
            try:
                seen = await _last(process, publishing)
            finally:
                await _stop(process)
            if seen.problem != "redirected":
                return seen
            try:
                source = await reachable(redirected(task.source, seen.elsewhere), self._networks)
            except CameraRefused as refused:
                log.warning("camera_redirects_outside", reason=refused.reason)
                return msgspec.structs.replace(seen, elsewhere="")
            task = msgspec.structs.replace(task, source=source)
        return Seen(problem="redirected")


def _told(room: str, state: CameraWord, seen: Seen) -> RoomCamera:
    return RoomCamera(
        room=room,
        state=state,
        video=seen.video,
        audio=seen.audio,
        transcoded=seen.transcoded,
        problem=seen.problem if state == "failed" else None,
    )


async def _start(task: Task) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server.cameras.pull"), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    return process


async def _last(process: asyncio.subprocess.Process, on_first: Callable[[Seen], None]) -> Seen:
    """What the process says at its end; `on_first` hears what it says before."""
    assert process.stdout is not None
    said: Seen | None = None
    while line := await process.stdout.readline():
        if said is None:
            said = msgspec.json.decode(line, type=Seen)
            if said.problem is None:
                on_first(said)
        else:
            said = msgspec.json.decode(line, type=Seen)
    return said if said is not None else Seen(problem="interrupted")


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Let it say goodbye to the session, but not for long."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()

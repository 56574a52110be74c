"""This module owns what was taken back in every process: a token, a link, or a room's panel that is its panel no more.

Whoever takes something back does so here and says it on the bus; the others do the same at once. The bus keeps nothing,
so each process also looks at the record when it begins to listen, when it was too slow, and now and then.
"""

from __future__ import annotations

import asyncio

import msgspec
import structlog
from msgspec import Struct

from server.accesses import Accesses
from server.bus import Bus, BusError
from server.storage.people_store import SqlPeopleStore
from signaling.service import LiveService

TOPIC = "live.withdrawn"
LOOK_SECONDS = 30.0
"""How long a word that the bus has lost may be missing."""
AGAIN_SECONDS = 1.0

log = structlog.get_logger()


class Withdrawn(Struct, frozen=True, tag_field="what"):
    """`by`: the process that says so, which has done it already."""

    by: str


class TokenWithdrawn(Withdrawn, frozen=True, tag="token"):
    id: str


class PanelTurnedOut(Withdrawn, frozen=True, tag="panel"):
    """Said of a pairing, not of a room: whoever hears it late must leave the room's next panel alone."""

    pairing: str


_word: msgspec.msgpack.Decoder[TokenWithdrawn | PanelTurnedOut] = msgspec.msgpack.Decoder(
    TokenWithdrawn | PanelTurnedOut
)


class Withdrawals:
    """`process` tells this process from the others on the bus."""

    def __init__(self, bus: Bus, accesses: Accesses, people: SqlPeopleStore, live: LiveService, process: str) -> None:
        self._bus = bus
        self._accesses = accesses
        self._people = people
        self._live = live
        self._process = process
        accesses.on_withdrawn = lambda id: self._tell(TokenWithdrawn(by=process, id=id))

    async def turn_out(self, pairing: str) -> None:
        """A room was unpaired, or paired with another panel: the old one leaves every lesson, and no token that it was
        given lets it in again."""
        self._live.withdraw_token(pairing)
        await self._tell(PanelTurnedOut(by=self._process, pairing=pairing))

    async def run(self) -> None:
        """Hear what the others take back, until cancelled."""
        await asyncio.gather(self._listen(), self._look())

    async def _listen(self) -> None:
        while True:
            try:
                async with self._bus.subscribe(TOPIC) as words:
                    await self.look()
                    async for word in words:
                        self._hear(word)
                    return  # the bus is closed
            except BusError as error:
                log.warning("withdrawals_not_heard", code=error.code, error=str(error))
            except Exception:
                # the database may be away for a while: what is withdrawn must be heard again after it
                log.exception("withdrawals_not_heard")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("withdrawals_not_looked_up")

    async def look(self) -> None:
        """Do what the record says and no word has said."""
        await self._accesses.load()
        # the panels first: one that is paired meanwhile is in the record, but not among them
        panels = self._live.panels()
        if panels:
            for gone in panels - {room.pairing for room in await self._people.rooms()}:
                self._live.withdraw_token(gone)

    def _hear(self, word: bytes) -> None:
        try:
            withdrawn = _word.decode(word)
        except msgspec.MsgspecError:
            log.warning("withdrawal_not_understood", bytes=len(word))
            return
        if withdrawn.by == self._process:
            return
        if isinstance(withdrawn, TokenWithdrawn):
            self._accesses.forget(withdrawn.id)
        else:
            self._live.withdraw_token(withdrawn.pairing)

    async def _tell(self, withdrawn: Withdrawn) -> None:
        try:
            await self._bus.publish(TOPIC, msgspec.msgpack.encode(withdrawn))
        except BusError as error:
            # it is done here and in the record; whoever took it back must not hear of a failure
            log.warning("withdrawal_not_told", code=error.code, error=str(error))

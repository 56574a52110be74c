"""Slots and repairs as the people at a table use them: asked of a process of their own, proposed, accepted, undone
and redone.

A repair is a proposal until it is
accepted; then it is checked again, against everything as it stands by then, and becomes the draft.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from server.builds import Foreseen
from server.county import Counties
from server.repair_process import Known, RepairProcess
from server.repair_worker import Answer, AskCheck, AskRepair, AskSlots, Question, Subject
from server.storage.draft_history import SqlDraftHistory, Steps
from server.storage.proposal_store import Proposal, SqlProposalStore
from timetable.agreement.service import Draft, TimetableService
from timetable.errors import NotFound, StaleVersion, TimetableError
from timetable.model import Finding, Slot, Table
from timetable.repairing.repair import CannotRepair
from timetable.repairing.slots import SlotVerdict

IDLE_SECONDS = 300.0
REPAIR_SECONDS = 8.0


class NothingToUndo(TimetableError):
    """There is no earlier draft."""

    code = "nothing_to_undo"


class Outdated(TimetableError):
    """A table that stood before breaks a rule by now; `findings` say which."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(finding.code for finding in findings))
        self.findings = tuple(findings)


class UndoOutdated(Outdated):
    """The table that undoing goes back to does."""

    code = "undo_outdated"


class RedoOutdated(Outdated):
    """The table that was undone does."""

    code = "redo_outdated"


class NothingToRedo(TimetableError):
    """Nothing was undone, or the draft was changed since."""

    code = "nothing_to_redo"


class Repairs:
    """Drags of lessons in drafts, worked out by a process that stays warm."""

    def __init__(
        self,
        tables: TimetableService,
        counties: Counties,
        history: SqlDraftHistory,
        proposals: SqlProposalStore,
        *,
        foreseen: Foreseen,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._tables = tables
        self._counties = counties
        self._history = history
        self._foreseen = foreseen
        self._worker = RepairProcess(idle_seconds)
        self._proposals = proposals

    async def slots(
        self, community: str, lesson: str, *, version: int | None = None
    ) -> tuple[int, tuple[SlotVerdict, ...]]:
        """The revision of the draft, and every slot of the week for one of its lessons; those of a published version
        where one is named, and without a draft those of the newest."""
        draft = await self._tables.draft(community)
        revision = draft.revision if draft else 0
        if version is not None:
            shown = await self._tables.version(community, version)
            return revision, (await self._ask(shown.table, AskSlots(lesson), published=True)).slots
        if draft is None:
            newest = await self._tables.newest(community)
            if newest is None:
                raise NotFound("table", community)
            return revision, (await self._ask(newest.table, AskSlots(lesson), published=True)).slots
        return revision, (await self._ask(draft.table, AskSlots(lesson), valid_from=draft.valid_from)).slots

    async def propose(self, community: str, *, lesson: str, target: Slot, revision: int) -> Proposal:
        """Work out what else has to move when a lesson goes to a slot. Raises CannotRepair. Who cancels it ends the
        search."""
        draft = await self._current(community, revision)
        question = AskRepair(lesson, target, REPAIR_SECONDS)
        answer = await self._ask(draft.table, question, valid_from=draft.valid_from)
        assert answer.repair is not None
        proposal = Proposal(secrets.token_hex(8), community, revision, lesson, answer.repair)
        await self._proposals.add(proposal, time.time())
        return proposal

    async def accept(self, community: str, id: str, *, author: str) -> Draft:
        """Make the proposal the draft. StaleVersion when the draft has changed since."""
        proposal = await self._proposals.get(community, id)
        if proposal is None:
            raise NotFound("repair", id[:32])
        draft = await self._current(community, proposal.revision)
        answer = await self._ask(draft.table, AskCheck(proposal.repair.table), valid_from=draft.valid_from)
        if answer.findings:
            raise CannotRepair(answer.findings)
        taken = await self._tables.take_draft(
            community,
            proposal.repair.table,
            author=author,
            revision=proposal.revision,
            valid_from=draft.valid_from,
            interim=draft.interim,
            base=await self._base(draft, draft),
        )
        await self._proposals.forget(id)
        return taken

    async def undo(self, community: str, *, author: str, revision: int) -> Draft:
        """Put the table that the draft took the place of back on the table, held against the register as it is now.
        Raises UndoOutdated."""
        current = await self._current(community, revision)
        before = await self._history.newest(community)
        if before is None or before.table.term != current.table.term:
            raise NothingToUndo
        await self._allowed(current, before, UndoOutdated)
        draft = await self._again(current, before, author)
        await self._history.go_back(draft, before.revision)
        return draft

    async def redo(self, community: str, *, author: str, revision: int) -> Draft:
        """Put the table that was undone last on the table again, held against the register likewise. Raises
        RedoOutdated."""
        current = await self._current(community, revision)
        undone = await self._history.newest_undone(community)
        if undone is None or undone.table.term != current.table.term:
            raise NothingToRedo
        await self._allowed(current, undone, RedoOutdated)
        draft = await self._again(current, undone, author)
        await self._history.go_forward(draft, undone.revision)
        return draft

    async def steps(self, community: str) -> Steps:
        """Whether there is something to undo, and to redo."""
        return await self._history.steps(community)

    async def _allowed(self, current: Draft, known: Draft, refusal: type[Outdated]) -> None:
        """Refuse an earlier draft that breaks a rule which the current one keeps."""
        answer = await self._ask(current.table, AskCheck(known.table), valid_from=known.valid_from)
        if answer.findings:
            raise refusal(answer.findings)

    async def _again(self, current: Draft, known: Draft, author: str) -> Draft:
        """An earlier draft as the one after the current; not kept yet."""
        return await self._tables.drafted(
            await self._tables.community(known.community),
            known.table,
            author=author,
            revision=current.revision,
            valid_from=known.valid_from,
            interim=known.interim,
            base=await self._base(current, known),
        )

    async def _base(self, current: Draft, known: Draft) -> int:
        """The version that a table made of `known` is a next one of: its own, so that what was published since is not
        undone unsaid, or the newest where that is the very table that is changed."""
        newest = await self._tables.newest(current.community)
        return newest.number if newest is not None and newest.table == current.table else known.base

    @property
    def questions(self) -> int:
        """How many are asked and not answered yet."""
        return self._worker.questions

    @property
    def worker_process(self) -> int | None:
        """The worker's process id, while it runs."""
        return self._worker.pid

    async def close(self) -> None:
        await self._worker.close()

    async def _current(self, community: str, revision: int) -> Draft:
        draft = await self._tables.draft(community)
        if draft is None:
            raise NotFound("draft", community)
        if draft.revision != revision:
            raise StaleVersion(revision, draft.revision)
        return draft

    async def _ask(
        self, table: Table, question: Question, *, published: bool = False, valid_from: str | None = None
    ) -> Answer:
        """The answer about a table; about a draft's as it must fit the register from `valid_from` on."""
        register = (await self._counties.now()).register
        if not published:
            register = await self._foreseen(table.community, register, valid_from)
        versions = [v for v in await self._tables.published() if v.community != table.community]
        known = Known(register, table, tuple((v.community, v.number) for v in versions))
        subject = Subject(register, table, tuple(version.table for version in versions))
        answer = await self._worker.ask(known, subject, question)
        if answer.missing is not None:
            raise NotFound(*answer.missing)
        if answer.refused:
            raise CannotRepair(answer.findings)
        return answer

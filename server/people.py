"""This module owns how people of a county come to their accounts: by an operator, with a role, its reach and a password
that is told once."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from server.shapes.people import Grant, PersonRole
from server.storage.people_store import Person, SqlPeopleStore
from timetable.model import Register

COLUMNS = ("login", "name", "role", "unit", "community", "teacher")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
COUNTY_ROLES = {"bureau_admin", "bureau_viewer"}
COMMUNITY_ROLES = {"convenor", "researcher"}
SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
"""No two of them are taken for each other on paper: a password of twelve has 59 bits."""


class Entry(Struct, frozen=True, kw_only=True):
    """One person in one role; who has several has several entries with the same login."""

    login: str
    name: str
    role: str
    unit: str = ""
    community: str = ""
    teacher: str = ""
    place: str = ""
    """Where it stands, for the sentence that refuses it: a row of a file."""


class EntriesRefused(Exception):
    """Nothing was taken; each sentence names one entry and what is wrong with it."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = tuple(sentences)


class UnknownLogin(Exception):
    """Nobody has this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"nobody has the login {login!r}")
        self.login = login


def entries_of(content: bytes, name: str) -> list[Entry]:
    """The rows of a csv file in UTF-8 or GB 18030, with a first row that names COLUMNS in any order."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise EntriesRefused([f"{name} is neither UTF-8 nor GB 18030"]) from None
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise EntriesRefused([f"{name} is no csv: {error}"]) from error
    if not rows:
        raise EntriesRefused([f"{name} has no rows below its first, which names the columns {', '.join(COLUMNS)}"])
    if missing := {"login", "name", "role"} - set(reader.fieldnames or ()):
        raise EntriesRefused([f"{name} has no column {', '.join(sorted(missing))}"])
    return [
        Entry(
            **{column: (row.get(column) or "").strip() for column in COLUMNS},
            place=f"{name} row {number}: ",
        )
        for number, row in rows
    ]


class Enrolment:
    """Gives people their accounts. `register` is the county's newest, or None before the first import."""

    def __init__(
        self,
        store: SqlPeopleStore,
        register: Register | None,
        hash: Callable[[str], str],
        new_password: Callable[[], str] | None = None,
    ) -> None:
        self._store = store
        self._register = register
        self._hash = hash
        self._new_password = new_password or _new_password

    async def plan(self, entries: Iterable[Entry]) -> list[Person]:
        """The people who are new or have a new role, as they will be; new ones have no password yet. Who has all that
        is asked for already is left out. Raises EntriesRefused with everything that is wrong."""
        known = {person.login: person for person in await self._store.all()}
        planned: dict[str, Person] = {}
        wrong: list[str] = []
        for entry in entries:
            if fault := self._fault(entry):
                wrong.append(f"{entry.place}{fault}")
                continue
            person = planned.get(entry.login) or known.get(entry.login) or self._person(entry)
            whole = _with(person, entry)
            if person.name != entry.name:
                wrong.append(f"{entry.place}{entry.login} is the login of {person.name} already")
            elif entry.teacher and person.teacher not in (None, entry.teacher):
                wrong.append(f"{entry.place}{entry.login} is the teacher {person.teacher} already")
            elif whole != person and not person.active:
                wrong.append(f"{entry.place}the account {entry.login} is closed; `tongke people password` opens it")
            elif whole != known.get(entry.login):
                planned[entry.login] = whole
        if wrong:
            raise EntriesRefused(wrong)
        return list(planned.values())

    async def take(self, planned: Sequence[Person], passwords: Mapping[str, str]) -> None:
        """Keep what `plan` said. `passwords` are those of the new ones, by login."""
        whole = []
        for person in planned:
            password = passwords.get(person.login)
            if password is not None:
                person = replace(person, password_hash=await asyncio.to_thread(self._hash, password))
            whole.append(person)
        await self._store.save(whole)

    def passwords(self, planned: Iterable[Person]) -> dict[str, str]:
        """A password for each that has none, by login."""
        return {person.login: self._new_password() for person in planned if not person.password_hash}

    async def renew(self, login: str) -> str:
        """A new password. Who is signed in with the old one is signed out; an account that was closed is open again."""
        person = await self._known(login)
        password = self._new_password()
        hashed = await asyncio.to_thread(self._hash, password)
        await self._store.change(replace(person, password_hash=hashed, active=True))
        return password

    async def revoke(self, login: str, role: str, unit: str = "", community: str = "", *, last: bool = False) -> Person:
        """Take a role away; the person as they are now. `unit` and `community` tell it from others of that kind;
        `last`: also the county's last bureau_admin. Who they are in the register goes with their last role as a
        teacher. Raises UnknownLogin, EntriesRefused."""
        person = await self._known(login)
        meant = [
            grant
            for grant in person.grants
            if grant.role == role and unit in ("", grant.unit) and community in ("", grant.community)
        ]
        if len(meant) != 1:
            held = ", ".join(_said(grant) for grant in meant or person.grants) or "no role"
            hint = "; name the unit or the community" if meant else ""
            raise EntriesRefused([f"{login} has {held}{hint}"])
        if role == "bureau_admin" and not last:
            await self._refuse_last(person)
        grants = tuple(grant for grant in person.grants if grant not in meant)
        homes = [self._home(grant) for grant in grants]
        left = replace(
            person,
            grants=grants,
            unit=person.unit if person.unit in homes else next((home for home in homes if home), None),
            teacher=person.teacher if role != "teacher" or any(one.role == role for one in grants) else None,
        )
        await self._store.save([left])
        return left

    async def close(self, login: str, *, last: bool = False) -> None:
        """The person signs in no more, and is signed out; what they wrote stays with their name. `last`: also the
        county's last bureau_admin. Raises UnknownLogin, EntriesRefused."""
        person = await self._known(login)
        if not last:
            await self._refuse_last(person)
        await self._store.change(replace(person, active=False))

    async def _refuse_last(self, person: Person) -> None:
        others = [one for one in await self._store.all() if one.id != person.id]
        if _administers(person) and not any(_administers(one) for one in others):
            raise EntriesRefused(
                [f"{person.login} is the county's last bureau_admin; make another first, or say --last to have none"]
            )

    async def _known(self, login: str) -> Person:
        person = await self._store.by_login(login)
        if person is None:
            raise UnknownLogin(login)
        return person

    def _fault(self, entry: Entry) -> str:
        if not LOGIN.fullmatch(entry.login):
            return f"{entry.login!r} is no login: small letters, digits, points and dashes, 64 at most"
        if not entry.name.isprintable():
            return f"the name of {entry.login} has signs that cannot be read"
        if not entry.name.strip() or len(entry.name) > 64:
            return f"{entry.login} has no name, or one of more than 64 signs"
        if entry.role not in get_args(PersonRole):
            return f"{entry.role!r} is no role: {', '.join(get_args(PersonRole))}"
        wants = "" if entry.role in COUNTY_ROLES else "community" if entry.role in COMMUNITY_ROLES else "unit"
        for column in ("unit", "community"):
            if bool(getattr(entry, column)) != (column == wants):
                return f"{entry.role} {'needs a' if column == wants else 'has no'} {column}"
        if entry.role == "teacher" and not entry.teacher:
            return "teacher needs the teacher's id in the register"
        return self._unknown(entry)

    def _unknown(self, entry: Entry) -> str:
        if not (entry.unit or entry.community or entry.teacher):
            return ""
        if self._register is None:
            return "no register has been imported yet: `tongke import` comes first"
        if entry.unit and entry.unit not in {unit.id for unit in self._register.units}:
            return f"the register has no unit {entry.unit!r}"
        if entry.community and entry.community not in {one.id for one in self._register.communities}:
            return f"the register has no community {entry.community!r}"
        if entry.teacher:
            teacher = next((one for one in self._register.teachers if one.id == entry.teacher), None)
            if teacher is None:
                return f"the register has no teacher {entry.teacher!r}"
            if entry.unit and entry.unit not in teacher.posts:
                return f"{entry.teacher} has no post at {entry.unit}"
        return ""

    def _home(self, grant: Grant) -> str | None:
        """The school that a role makes somebody's own; a convenor's is the community's core school."""
        communities = self._register.communities if self._register is not None else ()
        if grant.role == "convenor":
            return next((one.core for one in communities if one.id == grant.community), None)
        return grant.unit

    def _person(self, entry: Entry) -> Person:
        return Person(
            id=f"person.{entry.login}",
            login=entry.login,
            name=entry.name,
            unit=self._home(_grant(entry)),
            teacher=entry.teacher or None,
            password_hash="",
            grants=(),
        )


def _grant(entry: Entry) -> Grant:
    role: PersonRole = entry.role  # type: ignore[assignment] # looked at by _fault
    return Grant(role=role, unit=entry.unit or None, community=entry.community or None)


def _said(grant: Grant) -> str:
    """The role with its reach, in the columns' words."""
    reach = grant.unit or grant.community
    return f"{grant.role} of {reach}" if reach else grant.role


def _administers(person: Person) -> bool:
    return person.active and any(grant.role == "bureau_admin" for grant in person.grants)


def _with(person: Person, entry: Entry) -> Person:
    """The person as the entry wants them."""
    grant = _grant(entry)
    grants = person.grants if grant in person.grants else (*person.grants, grant)
    return replace(person, grants=grants, teacher=person.teacher or entry.teacher or None)


def _new_password() -> str:
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(4)) for _ in range(3))

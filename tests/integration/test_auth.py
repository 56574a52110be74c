"""Sign-in, sessions, throttling and pairing, on the real stores."""

import pytest
from argon2 import PasswordHasher

from server.auth.errors import NotPermitted, NotSignedIn, PairingCodeWrong, TooManyAttempts, WrongPassword
from server.auth.policy import PERMISSIONS, allowed, permit, speaks_for
from server.auth.principal import Principal
from server.auth.service import PAIRING_SECONDS, ROOM_SESSION_SECONDS, AuthService
from server.auth.throttle import MAX_KEYS, Throttle
from server.shapes.people import Grant
from server.storage.database import Database
from server.storage.people_store import PairedRoom, Person, SqlPeopleStore

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DIRECTOR = Grant(role="academic_director", unit="xihe")


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


async def house(database: Database) -> tuple[AuthService, SqlPeopleStore, Clock]:
    clock = Clock()
    store = SqlPeopleStore(database)
    auth = AuthService(store, clock=clock, session_seconds=3600, hasher=QUICK)
    person = Person(
        id="p1",
        login="xihe.jiaowu",
        name="教务主任01",
        unit="xihe",
        teacher=None,
        password_hash=await auth.hash("正确的密码"),
        grants=(DIRECTOR, Grant(role="teacher", unit="xihe")),
    )
    await store.save([person])
    return auth, store, clock


async def test_right_password_opens_a_session_that_ends(database: Database) -> None:
    auth, _, clock = await house(database)
    token = await auth.sign_in("xihe.jiaowu", "正确的密码", "1.2.3.4")
    found = await auth.principal(token)
    assert (found.id, found.grants) == ("p1", (DIRECTOR, Grant(role="teacher", unit="xihe")))
    clock.now += 3601
    with pytest.raises(NotSignedIn):
        await auth.principal(token)


async def test_panel_in_use_stays_signed_in_and_a_person_does_not(database: Database) -> None:
    auth, store, clock = await house(database)
    await store.pair(PairedRoom(room="xihe.r1", name="远程教室", unit="xihe", paired_at=clock.now, paired_by="p1"))
    panel = await auth.open_session("room", "xihe.r1")
    person = await auth.sign_in("xihe.jiaowu", "正确的密码", "1.2.3.4")
    assert not await auth.prolong(panel)
    assert not await auth.prolong(person)
    assert not await auth.prolong("of nobody")
    for _ in range(8):
        clock.now += ROOM_SESSION_SECONDS / 4
        assert await auth.prolong(panel)
        assert not await auth.prolong(panel)
    assert (await auth.principal(panel)).id == "xihe.r1"
    clock.now += ROOM_SESSION_SECONDS + 1
    assert not await auth.prolong(panel)


async def test_signing_out_ends_the_session_at_once(database: Database) -> None:
    auth, _, _ = await house(database)
    token = await auth.sign_in("xihe.jiaowu", "正确的密码", "1.2.3.4")
    await auth.sign_out(token)
    with pytest.raises(NotSignedIn):
        await auth.principal(token)


@pytest.mark.parametrize(("login", "password"), [("xihe.jiaowu", "错"), ("nobody", "正确的密码"), ("", "")])
async def test_wrong_login_or_password_is_one_answer(database: Database, login: str, password: str) -> None:
    auth, _, _ = await house(database)
    with pytest.raises(WrongPassword):
        await auth.sign_in(login, password, "1.2.3.4")


async def test_guessing_is_slowed_down_even_with_the_right_password_at_the_end(database: Database) -> None:
    auth, _, clock = await house(database)
    for attempt in range(8):
        with pytest.raises(WrongPassword):
            await auth.sign_in("xihe.jiaowu", f"guess {attempt}", f"10.0.0.{attempt}")
    with pytest.raises(TooManyAttempts):
        await auth.sign_in("xihe.jiaowu", "正确的密码", "10.0.1.1")
    clock.now += 25
    await auth.sign_in("xihe.jiaowu", "正确的密码", "10.0.1.1")


async def test_no_secret_is_kept_in_the_clear(database: Database) -> None:
    auth, store, _ = await house(database)
    token = await auth.sign_in("xihe.jiaowu", "正确的密码", "1.2.3.4")
    person = await store.by_id("p1")
    assert person is not None
    assert person.password_hash.startswith("$argon2id$")
    assert await store.session(token, 0.0) is None


async def test_panel_is_paired_by_a_confirmed_code_once(database: Database) -> None:
    auth, store, clock = await house(database)
    room = PairedRoom(room="xihe.r1", name="远程教室", unit="xihe", paired_at=clock.now, paired_by="p1")
    pairing = await auth.begin_pairing("9.9.9.9")
    assert await auth.collect_pairing(pairing.secret) == ("waiting", "", "")
    spaced = f"{pairing.code[:4]} {pairing.code[4:]}"
    await auth.confirm_pairing(spaced, room)
    with pytest.raises(PairingCodeWrong):
        await auth.confirm_pairing(pairing.code, room)
    state, token, name = await auth.collect_pairing(pairing.secret)
    assert (state, name, (await auth.principal(token)).id) == ("confirmed", "远程教室", "xihe.r1")
    assert (await auth.collect_pairing(pairing.secret))[0] == "expired"
    await store.unpair("xihe.r1")
    with pytest.raises(NotSignedIn):
        await auth.principal(token)


async def test_pairing_code_grows_too_old(database: Database) -> None:
    auth, _, clock = await house(database)
    pairing = await auth.begin_pairing("9.9.9.9")
    clock.now += PAIRING_SECONDS + 1
    room = PairedRoom(room="xihe.r1", name="远程教室", unit="xihe", paired_at=clock.now, paired_by="p1")
    with pytest.raises(PairingCodeWrong):
        await auth.confirm_pairing(pairing.code, room)
    assert (await auth.collect_pairing(pairing.secret))[0] == "expired"


async def test_new_panel_ends_the_old_panels_session(database: Database) -> None:
    auth, _, clock = await house(database)
    room = PairedRoom(room="xihe.r1", name="远程教室", unit="xihe", paired_at=clock.now, paired_by="p1")
    tokens = []
    for _ in range(2):
        pairing = await auth.begin_pairing("9.9.9.9")
        await auth.confirm_pairing(pairing.code, room)
        tokens.append((await auth.collect_pairing(pairing.secret))[1])
    with pytest.raises(NotSignedIn):
        await auth.principal(tokens[0])
    assert (await auth.principal(tokens[1])).kind == "room"


def person(*grants: Grant) -> Principal:
    return Principal(kind="person", id="p", name="p", unit="xihe", grants=grants)


def test_grant_reaches_its_unit_its_community_or_the_county() -> None:
    own, other = ("core", "xihe"), ("yanli",)
    assert allowed(person(DIRECTOR), "negotiate", units=own, community="one")
    assert not allowed(person(DIRECTOR), "negotiate", units=other, community="two")
    assert allowed(person(Grant(role="convenor", community="one")), "negotiate", units=own, community="one")
    assert allowed(person(Grant(role="bureau_admin")), "import_register", units=other, community="two")
    with pytest.raises(NotPermitted):
        permit(person(Grant(role="bureau_admin")), "watch_recordings", units=own, community="one")


def test_paired_room_has_no_persons_permission() -> None:
    room = Principal(kind="room", id="xihe.r1", name="远程教室", unit="xihe")
    assert [action for action in PERMISSIONS if allowed(room, action, units=("xihe",), community="one")] == []


def test_convenor_speaks_for_the_core_and_a_teacher_for_nobody() -> None:
    units = ("core", "xihe")
    assert speaks_for(person(DIRECTOR), "core", units, "one") == "xihe"
    assert speaks_for(person(Grant(role="convenor", community="one")), "core", units, "one") == "core"
    assert speaks_for(person(Grant(role="teacher", unit="xihe")), "core", units, "one") is None


def test_flood_of_names_does_not_grow_the_throttle() -> None:
    throttle = Throttle(2, 10.0, lambda: 0.0)
    for number in range(MAX_KEYS + 500):
        throttle.spend(str(number))
    assert len(throttle._spent) == MAX_KEYS

"""Which source address belongs to which peer."""

from __future__ import annotations

import asyncio

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.ice import MAX_ADDRESSES, PROBE_SECONDS, TRIP_SECONDS, Credentials, IceAgents, IceLite


class Wire:
    """A port that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bytes]] = []

    def send_to(self, data: bytes, address: bytes) -> None:
        self.sent.append((data, address))

    def stream(self, address: bytes) -> asyncio.Transport | None:
        return None

    def text(self, address: bytes) -> tuple[str, int]:
        return "127.0.0.1", int.from_bytes(address[2:4], "big")

    def waited(self) -> float:
        return self.stood

    stood = 0.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


REMOTE = Credentials("remote", "p" * 24)


@pytest.fixture
def agents() -> IceAgents:
    return IceAgents(Wire(), Clock())


def agent_of(agents: IceAgents) -> IceLite:
    return IceLite(agents, REMOTE)


def address(number: int) -> bytes:
    return b"\2\0" + number.to_bytes(2, "big") + b"\x7f\0\0\1" + bytes(8)


def check(
    agent: IceLite, *, credentials: Credentials | None = None, remote: str = "remote", nominate: bool = True
) -> bytes:
    mine = credentials or agent.local[0]
    attributes: dict[str, object] = {"USERNAME": f"{mine.ufrag}:{remote}", "PRIORITY": 1}
    if nominate:
        attributes["USE-CANDIDATE"] = None
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(mine.password.encode())
    return bytes(message)


def answer_to(data: bytes, password: str = REMOTE.password) -> bytes:
    request = stun.parse_message(data)
    message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    message.add_message_integrity(password.encode())
    return bytes(message)


def sent(agents: IceAgents) -> list[tuple[bytes, bytes]]:
    assert isinstance(agents.wire, Wire)
    return agents.wire.sent


def test_a_correct_check_selects_its_address_and_is_answered(agents: IceAgents) -> None:
    agent = agent_of(agents)
    agents.receive(check(agent, nominate=False), address(1))
    assert (agent.selected, agents.by_address) == (b"", {address(1): agent})
    agents.receive(check(agent), address(1))
    assert agent.selected == address(1)
    assert agent.ready.is_set()
    data, to = sent(agents)[-1]
    answer = stun.parse_message(data)
    assert (to, answer.message_class) == (address(1), stun.Class.RESPONSE)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == ("127.0.0.1", 1)
    assert answer.check_message_integrity(agent.local[0].password.encode())


def test_wrong_checks_are_counted_and_own_nothing(agents: IceAgents) -> None:
    agent = agent_of(agents)
    wrong_password = Credentials(agent.local[0].ufrag, "w" * 24)
    agents.receive(check(agent, credentials=wrong_password), address(1))
    agents.receive(check(agent, credentials=Credentials("nobody", "w" * 24)), address(1))
    agents.receive(check(agent, remote="other"), address(1))
    agents.receive(b"\0\1" + b"\1" * 18, address(1))
    assert (agents.by_address, sent(agents), agent.selected) == ({}, [], b"")
    counters = agents.counters
    assert (counters.bad_integrity, counters.unknown_ufrag, counters.bad_stun) == (1, 2, 1)


def test_a_peer_cannot_take_the_address_of_another(agents: IceAgents) -> None:
    alice, bob = agent_of(agents), agent_of(agents)
    agents.receive(check(alice), address(1))
    agents.receive(check(bob), address(2))
    agents.receive(check(alice), address(2))  # correctly signed, from a forged source
    assert agents.by_address == {address(1): alice, address(2): bob}
    assert (alice.selected, agents.counters.address_owned) == (address(1), 1)


def test_a_new_address_is_used_only_after_it_has_answered(agents: IceAgents) -> None:
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    agents.receive(check(agent), address(3))
    assert agent.selected == address(1)
    probe = next(data for data, to in sent(agents) if to == address(3) and stun.parse_message(data).message_class == 0)
    agents.receive(answer_to(probe), address(4))  # from elsewhere
    agents.receive(answer_to(probe, "w" * 24), address(3))  # signed with another password
    assert agent.selected == address(1)
    agents.receive(answer_to(probe), address(3))
    assert (agent.selected, agents.counters.roamed) == (address(3), 1)
    agents.receive(answer_to(probe), address(3))
    assert agents.counters.bad_stun == 3


def test_old_credentials_last_until_the_new_ones_nominate(agents: IceAgents) -> None:
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    old = agent.local[0]
    agent.restart(Credentials("again", "q" * 24))
    agents.receive(check(agent, credentials=old), address(1))
    assert agents.counters.unknown_ufrag == 0
    agents.receive(check(agent, remote="again"), address(1))
    assert (agent.selected, list(agents.by_ufrag)) == (address(1), [agent.local[0].ufrag])
    agents.receive(check(agent, credentials=old), address(1))
    assert agents.counters.unknown_ufrag == 1


def test_a_path_may_join_new_credentials_of_the_peer_to_our_old_ones(agents: IceAgents) -> None:
    """So does Chromium when its new port is checked with the old candidate first: it may stay there for good."""
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    old, again = agent.local[0], Credentials("again", "q" * 24)
    agent.restart(again)
    agents.receive(check(agent, credentials=old, remote="again"), address(2))
    probe = next(data for data, to in sent(agents) if to == address(2) and stun.parse_message(data).message_class == 0)
    assert stun.parse_message(probe).attributes["USERNAME"] == f"again:{old.ufrag}"
    agents.receive(answer_to(probe, again.password), address(2))
    assert agent.selected == address(2)
    assert old in agent.local


def test_a_peer_owns_a_limited_number_of_addresses(agents: IceAgents) -> None:
    agent = agent_of(agents)
    for number in range(1, MAX_ADDRESSES + 5):
        agents.receive(check(agent, nominate=number == 1), address(number))
    assert len(agent.addresses) == len(agents.by_address) == MAX_ADDRESSES
    assert agent.selected == address(1) in agents.by_address


def test_consent_runs_out_without_checks(agents: IceAgents) -> None:
    agent = agent_of(agents)
    expired: list[bool] = []
    agent.on_expired = lambda: expired.append(True)
    agents.receive(check(agent), address(1))
    agents.tick()
    assert expired == []
    assert isinstance(agents.clock, Clock)
    agents.clock.now += agents.consent_seconds + 1
    agents.tick()
    assert (expired, agents.by_ufrag, agents.by_address) == ([True], {}, {})


def test_unanswered_probes_are_forgotten(agents: IceAgents) -> None:
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    for _ in range(10):
        agents.receive(check(agent), address(2))
    assert 0 < len(agents._probes) < 10
    assert isinstance(agents.clock, Clock)
    agents.clock.now += PROBE_SECONDS + 1
    agents.tick()
    assert agents._probes == {}


async def test_a_round_trip_is_the_lines_alone_and_the_shortest_is_the_empty_lines(agents: IceAgents) -> None:
    """What an answer waited for us, because we were busy, is no part of it."""
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    wire, clock = agents.wire, agents.clock
    assert isinstance(wire, Wire)
    assert isinstance(clock, Clock)
    assert agent.shortest_trip() is None
    for line, stood in ((0.05, 0.0), (0.03, 2.0), (0.4, 0.5)):
        answer = agent.ping()
        clock.now += line + stood
        wire.stood = stood
        agents.receive(answer_to(wire.sent[-1][0]), address(1))
        assert await answer == pytest.approx(line)
    assert agent.shortest_trip() == pytest.approx(0.03)
    assert agent.rtt is not None
    assert agent.rtt < 0.2
    clock.now += TRIP_SECONDS + 1
    assert agent.shortest_trip() is None


async def test_unanswered_pings_keep_no_others_from_being_sent(agents: IceAgents) -> None:
    agent = agent_of(agents)
    agents.receive(check(agent), address(1))
    before = len(sent(agents))
    answers = [agent.ping() for _ in range(20)]
    assert len(sent(agents)) == before + 20
    agents.receive(answer_to(sent(agents)[-1][0]), address(1))
    assert [answer.done() for answer in answers] == [False] * 19 + [True]


@given(st.binary(max_size=120))
def test_any_bytes_are_refused_or_ignored(data: bytes) -> None:
    agents = IceAgents(Wire(), Clock())
    agent = agent_of(agents)
    agents.receive(data, address(1))
    agents.receive(b"\0\1" + data[2:], address(1))
    assert (agents.by_address, agent.selected, sent(agents)) == ({}, b"", [])


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_check_owns_nothing(place: int, value: int) -> None:
    agents = IceAgents(Wire(), Clock())
    agent = agent_of(agents)
    data = bytearray(check(agent))
    place %= len(data) - 8  # FINGERPRINT, the last attribute, is no part of what is signed
    if data[place] == value:
        return
    data[place] = value
    agents.receive(bytes(data), address(1))
    assert agents.by_address == {}


async def test_a_full_queue_drops_and_a_closed_agent_ends_its_reader(agents: IceAgents) -> None:
    agent = agent_of(agents)
    for _ in range(300):
        agent.deliver(b"\x16")
    assert agent.dropped == 44
    agent.close()
    with pytest.raises(ConnectionError):
        await agent._recv()
    with pytest.raises(ConnectionError):
        await agent._send(b"x")

"""The hub leads a lesson to a codec that all its rooms can play: whom it asks, what it answers, what becomes of tracks.
That pictures really go on through it is tried with real browsers, in tests/e2e/lessons/test_live_codecs.py."""

from __future__ import annotations

import pytest
from aiortc import RTCRtpSender

from signaling.media.errors import NothingAcceptable
from signaling.media.hub import MediaHub
from signaling.media.layers import RECORDED_RATE, Limits
from tests.media_clients import Client, Picture, Tone, clients, media_hub, until


async def watch(hub: MediaHub, client: Client, track: str, codec: str) -> dict[str, str]:
    """Receive a track with a browser that has one codec alone; the slots that show something."""
    known = RTCRtpSender.getCapabilities("video").codecs
    client.receive("video").setCodecPreferences([found for found in known if found.name.lower() == codec])
    answer = await client.take(hub.subscribe("lesson", client.participant, await client.offer(), {"0": track}))
    return answer.slots


async def publish_again(hub: MediaHub, client: Client) -> None:
    """Do what a page does that is asked for another codec."""
    names = {client.mid(0): "mic", client.mid(1): "teacher"}
    await client.take(hub.publish("lesson", client.participant, await client.offer(), names, {client.mid(1): "high"}))


async def test_senders_are_led_to_what_everybody_plays_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("RETURN_AFTER", "LEAST_APART"):
        monkeypatch.setattr(f"signaling.media.codec_choice.{seconds}", 0.0)
    async with media_hub() as hub, clients(hub, "lesson", "host", "encoder", "room", "late") as found:
        host, encoder, room, late = found
        asked: list[tuple[str, str]] = []
        heard: list[tuple[str, str, bool]] = []
        hub.on_limits = lambda session, who, limits: asked.append((who, hub.codec(session, who)))
        hub.on_track = lambda track, present: heard.append((track.participant, track.codec, present))
        await host.publish(Tone(), Picture(60), sources=("mic", "teacher"), layers=("high", "high"))
        await encoder.publish(Picture(200))
        camera = host.track(1)
        await room.subscribe(camera)
        await until(lambda: room.watcher().frames >= 5 and asked)
        assert {codec for _, codec in asked} == {"h264"}
        heard_before = [entry for entry in heard if entry[1] != "opus"]
        assert ("host", "h264", True) in heard_before

        assert await watch(hub, late, camera, "vp8") == {}
        with pytest.raises(NothingAcceptable):
            hub.switch("lesson", "late", "0", encoder.track())
        await until(lambda: dict(asked)["host"] == "vp8")
        assert hub.codec("lesson", "encoder") == "h264"
        assert hub.codec("lesson", "late") == ""

        await publish_again(hub, host)
        assert host.answer is not None
        assert "VP8" in host.answer.sdp
        assert "H264" not in host.answer.sdp
        assert [(track.id, track.codec) for track in host.answer.tracks][1] == (camera, "vp8")
        assert heard[-1] == ("host", "h264", False)
        assert {track.id: track.codec for track in hub.tracks("lesson")}[camera] == "vp8"
        # the slot that had waited for it shows it without having asked again
        assert hub._subscriptions["lesson", "late"].shown() == {"0": camera}
        assert hub._subscriptions["lesson", "room"].shown() == {"0": camera}

        hub.drop("lesson", "late")
        await until(lambda: dict(asked)["host"] == "h264")
        frames = room.watcher().frames
        await publish_again(hub, host)
        # aiortc's encoder has gone on in its first codec all the while
        await until(lambda: room.watcher().frames >= frames + 5)
        assert heard[-1] == ("host", "h264", True)


async def test_nobody_changes_codec_for_the_sake_of_an_onlooker() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "patrol", "late") as (host, patrol, late):
        await host.publish(Tone(), Picture(60), sources=("mic", "teacher"), layers=("high", "high"))
        camera = host.track(1)
        hub.rank("lesson", {}, {"patrol"})
        assert await watch(hub, patrol, camera, "vp8") == {}
        await until(lambda: not hub._pulse._unsettled)
        assert hub.codec("lesson", "host") == "h264"
        # and one more, who does take part, turns the scales
        assert await watch(hub, late, camera, "vp8") == {}
        await until(lambda: hub.codec("lesson", "host") == "vp8")


class Ear:
    def __init__(self) -> None:
        self.packets = self.ends = 0

    def packet(self, *packet: object) -> None:
        self.packets += 1

    def sender_report(self, *report: object) -> None:
        pass

    def closed(self) -> None:
        self.ends += 1


async def test_a_slot_is_emptied_by_a_codec_that_it_has_not_and_a_tap_ends_with_its_stream() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "only", "a", "b") as (host, only, a, b):
        await host.publish(Tone(), Picture(60), sources=("mic", "teacher"), layers=("high", "high"))
        camera, ear = host.track(1), Ear()
        hub.tap(camera, ear)
        assert await watch(hub, only, camera, "h264") == {"0": camera}
        await until(lambda: ear.packets)
        # two that have no H.264 against one that has nothing else
        assert await watch(hub, a, camera, "vp8") == {}
        assert hub.codec("lesson", "host") == "h264"
        assert await watch(hub, b, camera, "vp8") == {}
        await until(lambda: hub.codec("lesson", "host") == "vp8")
        await publish_again(hub, host)
        assert ear.ends == 1
        assert hub._subscriptions["lesson", "only"].shown() == {}
        assert hub._subscriptions["lesson", "a"].shown() == {"0": camera}


async def test_a_picture_that_only_a_recorder_sees_is_recorded_on_in_the_other_codec() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "late") as (host, late):
        await host.publish(Tone(), Picture(60), sources=("mic", "teacher"), layers=("high", "high"))
        camera, ear = host.track(1), Ear()
        hub.tap(camera, ear)
        await until(lambda: ear.packets)
        await watch(hub, late, camera, "vp8")
        hub.view("lesson", "late", {})
        await until(lambda: hub.codec("lesson", "host") == "vp8")
        await until(lambda: hub.limits("lesson", "host")["teacher"] == Limits(RECORDED_RATE, 0), 10)
        await publish_again(hub, host)
        assert ear.ends == 1
        # told no rest before it has begun again: nobody would tap a stream that sends nothing
        hub._pulse.tick()
        await until(lambda: not hub._pulse._unsettled)
        assert hub.limits("lesson", "host")["teacher"] == Limits(RECORDED_RATE, 0)


async def test_who_publishes_later_is_answered_with_the_codec_of_the_lesson() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "late", "room", "whip") as (host, late, room, whip):
        await host.publish(Tone(), Picture(60), sources=("mic", "teacher"), layers=("high", "high"))
        await watch(hub, late, host.track(1), "vp8")
        await until(lambda: hub.codec("lesson", "host") == "vp8")
        for client, layers in ((room, ("high",)), (whip, ())):
            answer = await client.publish(Picture(90), layers=layers)
            assert [track.codec for track in answer.tracks] == ["vp8"]
        hub.close_session("lesson")
        await until(lambda: not hub._publications and not hub._subscriptions)
        await until(lambda: not hub._pulse._choices)

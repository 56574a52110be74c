"""Media from one real peer to others through the hub, decoded at the far end."""

from __future__ import annotations

from signaling.media.hub import LinkQuality, TrackInfo
from tests.media_clients import Picture, Tone, clients, media_hub, until


async def test_a_subscriber_sees_and_hears_the_publisher() -> None:
    async with media_hub() as hub, clients(hub, "lesson", "host", "member") as (host, member):
        present: list[tuple[TrackInfo, bool]] = []
        connections: list[tuple[str, str, str, bool]] = []
        hub.on_track = lambda track, there: present.append((track, there))
        hub.on_connection = lambda *change: connections.append(change)
        published = await host.publish(Tone(), Picture(100))
        assert [(track.kind, track.source) for track in published.tracks] == [("audio", "mic"), ("video", "teacher")]
        assert "H264" in published.sdp
        assert "VP8" not in published.sdp
        shown = await member.subscribe(host.track(0), host.track(1))
        assert shown.slots == {member.mid(0): host.track(0), member.mid(1): host.track(1)}
        await until(lambda: member.watcher(1).frames >= 10 and member.watcher(0).frames >= 20)
        assert abs(member.watcher(1).levels[-1] - 100) < 4
        assert sorted(track.source for track, there in present if there) == ["mic", "teacher"]
        assert set(connections) == {("lesson", "host", "publish", True), ("lesson", "member", "subscribe", True)}
        await until(lambda: hub.links("lesson")["host"].publish_bitrate > 0)
        links = hub.links("lesson")
        assert isinstance(links["host"], LinkQuality)
        assert links["host"].connected
        assert links["host"].audio_level is not None
        assert links["member"].connected
        hub.drop("lesson", "host")
        assert hub.tracks("lesson") == []
        assert [there for _, there in present] == [True, True, False, False]
        assert connections[-1] == ("lesson", "host", "publish", False)

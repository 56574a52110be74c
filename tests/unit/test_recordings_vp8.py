"""VP8 comes out of RTP as it went in, and a WebM segment's index reads every state of the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.errors import MalformedPayload
from recordings.fragments import index_file, init_segment, trim
from recordings.rtp import AccessUnit
from recordings.segment_file import SegmentFile, Vp8Template
from recordings.segment_index import FragmentIndex
from recordings.vp8 import Vp8Depacketizer, size_of
from recordings.webm import _blocks, _element, index
from tests.recorded_media import FPS, microphone, packetize_vp8, play, vp8_camera


def _depacketize(pictures: int, missing: tuple[int, int] | None = None, markers: bool = True) -> list[AccessUnit]:
    """missing: the picture and the place in it of a packet that never came."""
    depacketizer, found = Vp8Depacketizer(), []
    for number, picture in enumerate(vp8_camera(6)[:pictures]):
        payloads = packetize_vp8(picture.data, number)
        for place, payload in enumerate(payloads):
            if (number, place) == missing:
                depacketizer.hole()
                continue
            found += depacketizer.push(number * 6000, markers and place == len(payloads) - 1, payload)
    return found


@pytest.mark.parametrize("markers", [True, False])
def test_vp8_comes_out_as_it_went_in(markers: bool) -> None:
    sent = vp8_camera(6)[:40]
    found = _depacketize(40, markers=markers)
    assert [unit.data for unit in found] == [picture.data for picture in sent][: len(found)]
    assert len(found) == (40 if markers else 39)
    assert [unit.timestamp for unit in found[:3]] == [0, 6000, 12000]
    assert [unit.keyframe for unit in found] == [number % 30 == 0 for number in range(len(found))]
    assert size_of(found[0].data) == (320, 192)
    assert {unit.parameters for unit in found if unit.keyframe} == {found[0].data[6:10]}


@pytest.mark.parametrize("place", [0, 1])
def test_vp8_waits_after_a_hole_for_the_next_keyframe(place: int) -> None:
    assert len(packetize_vp8(vp8_camera(6)[7].data)) > 1
    found = _depacketize(45, missing=(7, place))
    assert [unit.timestamp // 6000 for unit in found] == [*range(7), *range(30, 45)]


@pytest.mark.parametrize("payload", [b"\x90", b"\x80\x80\x00", b"\x90\xf0\x01\x02\x03", b"\x10"])
def test_vp8_refuses_a_descriptor_that_is_cut_short(payload: bytes) -> None:
    depacketizer = Vp8Depacketizer()
    with pytest.raises(MalformedPayload):
        depacketizer.push(0, True, payload)
    assert depacketizer.waiting


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.none() | st.binary(max_size=40)), max_size=30))
def test_vp8_survives_any_payload(packets: list[tuple[int, bool, bytes | None]]) -> None:
    depacketizer = Vp8Depacketizer()
    for timestamp, marker, payload in packets:
        if payload is None:
            depacketizer.hole()
            continue
        try:
            found = depacketizer.push(timestamp, marker, payload)
        except MalformedPayload:
            assert depacketizer.waiting
        else:
            assert all(unit.data and (not unit.keyframe or any(size_of(unit.data))) for unit in found)


def _write(path: Path, seconds: int = 6, audio: bool = True) -> SegmentFile:
    file = SegmentFile(path, Vp8Template(vp8_camera(seconds)[0].data), audio)
    sounds = microphone(seconds)
    told = 0
    for number, picture in enumerate(vp8_camera(seconds)):
        file.picture(number * 6000, picture.data, picture.keyframe, 6000)
        while audio and told * 0.02 < (number + 1) / FPS and told < len(sounds):
            file.sound(told * 960, sounds[told], 960)
            told += 1
    return file


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A file's bytes while it is being written, and after closing."""
    path = tmp_path_factory.mktemp("webm") / "segment.webm"
    file = _write(path)
    growing = path.read_bytes()
    file.close()
    return growing, path.read_bytes()


def _index(data: bytes, known: FragmentIndex | None = None) -> FragmentIndex:
    return index(lambda offset, length: data[offset : offset + length], len(data), known)


def test_closing_moves_nothing(grown: tuple[bytes, bytes]) -> None:
    before, after = _index(grown[0]), _index(grown[1])
    assert (before.init, before.tracks) == (after.init, after.tracks)
    assert after.fragments[: len(before.fragments)] == before.fragments
    assert (before.closed, after.closed) == (False, True)
    assert before.duration > 6.0 - 1.2  # what a killed server loses


def test_index_tells_what_a_player_needs(grown: tuple[bytes, bytes], tmp_path: Path) -> None:
    found = _index(grown[1])
    assert found.mime == 'video/webm; codecs="vp8, opus"'
    assert [(track.kind, track.width, track.height) for track in found.tracks] == [("video", 320, 192), ("audio", 0, 0)]
    assert [round(fragment.time) for fragment in found.fragments] == [0, 1, 2, 3, 4, 5]
    assert [fragment.keyframe for fragment in found.fragments] == [True, False] * 3
    assert found.duration == pytest.approx(6.0, abs=0.1)
    edges = [fragment.offset + fragment.size for fragment in found.fragments]
    assert edges == [*(fragment.offset for fragment in found.fragments[1:]), found.end]
    assert found.fragments[0].offset == found.init.size
    _write(tmp_path / "picture.webm", audio=False).close()
    picture = index_file(tmp_path / "picture.webm")
    assert picture.mime == 'video/webm; codecs="vp8"'
    assert play(tmp_path / "picture.webm").numbers == list(range(90))


def test_no_block_comes_from_before_the_one_it_follows(tmp_path: Path) -> None:
    """Chromium refuses a cluster that goes back in time by a millisecond."""
    file = SegmentFile(tmp_path / "live.webm", Vp8Template(vp8_camera(6)[0].data), True)
    packets = [(number * 6000 / 90_000 + 0.0043, number, True) for number in range(90)]
    packets += [(number * 0.02, number, False) for number in range(300)]
    for at, number, pictured in sorted(packets):
        if pictured:
            file.picture(round(at * 90_000), vp8_camera(6)[number].data, vp8_camera(6)[number].keyframe, 6000)
        else:
            file.sound(number * 960, microphone(6)[number], 960)
    file.close()
    data = (tmp_path / "live.webm").read_bytes()
    found = _index(data)
    for fragment in found.fragments:
        cluster = _element(lambda at, length: data[at : at + length], fragment.offset, len(data))
        assert cluster is not None
        times = [block.time for block in _blocks(lambda at, length: data[at : at + length], cluster)]
        assert len(times) > 50
        assert times == sorted(times)
    assert len(play(tmp_path / "live.webm").sound) == 300


def test_init_and_clusters_alone_play(grown: tuple[bytes, bytes], tmp_path: Path) -> None:
    for name, data in zip(("growing", "closed"), grown, strict=True):
        path = tmp_path / name
        path.write_bytes(data)
        found = index_file(path)
        parts = b"".join(data[part.offset : part.offset + part.size] for part in found.fragments[2:4])
        streamed = tmp_path / f"{name}.webm"
        # as Media Source takes it: no element ends before the appended bytes do
        head = bytearray(init_segment(path, found))
        head[40:48] = b"\x01" + b"\xff" * 7
        streamed.write_bytes(bytes(head) + parts)
        assert play(streamed).numbers == list(range(30, 60))


def test_index_follows_a_growing_file_from_what_is_known(grown: tuple[bytes, bytes]) -> None:
    growing, closed = grown
    known = _index(growing[: len(growing) // 2])
    assert 0 < len(known.fragments) < len(_index(growing).fragments)
    reads: list[int] = []

    def read(offset: int, length: int) -> bytes:
        reads.append(offset)
        return closed[offset : offset + length]

    assert index(read, len(closed), known) == _index(closed)
    assert min(offset for offset in reads if offset > 100) >= known.end


def test_a_torn_file_holds_its_whole_clusters_and_plays_when_trimmed(
    grown: tuple[bytes, bytes], tmp_path: Path
) -> None:
    growing, closed = grown
    whole = _index(closed).fragments
    for data in (growing, closed):
        for length in range(0, len(data), 9_770):
            if length <= _index(closed).init.size + 20:
                continue
            found = _index(data[:length])
            assert found.fragments == tuple(part for part in whole if part.offset + part.size <= length)
            assert not found.closed
    for name, data in (("torn", growing[:-9_000]), ("closing", closed[:-20])):
        path = tmp_path / f"{name}.webm"
        path.write_bytes(data)
        numbers = play(path).numbers
        duration = trim(path)
        found = index_file(path)
        assert path.stat().st_size == found.end
        assert duration == found.duration > 3.5
        assert play(path).numbers == numbers[: len(play(path).numbers)]
        assert len(play(path).numbers) >= round(duration * FPS) - 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_index_of_corrupt_bytes_raises_only_value_errors(grown: tuple[bytes, bytes], data: st.DataObject) -> None:
    spoilt = bytearray(grown[data.draw(st.integers(0, 1))])
    for _ in range(data.draw(st.integers(1, 12))):
        spoilt[data.draw(st.integers(0, 4000))] = data.draw(st.integers(0, 255))
    content = bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))])
    try:
        found = _index(content)
    except ValueError:
        return
    assert found.end <= len(content)
    assert all(part.offset + part.size <= len(content) for part in found.fragments)


def test_file_under_way_can_be_copied_and_played(tmp_path: Path) -> None:
    file = _write(tmp_path / "live.webm")
    shutil.copy(tmp_path / "live.webm", tmp_path / "copy.webm")
    assert play(tmp_path / "copy.webm").numbers == list(range(75))
    file.close()
    assert play(tmp_path / "live.webm").numbers == list(range(90))

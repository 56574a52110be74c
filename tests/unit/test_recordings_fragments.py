"""The fragment index reads growing, crashed and closed files alike, and any other bytes without harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recordings.errors import NotARecording
from recordings.fragments import index, index_file, init_segment
from recordings.segment_file import SegmentFile, Template
from recordings.segment_index import FragmentIndex
from tests.recorded_media import FPS, camera, microphone, play


def _write(path: Path, seconds: int = 6, video: bool = True, audio: bool = True) -> SegmentFile:
    template = Template(camera(seconds)[0].data) if video else None
    file = SegmentFile(path, template, audio)
    sounds = iter(enumerate(microphone(seconds)))
    for number in range(seconds * FPS):
        if video:
            picture = camera(seconds)[number]
            file.picture(number * 90_000 // FPS, picture.data, picture.keyframe, 90_000 // FPS)
        while audio and (sound := next(sounds, None)) is not None:
            file.sound(sound[0] * 960, sound[1], 960)
            if (sound[0] + 1) * 0.02 >= (number + 1) / FPS:
                break
    return file


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A file's bytes while it is being written, and after closing."""
    path = tmp_path_factory.mktemp("fragments") / "segment.mp4"
    file = _write(path)
    growing = path.read_bytes()
    file.close()
    return growing, path.read_bytes()


def _index(data: bytes, known: FragmentIndex | None = None) -> FragmentIndex:
    return index(lambda offset, length: data[offset : offset + length], len(data), known)


def test_closing_changes_eight_bytes_in_place_and_the_index_not_at_all(grown: tuple[bytes, bytes]) -> None:
    growing, closed = grown
    changed = [at for at in range(len(growing)) if growing[at] != closed[at]]
    before, after = _index(growing), _index(closed)
    assert set(changed) <= set(range(before.init.offset - 8, before.init.offset))
    assert after.init == before.init
    assert after.tracks == before.tracks
    assert after.fragments[: len(before.fragments)] == before.fragments
    assert (before.closed, after.closed) == (False, True)


def test_index_tells_what_a_player_needs(grown: tuple[bytes, bytes]) -> None:
    found = _index(grown[1])
    assert found.mime == 'video/mp4; codecs="avc1.42c00c, opus"'
    assert [(track.kind, track.timescale, track.width, track.height) for track in found.tracks] == [
        ("video", 90_000, 320, 192),
        ("audio", 48_000, 0, 0),
    ]
    assert [round(fragment.time, 2) for fragment in found.fragments] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert [fragment.keyframe for fragment in found.fragments] == [True, False] * 3
    assert found.duration == pytest.approx(6.0, abs=0.1)
    assert found.fragments[0].offset == found.init.offset + found.init.size
    edges = [fragment.offset + fragment.size for fragment in found.fragments]
    assert edges == [*(fragment.offset for fragment in found.fragments[1:]), found.end]


def test_index_of_one_kind_of_track(tmp_path: Path) -> None:
    _write(tmp_path / "sound.mp4", video=False).close()
    _write(tmp_path / "picture.mp4", audio=False).close()
    sound, picture = index_file(tmp_path / "sound.mp4"), index_file(tmp_path / "picture.mp4")
    assert sound.mime == 'audio/mp4; codecs="opus"'
    assert {fragment.keyframe for fragment in sound.fragments} == {True}
    assert picture.mime == 'video/mp4; codecs="avc1.42c00c"'
    assert len(play(tmp_path / "sound.mp4").sound) == 300
    assert play(tmp_path / "picture.mp4").numbers == list(range(90))


def test_init_and_fragments_alone_play(grown: tuple[bytes, bytes], tmp_path: Path) -> None:
    for name, data in zip(("growing", "closed"), grown, strict=True):
        path = tmp_path / name
        path.write_bytes(data)
        found = index_file(path)
        some = found.fragments[2:4]
        streamed = tmp_path / f"{name}.mp4"
        streamed.write_bytes(
            init_segment(path, found) + b"".join(data[part.offset : part.offset + part.size] for part in some)
        )
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


def test_index_of_a_torn_file_holds_its_whole_fragments(grown: tuple[bytes, bytes]) -> None:
    growing, closed = grown
    whole = _index(growing)
    first = whole.init.offset + whole.init.size
    for data in (growing, closed):
        for length in range(0, len(data), 977):
            if length < first:
                with pytest.raises(ValueError, match="initialization"):
                    _index(data[:length])
                continue
            found = _index(data[:length])
            assert found.fragments == tuple(
                part for part in _index(closed).fragments if part.offset + part.size <= length
            )


def test_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    for content in (b"", b"RIFF", b"\0" * 100, b"\0\0\0\x08free" * 10):
        path.write_bytes(content)
        with pytest.raises(NotARecording):
            index_file(path)
    with pytest.raises(FileNotFoundError):
        index_file(tmp_path / "missing.mp4")


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
    file = _write(tmp_path / "live.mp4")
    shutil.copy(tmp_path / "live.mp4", tmp_path / "copy.mp4")
    assert play(tmp_path / "copy.mp4").numbers == list(range(75))
    file.close()

"""The file of a backup: any other byte than written is found before anything of it is used."""

import gzip
import hashlib
import io
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.records import Group, Task, User
from taskapi.store.dirty import Entry
from taskapi.store.kinds import GROUP, TASK, USER
from taskapi.sync import archive, lines
from taskapi.sync.archive import About, open_whole
from taskapi.sync.errors import Broken
from taskapi.sync.lines import Line

ABOUT = About("20260102T030405Z-0a1b2c3d", "2026-01-02T03:04:05.678Z", "asked", "redis", "me", 1, 7, {})
NOW = timestamp()
SOME: list[Line] = [
    lines.of_record(USER, User(id=1, version=4, full_name="Ada", created_at=NOW, updated_at=NOW)),
    lines.of_record(GROUP, Group(id=1, version=5, name="Team\u2028\n", created_at=NOW, updated_at=NOW)),
    lines.of_record(TASK, Task(id=1, version=6, title="t", user_id=1, created_at=NOW, updated_at=NOW)),
    lines.of_entry(Entry(6, "task", 1, "created", 1, NOW, "-", "op:1", '{"title":[null,"t"]}')),
]


def written(path: Path, content: Iterable[Line] = SOME) -> bytes:
    """An archive of these lines."""
    archive.write(path, ABOUT, content)
    return path.read_bytes()


def read(content: bytes) -> list[Line]:
    """The lines of an archive."""
    return list(open_whole(io.BytesIO(content)).lines())


def resealed(content: bytes) -> bytes:
    """With a digest that fits: somebody has meant it."""
    return content + hashlib.sha256(content).digest()


def test_what_is_written_is_read_again(tmp_path: Path):
    content = written(tmp_path / "a")
    found = open_whole(io.BytesIO(content))
    assert list(found.lines()) == SOME
    assert list(found.lines()) == SOME
    assert found.manifest.about == ABOUT
    one = dict.fromkeys(("user", "group", "task", "change"), 1)
    assert found.manifest.counts == {"credential": 0, "file": 0, "refused": 0} | one
    assert archive.manifest_in(content[-5000:]) == found.manifest


def test_a_flipped_byte_is_found_wherever_it_is(tmp_path: Path):
    content = bytearray(written(tmp_path / "a"))
    for place in range(len(content)):
        for flip in (0x01, 0x80, 0xFF):
            content[place] ^= flip
            with pytest.raises(Broken):
                open_whole(io.BytesIO(content))
            content[place] ^= flip
    assert read(content) == SOME


def test_a_missing_or_added_byte_is_found_wherever_it_is(tmp_path: Path):
    content = written(tmp_path / "a")
    for place in range(len(content)):
        for wrong in (content[:place], content[place + 1 :], content[:place] + content[place + 1 :]):
            with pytest.raises(Broken):
                open_whole(io.BytesIO(wrong))
    with pytest.raises(Broken):
        open_whole(io.BytesIO(content + b"\0"))


def forged(path: Path, **changed: bytes) -> bytes:
    """An archive with other parts, sealed by somebody who knows how."""
    whole = open_whole(io.BytesIO(written(path)))
    content, manifest_at = path.read_bytes(), whole.size - 40 - whole.manifest_size
    parts = {
        "magic": archive.MAGIC,
        "body": content[len(archive.MAGIC) : manifest_at],
        "manifest": content[manifest_at:-40],
    } | changed
    length = changed.get("length", len(parts["manifest"]).to_bytes(8))
    return resealed(parts["magic"] + parts["body"] + parts["manifest"] + length)


def test_what_is_sealed_but_no_archive_of_ours_is_refused(tmp_path: Path):
    path = tmp_path / "a"
    manifest = orjson.dumps({"format": 2, "about": {}, "counts": {}, "digests": {}})
    wrong: dict[str, dict[str, bytes]] = {
        "It does not begin like": {"magic": b"another archive 1\n"},
        "wrote another format": {"manifest": archive._sealed(manifest)},
        "Its manifest cannot be read": {"manifest": archive._sealed(b"[]")},
        "Its manifest is not as it was written": {"manifest": manifest},
        "It does not end like": {"length": b"\xff" * 8},
        "cannot be unpacked": {"body": b"no gzip"},
        "that no archive has": {"body": gzip.compress(b'["other",{}]\n')},
    }
    assert read(forged(path)) == SOME
    for sentence, parts in wrong.items():
        with pytest.raises(Broken, match=sentence):
            read(forged(path, **parts))
    with pytest.raises(Broken, match="that no archive has"):
        read(forged(path, body=gzip.compress(b'["user",{"id":1')))
    with pytest.raises(Broken, match="cannot be unpacked"):
        read(forged(path, body=gzip.compress(b'["user",{}]\n')[:-9]))


def test_the_same_lines_give_the_same_digests_in_any_order(tmp_path: Path):
    other = archive.write(tmp_path / "a", ABOUT, SOME[::-1])
    same = archive.write(tmp_path / "b", ABOUT, SOME)
    fewer = archive.write(tmp_path / "c", ABOUT, SOME[1:])
    assert other == same != fewer


def test_a_large_archive_is_read_and_told_in_parts(tmp_path: Path):
    many = [("task", b'{"id":%d,"x":"%b"}' % (n, os.urandom(500).hex().encode())) for n in range(3000)]
    told: list[float] = []
    content = io.BytesIO(written(tmp_path / "a", many))
    assert list(open_whole(content, told.append).lines(told.append)) == many
    assert len(told) > 4
    assert all(0 <= share <= 1 for share in told)


def test_a_line_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "LINE_BYTES", 10_000)
    bomb = forged(tmp_path / "a", body=gzip.compress(b'["user",{"' + b"x" * 20_000 + b'":1}]\n'))
    with pytest.raises(Broken, match="that no archive has"):
        read(bomb)


@pytest.mark.parametrize(
    "wild",
    [
        {"counts": None},
        {"counts": {}},
        {"counts": {"change": "many"}},
        {"digests": {"user": 7}},
        {"about": asdict(ABOUT) | {"created_at": "2026-01-02T03:04:05"}},
        {"about": asdict(ABOUT) | {"created_at": 7}},
        {"about": asdict(ABOUT) | {"reason": None}},
        {"about": asdict(ABOUT) | {"epoch": 1 << 40}},
        {"about": asdict(ABOUT) | {"ids": {"task": 1.5}}},
        {"about": asdict(ABOUT) | {"ids": 3}},
    ],
)
def test_a_manifest_of_wild_values_is_broken(tmp_path: Path, wild: dict[str, object]):
    whole = {"format": 1, "about": asdict(ABOUT), "counts": {"change": 0}, "digests": {}}
    assert archive.manifest_in(sealed(whole)).about == ABOUT
    with pytest.raises(Broken):
        archive.manifest_in(sealed(whole | wild))


def sealed(manifest: dict[str, object]) -> bytes:
    """The end of an archive with that manifest."""
    text = orjson.dumps(manifest)
    text += b"\n" + hashlib.sha256(text).hexdigest().encode()
    return text + len(text).to_bytes(8) + bytes(32)

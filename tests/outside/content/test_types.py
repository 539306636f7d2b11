"""Types by content: what is taken has its own, whatever it is called; nothing else comes in."""

import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from taskapi.domain.errors import WrongType
from taskapi.outside.content.types import type_of
from tests.outside.content.samples import REFUSED, TAKEN, zipped


def kept(folder: Path, content: bytes) -> Path:
    path = folder / "draft"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", TAKEN)
def test_a_file_that_is_taken_has_the_type_of_its_content(name: str, tmp_path: Path):
    content, wanted = TAKEN[name]
    assert type_of(kept(tmp_path, content), name) == wanted


@pytest.mark.parametrize("content", [b"RIFF", b"RIFF\1\1\1", b"GIF8", b"II*", b"BM", b"%PDF"])
def test_the_mere_beginning_of_a_picture_is_text_or_refused(content: bytes, tmp_path: Path):
    with suppress(WrongType):
        assert type_of(kept(tmp_path, content), "a") == "text/plain"


def test_an_archive_whose_directory_leads_before_its_beginning_is_refused(tmp_path: Path):
    whole = bytearray(zipped({"a.txt": b"x"}))
    whole[-6:-2] = (10**6).to_bytes(4, "little")
    with pytest.raises(WrongType):
        type_of(kept(tmp_path, bytes(whole)), "a.zip")


@pytest.mark.parametrize("name", TAKEN)
def test_its_name_changes_nothing(name: str, tmp_path: Path):
    content, wanted = TAKEN[name]
    assert type_of(kept(tmp_path, content), "another.pdf") == wanted


@pytest.mark.parametrize("what", REFUSED)
def test_an_attack_is_refused_with_a_sentence(what: str, tmp_path: Path):
    name, content = REFUSED[what]
    with pytest.raises(WrongType) as refusal:
        type_of(kept(tmp_path, content), name)
    assert str(refusal.value).endswith(".")
    assert str(tmp_path) not in str(refusal.value)


def test_what_it_looks_like_is_told(tmp_path: Path):
    with pytest.raises(WrongType, match="Windows Executable"):
        type_of(kept(tmp_path, b"MZ\x90\0" + b"\0" * 100), "a.png")


@pytest.mark.parametrize("content", [b"a" * (10 << 20), zipped({"a.txt": bytes(range(256)) * 4096})])
def test_a_large_file_is_never_whole_in_memory(content: bytes, tmp_path: Path):
    path = kept(tmp_path, content)
    type_of(path, "a.txt")
    tracemalloc.start()
    try:
        type_of(path, "a.txt")
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_costs_what_a_harmless_archive_may(tmp_path: Path):
    def seconds(name: str, content: bytes) -> float:
        path, began = kept(tmp_path, content), time.process_time()
        with suppress(WrongType):
            type_of(path, name)
        return time.process_time() - began

    harmless = min(seconds("a.zip", zipped({"a.txt": bytes(1 << 20)})) for _ in range(3))
    for what in ("a bomb", "a bomb that lies", "a bomb of shared bytes"):
        assert min(seconds(*REFUSED[what]) for _ in range(3)) < 5 * harmless + 0.05

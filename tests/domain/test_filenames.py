"""Names of files: one name without a path, safe on every system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskapi.domain.errors import Invalid
from taskapi.domain.filenames import MOST_BYTES, ending, safe_name

NAMES = {
    "report.pdf": "report.pdf",
    "Größe 😀.txt": "Größe 😀.txt",
    "e\u0301.txt": "é.txt",
    "../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "C:\\fakepath\\a.png": "a.png",
    "..\\..\\a.png": "a.png",
    "\\\\server\\share\\a.png": "a.png",
    "a\0b.txt": "ab.txt",
    "a\r\nSet-Cookie: x.txt": "aSet-Cookie_ x.txt",
    "a\x1b[31m.txt": "a[31m.txt",
    "gpj.\u202eexe.txt": "gpj.exe.txt",
    "a\u2066b\u2069.txt": "ab.txt",
    "a\ufeffb\u200b.txt": "ab.txt",
    "a\u2028b.txt": "ab.txt",
    "\ud800a.txt": "a.txt",
    "👩\u200d💻.txt": "👩\u200d💻.txt",
    'a<b>:"|?*.txt': "a_b______.txt",
    "a.txt:evil.exe": "a.txt_evil.exe",
    " .hidden. ": "hidden",
    "a.txt. . .": "a.txt",
    "CON": "_CON",
    "nul.txt": "_nul.txt",
    "com1.tar.gz": "_com1.tar.gz",
    "console.txt": "console.txt",
    "x" * 300 + ".txt": "x" * (MOST_BYTES - 4) + ".txt",
    "😀" * 100 + ".txt": "😀" * 49 + ".txt",
    "x" * 300: "x" * MOST_BYTES,
    "a." + "x" * 300: "a." + "x" * (MOST_BYTES - 2),
}


@pytest.mark.parametrize("sent", NAMES)
def test_a_name_is_reduced_to_what_is_safe(sent: str):
    assert safe_name(sent) == NAMES[sent]


@pytest.mark.parametrize("sent", ["", ".", "..", "../..", "a/", "\0", "\u202e", " . ", "\u200d"])
def test_a_name_of_nothing_is_refused(sent: str):
    with pytest.raises(Invalid):
        safe_name(sent)


@given(st.text())
def test_whatever_is_sent_is_safe_and_stays_so(sent: str):
    try:
        name = safe_name(sent)
    except Invalid:
        return
    assert 0 < len(name.encode()) <= MOST_BYTES + 1
    assert not set(name) & set('/\\\0\r\n<>:"|?*')
    assert name not in (".", "..")
    assert safe_name(name) == name


def test_what_joins_letters_does_not_hide_an_ending():
    assert ending(safe_name("a.exe\u200d")) == "exe"


def test_the_ending_is_what_stands_behind_the_last_point():
    assert [ending(name) for name in ("a.TXT", "a.tar.gz", "a", ".b", "a.")] == ["txt", "gz", "", "b", ""]

"""Text as the words by which it is found: the one cutter, for what is stored and for what is asked.

A word is a run of letters and digits of any script, folded: without case, compatibility forms (full
width, ligatures) as what they stand for. Marks belong to their letter; vowel points of Arabic and
Hebrew, which most writers leave out, do not count. A word that is asked for is found where it begins
a word of the text.

Scripts without spaces between words (Chinese, Japanese, Thai …) are cut into overlapping pairs of
characters, the last one alone: any part of a run is found, in its order, and one character finds the
pairs that it begins. Single characters would find a run that only has them scattered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from taskapi.domain.errors import Invalid

LONGEST_WORD = 40
"""Characters of a word that count; a longer one is found by its beginning."""

LONGEST_TEXT = 20_000
"""Characters of a folded text in which words are looked for: more than a task has."""

LONGEST_QUERY = 200
MOST_ASKED = 50

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u303c\u3040-\u30ff"
    "\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)
"""Thai, Lao, Myanmar, Khmer; Han, kana and Bopomofo."""

_OPTIONAL = re.compile("[\u0591-\u05c7\u0640\u064b-\u065f\u0670\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LOST_WITH_CASE = re.compile("(?<=[\u0370-\u03ff])[\u0300-\u0344]+|(?<=[Ii])\u0307")
"""Accents, which Greek capitals are written without, and the dot of the Turkish capital İ."""

_SPACE_OF_NO_WIDTH, _I_WITHOUT_DOT = 0x200B, 0x131


class _Shapes(dict[int, str]):
    """What becomes of each character: itself, a space between words, or nothing; learned as they come."""

    def __missing__(self, code: int) -> str:
        self[code] = _shape(chr(code))
        return self[code]


def _shape(character: str) -> str:
    category = unicodedata.category(character)
    if _OPTIONAL.fullmatch(character) or category in ("Cf", "Me"):
        return ""
    return character if category[0] in "LMN" else " "


_SHAPES = _Shapes({_SPACE_OF_NO_WIDTH: " ", _I_WITHOUT_DOT: "i"})


def plain(text: str) -> str:
    """The text folded, with nothing but its words, and single or several spaces between them."""
    if text.isascii():
        return text.lower().translate(_SHAPES)[:LONGEST_TEXT]
    folded, before = _folded(text), text
    while folded != before:  # a fold can leave what is to be folded again
        folded, before = _folded(folded), folded
    return _UNSPACED.sub(r" \g<0> ", folded)[:LONGEST_TEXT]


def _folded(text: str) -> str:
    bare = _LOST_WITH_CASE.sub("", unicodedata.normalize("NFKD", text.translate(_SHAPES)))
    return unicodedata.normalize("NFKC", bare.casefold()).translate(_SHAPES)


def cut(text: str) -> frozenset[str]:
    """The words of a text."""
    shaped, found = plain(text), set[str]()
    if shaped.isascii():
        return frozenset([word[:LONGEST_WORD] for word in shaped.split()])
    for word in shaped.split():
        if _is_unspaced(word):
            found.update(word[start : start + 2] for start in range(len(word)))
        else:
            found.add(word[:LONGEST_WORD])
    return frozenset(found)


def of_task(title: str, information: str) -> str:
    """What of a task is searched, as one text."""
    return f"{title}\n{information}"


def asked(text: str, parameter: str) -> tuple[str, ...]:
    """The words of a query; raises Invalid, naming the parameter, for one without any or with too many."""
    if len(text) > LONGEST_QUERY:
        raise Invalid({parameter: [f"Must have {LONGEST_QUERY} characters at most."]})
    words = sorted(word for word in cut(text) if any(map(str.isalnum, word)))
    if not words:
        raise Invalid({parameter: ["Must have at least one letter or digit."]})
    if len(words) > MOST_ASKED:
        raise Invalid({parameter: [f"Must have {MOST_ASKED} words at most."]})
    return tuple(words)


def begins_all(words: Iterable[str], text: str) -> bool:
    """Whether each of these words, as they were cut from a query, begins a word of the text."""
    padded = f" {plain(text)}"
    return all((word if _is_unspaced(word) else f" {word}") in padded for word in words)


def _is_unspaced(word: str) -> bool:
    return _UNSPACED.match(word) is not None

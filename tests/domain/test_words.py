"""Words: cut the same way wherever they come from."""

# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are what is tested

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskapi.domain import words
from taskapi.domain.errors import Invalid

texts = st.text(max_size=40) | st.text("aA ßẞÄä_-会议记录ΣςΙ\u0301\u0307ﬁ１'é\u200d❤️ 한ไทย", max_size=12)


def is_found(query: str, text: str) -> bool:
    return words.begins_all(words.asked(query, "q"), text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("arc", "Archive the files"),
        ("FILES arch", "Archive the files"),
        ("äRGER", "Ärger mit Österreich"),
        ("A\u0308rger", "ärger"),
        ("strasse", "Große Straße"),
        ("STRASSE", "straße"),
        ("STRAẞE", "strasse"),
        ("ΟΔΟΣ", "οδός"),
        ("ΚΑΪΚΙ", "καΐκι"),
        ("οδοσ", "ΟΔΟΣ"),
        ("прив", "ПРИВЕТ, мир"),
        ("istanbul", "İSTANBUL"),
        ("ISTANBUL", "istanbul ı"),
        ("محمد", "اجتماع مع مُحَمَّد"),
        ("كتاب", "كتـــاب"),
        ("שלום", "שָׁלוֹם"),
        ("हिन्", "हिन्दी में"),
        ("议", "会议记录"),
        ("议记", "会议记录"),
        ("记录", "会议记录。"),
        ("会议记录", "明天的会议记录在这里"),
        ("ﾃｽﾄ", "新しいテスト項目"),
        ("ไทย", "ภาษาไทยง่าย"),
        ("회의", "회의록을 정리"),
        ("ｃａｆé", "CAFE\u0301 au lait"),
        ("fine", "ﬁne"),
        ("party", "🎉party🎉"),
        ("party", "🎉Party👩‍👩‍👧"),
        ("iphone 手机", "iPhone15手机壳"),
        ("cooperate", "co\u00adoperate"),
        ("quoted", "´quoted´ ¨"),
        ("o'brien", "Mr. O'Brien's"),
        ("snake case", "snake_case"),
        ("c++ 3.14", "C++, version 3.14"),
        ("x" * 60, "x" * 50),
    ],
)
def test_a_word_is_found_in_any_case_and_script(query, text):
    assert is_found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("rchive", "Archive the files"),
        ("archive now", "Archive the files"),
        ("arger", "Ärger"),
        ("ΜΙΑ", "ωμια"),
        ("议会", "会议记录"),
        ("会记", "会议记录"),
        ("15", "iPhone15"),
        ("filesarchive", "files archive"),
        ("ab", "a\u200bb"),
    ],
)
def test_what_begins_no_word_is_not_found(query, text):
    assert not is_found(query, text)


@given(texts, texts)
@example("ab", "会ab")
@example("x" * 41, "x" * 45)
@example("İ", "i\u0307")
def test_to_begin_a_word_is_the_same_whether_a_text_is_cut_or_not(query, text):
    wanted = words.cut(query)
    expected = all(any(word.startswith(each) for word in words.cut(text)) for each in wanted)
    assert words.begins_all(wanted, text) is expected


@given(texts)
@example("\u0130\u0307")
@example("I\ufe71\u0307")
@example("\U0001d6a4\u0307")
def test_a_text_has_the_words_of_its_other_forms(text):
    assert words.cut(words.plain(text)) == words.cut(text)
    assert words.begins_all(words.cut(text), text)


@given(st.text("aZäÖßéσΣςжЖԱա", max_size=20))
def test_case_makes_no_difference(text):
    assert words.cut(text.upper()) == words.cut(text.lower()) == words.cut(text)


@given(texts)
def test_a_word_is_short_and_has_nothing_that_a_query_language_could_mean(text):
    for word in words.cut(text + " it's \\ & | ! :* <-> (\"') ;--"):
        assert 0 < len(word) <= words.LONGEST_WORD
        assert not set(word) & set(" '\"\\&|!:*()<>-;\x00")


def test_the_largest_task_is_cut_whole():
    long = " ".join(f"w{n}" for n in range(1700))
    assert is_found("w1699", words.of_task("t", long[:10_000]))
    han = "".join(chr(0x4E00 + n) for n in range(10_000))
    assert len(words.cut(han)) == 10_000
    assert is_found(han[-2:], han)


def test_a_huge_text_is_cut_within_bounds():
    assert len(words.cut("\ufdfa " * 10_000)) < 10
    assert len(words.cut(" ".join(map(str, range(100_000))))) < words.LONGEST_TEXT


@pytest.mark.parametrize("query", ["", "  ", "...", "🎉", "❤️", "´", "\u0301", "&|!:*", "x" * 201])
def test_a_query_without_words_or_too_long_is_refused_by_its_name(query):
    with pytest.raises(Invalid) as refused:
        words.asked(query, "search")
    assert list(refused.value.errors) == ["search"]


def test_a_query_of_too_many_words_is_refused():
    assert len(words.asked(" ".join(map(str, range(50))), "q")) == 50
    with pytest.raises(Invalid):
        words.asked(" ".join(map(str, range(51))), "q")

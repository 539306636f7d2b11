"""No secret leaves, in whatever form a line would tell it."""

import json

import pytest

from taskapi.logs.lines import as_json, as_text
from taskapi.logs.redaction import HIDDEN, Redaction

SECRETS = ["correct-horse", 'it\'s "quoted" \\ and', "späte/Züge?&=", "plus+and space", "*&^%$#@!"]
EVENT = {"timestamp": "12:00:00", "level": "info", "event": "said"}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", [as_json, as_text])
def test_a_known_secret_is_found_in_every_form(secret: str, form: object) -> None:
    redaction = Redaction([secret])
    told = [secret, repr(secret), json.dumps(secret), json.dumps({"a": [secret]}), f"KeyError({secret!r})"]
    for said in told:
        line = form({**EVENT, "reason": said})  # type: ignore[operator]
        assert redaction.suspects(line)
        cleaned = redaction.cleaned({"reason": said, "deep": [{"x": (said,)}]})
        assert secret not in repr(cleaned)
        assert HIDDEN in cleaned["reason"]
        assert all(core not in repr(cleaned) for core in ("horse", "quoted", "späte", "plus"))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("redis://:hunter22@host:1/0", "redis://***@host:1/0"),
        ("Authorization: Basic YTpodW50ZXIyMg==", "Authorization: ***"),
        ("got Bearer abc.def.ghi, sorry", "got Bearer ***, sorry"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln was sent", "*** was sent"),
        ("key AKIAIOSFODNN7EXAMPLE", "key ***"),
        ("password=hunter22 host=x", "password=*** host=x"),
        ("/path?token=hunter22&a=1", "/path?token=***&a=1"),
        ("{'current_password': 'hunter22'}", "{'current_password': ***}"),
        ("Set-Cookie: session=hunter22; HttpOnly", "Set-Cookie: ***"),
        ("AWS_SECRET_ACCESS_KEY = hunter22", "AWS_SECRET_ACCESS_KEY = ***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(said: str, left: str) -> None:
    redaction = Redaction([])
    assert redaction.suspects(as_json({**EVENT, "reason": said}))
    assert redaction.cleaned(said) == left


def test_what_is_named_like_a_secret_is_hidden() -> None:
    told = {"Authorization": "x", "old_password": 5, "deep": {"refresh_token": "x", "cookies": None}}
    hidden = {
        "Authorization": HIDDEN,
        "old_password": HIDDEN,
        "deep": {"refresh_token": HIDDEN, "cookies": None},
    }
    assert Redaction([]).cleaned(told) == hidden


def test_how_long_a_secret_lasts_is_none() -> None:
    told = {"access_token_expire_minutes": "60", "refresh_token_expire_days": 30}
    assert Redaction([]).cleaned(told) == told
    assert Redaction([]).cleaned("access_token_expire_minutes=60") == "access_token_expire_minutes=60"


def test_sentences_about_secrets_are_left_as_they_are() -> None:
    for sentence in (
        "The owner password is wrong.",
        "OWNER_PASSWORD is wrong: write a password.",
        "no keys: 3",
    ):
        assert Redaction([]).cleaned(sentence) == sentence


def test_a_line_as_most_are_is_not_looked_at_closely() -> None:
    usual = {**EVENT, "event": "request", "method": "GET", "path": "/tasks/7", "status": 200, "user": 3}
    assert not Redaction(SECRETS[:4]).suspects(as_json(usual))


def test_a_secret_too_short_to_be_one_hides_no_lines() -> None:
    assert Redaction(["e", ""]).cleaned("every event") == "every event"


@pytest.mark.parametrize(
    "long", ["eyJ" * 4000, "token" * 3000, "://" * 5000, "bearer " * 2000, "secret_" * 2000]
)
def test_no_text_keeps_it_busy_for_long(long: str) -> None:
    Redaction(SECRETS).cleaned(long)

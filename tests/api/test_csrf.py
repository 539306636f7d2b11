"""What other people's pages make a browser send: refused, unless it shows that it is meant."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.cookiejar import CookieJar
from itertools import product
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from taskapi.store.client import Store
from tests.api.browsers import ADA, GONE, cookie, set_by, signed_in, value_of
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, basic, signed_up

OWN, LISTED, FOREIGN = "http://localhost", "https://app.example", "https://evil.example"
TELLING = {
    "nothing": {},
    "own origin": {"Origin": OWN},
    "foreign origin": {"Origin": FOREIGN},
    "no origin": {"Origin": "null"},
    "empty origin": {"Origin": ""},
    "own referer": {"Referer": f"{OWN}/docs"},
    "foreign referer": {"Referer": FOREIGN},
    "same origin": {"Sec-Fetch-Site": "same-origin"},
    "same site": {"Sec-Fetch-Site": "same-site"},
    "cross site": {"Sec-Fetch-Site": "cross-site"},
    "typed": {"Sec-Fetch-Site": "none"},
}
FOREIGN_PAGES = frozenset(
    {"foreign origin", "no origin", "empty origin", "foreign referer", "same site", "cross site"}
)
PROOFS = ("none", "right", "wrong", "empty", "another session's", "cut short", "odd")
CREDENTIALS = ("cookie", "token", "basic", "owner")
CALLS = [
    ("GET", "/tasks", 200),
    ("HEAD", "/tasks", 200),
    ("OPTIONS", "/tasks", 204),
    ("POST", "/tasks", 201),
    ("PATCH", "/users/{id}", 200),
    ("PUT", "/users/{id}", 200),
    ("DELETE", "/auth/sessions/nonsense", 404),
]
BODIES = {"POST": {"title": "x"}, "PATCH": {"number": "1"}, "PUT": {"number": "1"}}


@pytest.fixture
def headers_of(client: FlaskClient, user: Person) -> dict[str, dict[str, str]]:
    """The headers of each credential and of each proof."""
    first, second = (client.post("/login", json=ADA) for _ in range(2))
    right = first.json["csrf_token"]
    proofs = {
        "none": None,
        "right": right,
        "wrong": "0" * len(right),
        "empty": "",
        "another session's": second.json["csrf_token"],
        "cut short": right[:-1],
        "odd": "\xff",
    }
    credentials = {
        "cookie": cookie(value_of(first)),
        "token": user.headers,
        "basic": basic("ada", PASSWORD),
        "owner": {"X-Owner-Password": OWNER_PASSWORD},
    }
    return credentials | {
        name: {} if proof is None else {"X-CSRF-Token": proof} for name, proof in proofs.items()
    }


def test_every_credential_header_proof_and_method_is_answered_as_the_rule_says(
    client: FlaskClient, user: Person, headers_of: dict[str, dict[str, str]]
) -> None:
    wrong = []
    for credential, told, proof, call in product(CREDENTIALS, TELLING, PROOFS, CALLS):
        method, path, status = call
        changes = method in ("POST", "PATCH", "PUT", "DELETE")
        by_cookie = credential == "cookie" and told != "nothing" and proof != "right"
        by_basic = credential == "basic" and told in FOREIGN_PAGES
        is_refused = changes and (by_cookie or by_basic)
        expected = (403, "csrf_failed") if is_refused else (status, None)
        answer = client.open(
            path.format(id=user.id),
            method=method,
            json=BODIES.get(method),
            headers=headers_of[credential] | TELLING[told] | headers_of[proof],
        )
        code = answer.json["code"] if answer.status_code == 403 else None
        if (answer.status_code, code) != expected:
            wrong.append((credential, told, proof, method, answer.status_code, code))
    assert wrong == []


def test_what_is_refused_changes_nothing(client: FlaskClient, user: Person, data: Store) -> None:
    mine, before = cookie(signed_in(client)), data.redis.xinfo_stream("journal")["last-generated-id"]
    for method, path in (("POST", "/tasks"), ("POST", "/logout"), ("DELETE", "/auth/sessions")):
        answer = client.open(path, method=method, json={"title": "x"}, headers=mine | {"Origin": FOREIGN})
        assert (answer.status_code, set_by(answer)) == (403, {})
    assert data.redis.xinfo_stream("journal")["last-generated-id"] == before
    assert client.get("/auth/me", headers=mine).status_code == 200


def test_a_session_that_is_over_is_told_before_the_missing_proof(client: FlaskClient, user: Person) -> None:
    mine = cookie(signed_in(client))
    assert client.post("/logout", headers=mine).status_code == 200
    answer = client.post("/tasks", json={"title": "x"}, headers=mine | {"Origin": OWN})
    assert (answer.status_code, set_by(answer)) == (401, GONE)


def test_missing_proofs_count_against_the_callers_limit(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_default="2 per minute").test_client(use_cookies=False)
    signed_up(client, "ada")
    mine = cookie(signed_in(client)) | {"Origin": FOREIGN}
    calls = [client.post("/tasks", json={"title": "x"}, headers=mine).status_code for _ in range(3)]
    assert calls == [403, 403, 429]


def test_a_planted_pair_of_cookies_does_not_pass(client: FlaskClient, user: Person) -> None:
    session = signed_in(client)
    planted = {"Cookie": f"csrf_token=x; session={session}; csrf_token=x", "X-CSRF-Token": "x"}
    answer = client.post("/tasks", json={"title": "x"}, headers=planted | {"Origin": OWN})
    assert answer.json["code"] == "csrf_failed"


@pytest.fixture
def open_client(data: Store, make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an app that lists one page by name and admits all others without cookies."""
    client = make_app(cors_origins=(LISTED, "*")).test_client(use_cookies=False)
    signed_up(client, "ada")
    return client


PAGES = [
    ({}, True),
    ({"Origin": OWN}, True),
    ({"Origin": "HTTP://LOCALHOST"}, True),
    ({"Origin": LISTED}, True),
    ({"Origin": LISTED, "Sec-Fetch-Site": "cross-site"}, True),
    ({"Referer": f"{OWN}/docs"}, True),
    ({"Referer": f"{LISTED}/a?b"}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://name.before.the.proxy"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Origin": "https://localhost"}, True),
    ({"Origin": FOREIGN}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "*"}, False),
    ({"Origin": f"{OWN}.evil.example"}, False),
    ({"Origin": f"{OWN}:81"}, False),
    ({"Origin": f"{FOREIGN}/{OWN}"}, False),
    ({"Origin": f"{LISTED}.evil.example"}, False),
    ({"Origin": FOREIGN, "Referer": f"{OWN}/"}, False),
    ({"Origin": FOREIGN, "Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Referer": f"{FOREIGN}/{OWN}/"}, False),
    ({"Referer": "https://localhost@evil.example/"}, False),
    ({"Referer": "http://[x"}, False),
    ({"Referer": "/login"}, False),
]


@pytest.mark.parametrize(("headers", "may"), PAGES)
def test_only_pages_that_may_sign_somebody_in_by_cookie(
    open_client: FlaskClient, headers: dict[str, str], may: bool
) -> None:
    form = {"username": "ada", "password": PASSWORD}
    for path in ("/login", "/v1/login/", "/auth/login?session=cookie"):
        answer = open_client.post(path, data=form, headers=headers)
        assert (answer.status_code, bool(set_by(answer))) == (200 if may else 403, may)
        assert may or answer.json["code"] == "csrf_failed"
    assert open_client.post("/auth/login", data=form, headers=headers).status_code == 200


def test_a_page_that_may_not_registers_nobody(client: FlaskClient) -> None:
    sent = {"username": "eve", "password": PASSWORD}
    assert client.post("/register", data=sent, headers={"Origin": FOREIGN}).status_code == 403
    assert client.post("/login", data=sent).status_code == 401


def test_over_https_a_page_over_http_is_another(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(trusted_proxies=1).test_client(use_cookies=False)
    signed_up(client, "ada")
    secure = {"X-Forwarded-Proto": "https"}
    for origin, status in (("https://localhost", 200), (OWN, 403)):
        assert client.post("/login", json=ADA, headers=secure | {"Origin": origin}).status_code == status


def test_where_all_pages_may_call_all_may_by_basic(open_client: FlaskClient) -> None:
    for origin in (LISTED, FOREIGN):
        headers = basic("ada", PASSWORD) | {"Origin": origin}
        assert open_client.post("/tasks", json={"title": "x"}, headers=headers).status_code == 201


def test_only_pages_that_are_listed_by_name_may_call_with_cookies(open_client: FlaskClient) -> None:
    def credentials(origin: str, method: str = "GET") -> tuple[str | None, str | None]:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = open_client.open("/tasks", method=method, headers=asked).headers
        return answer.get("Access-Control-Allow-Origin"), answer.get("Access-Control-Allow-Credentials")

    for method in ("GET", "OPTIONS"):
        assert credentials(LISTED, method) == (LISTED, "true")
        assert credentials(FOREIGN, method) == ("*", None)
        assert credentials("null", method) == ("*", None)
    told = open_client.options("/tasks", headers={"Origin": LISTED, "Access-Control-Request-Method": "POST"})
    assert "X-CSRF-Token" in told.headers["Access-Control-Allow-Headers"]


def test_a_plain_client_with_a_cookie_jar_works(app: Flask, user: Person) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))

    def call(method: str, path: str, body: str | None = None, kind: str = "json") -> int:
        headers = {"Content-Type": f"application/{kind}"}
        sent = None if body is None else body.encode()
        request = Request(f"http://127.0.0.1:{server.port}{path}", sent, headers, method=method)
        return int(opener.open(request).status)

    try:
        form = "username=ada&password=correct+horse"
        assert call("POST", "/login", form, "x-www-form-urlencoded") == 200
        assert {(each.name, each.path, each.secure) for each in jar} == {
            ("session", "/", False),
            ("csrf_token", "/", False),
        }
        assert call("POST", "/tasks", '{"title": "x"}') == 201
        assert call("DELETE", "/tasks/1") == 200
        assert call("POST", "/logout") == 200
        assert list(jar) == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

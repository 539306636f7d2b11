"""The pages that the API has of itself: they load nothing from anywhere else, and are asked for once."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from taskapi.api import swagger

PAGES = ("/docs", "/redoc", "/docs/errors", "/v1/docs", "/v1/redoc")
LOADED = {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "ping"}


class Loaded(HTMLParser):
    """What a browser would load or go to, and what it would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.anchors: set[str] = set()
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.names.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in LOADED]
        self.anchors |= {told["id"] or ""} if "id" in told else set()
        self.inline += [name for name in told if name.startswith("on")]
        self.inline += ["script"] * (tag == "script" and "src" not in told)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_anywhere_else(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    loaded = Loaded(page.text)
    assert page.status_code == 200
    assert all(re.match(r"[#/](?!/)", address) for address in loaded.addresses), loaded.addresses
    assert not loaded.inline
    assert not loaded.names & {"iframe", "object", "embed", "base", "form"}
    assert not re.search(r"url\(|@import", page.text)


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_of_a_page_names_no_other_origin(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives.pop("default-src") == directives["frame-ancestors"] == "'none'"
    scripts = directives.pop("script-src", None)
    assert scripts == ("'self'" if path.endswith("/docs") else None)
    sources = {source for sources in directives.values() for source in sources.split()}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "data:"}


def test_each_file_of_the_page_is_served(client: FlaskClient) -> None:
    for mount in ("", "/v1"):
        loaded = Loaded(client.get(f"{mount}/docs").text).addresses
        files = [address for address in loaded if "/docs/ui/" in address]
        assert {file.removeprefix(f"{mount}/docs/ui/") for file in files} == set(swagger.ASSETS)
        for file in files:
            answer = client.get(file)
            assert answer.status_code == 200
            assert answer.content_type == swagger.ASSETS[file.rpartition("/")[2]]
            assert len(answer.data) > 500
    assert client.get("/docs/ui/index.html").json["code"] == "not_found"
    assert client.get("/docs/ui/..%2fopenapi.json").status_code == 404


@pytest.mark.parametrize("path", [*PAGES, "/openapi.json", "/docs/ui/swagger-ui-bundle.js"])
def test_what_a_browser_has_is_not_sent_again(client: FlaskClient, path: str) -> None:
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


def test_the_page_asks_nobody_to_judge_the_document(client: FlaskClient) -> None:
    script = client.get("/docs/ui/docs.js").text
    assert "validatorUrl: null" in script
    assert not re.search(r"https?://", script)
    assert "X-CSRF-Token" in script


def test_every_link_within_the_reference_leads_somewhere(client: FlaskClient) -> None:
    loaded = Loaded(client.get("/redoc").text)
    within = {address[1:] for address in loaded.addresses if address.startswith("#")}
    assert len(within) > 100
    assert within <= loaded.anchors
    for address in {address for address in loaded.addresses if not address.startswith("#")}:
        assert client.get(address).status_code == 200, address


def test_the_root_leads_to_the_page_of_its_mount(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/docs"
    assert client.get("/v1/").headers["Location"] == "/v1/docs"

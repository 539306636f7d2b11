"""Clients that keep what they are given: cookies in a jar, or a token. In this process, or over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, Protocol
from urllib.error import HTTPError

from flask import Flask
from werkzeug.datastructures import Headers

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON; None if it is none."""
        return json.loads(self.body) if "json" in self.headers.get("Content-Type", "") else None


class Client(Protocol):
    """Sends requests, and keeps the cookies of the answers."""

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to one request."""


class Within:
    """A client of an app in this process."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to one request."""
        told = self._client.open(path, method=method, headers=headers, data=body or None)
        return Answer(told.status_code, told.headers, told.data)


class OverHttp:
    """A client of a served address, which takes no account of a proxy."""

    def __init__(self, address: str) -> None:
        self._address = address
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """The answer to one request."""
        asked = urllib.request.Request(self._address + path, body or None, headers, method=method)
        try:
            with self._opener.open(asked, timeout=PATIENCE_SECONDS) as told:
                return Answer(told.status, Headers(told.headers.items()), told.read())
        except HTTPError as told:
            with told:
                return Answer(told.code, Headers(told.headers.items()), told.read())

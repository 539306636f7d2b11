"""A start with wrong settings ends with sentences, not with a trace."""

import pytest

from taskapi import create_app


def test_an_app_that_is_half_configured_does_not_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TASKAPI_ENV", "production")
    monkeypatch.setenv("OWNER_PASSWORD", "short")
    with pytest.raises(SystemExit, match="OWNER_PASSWORD"):
        create_app()

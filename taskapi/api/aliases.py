"""Other systems' paths for the same views."""

from __future__ import annotations

from taskapi.api import auth
from taskapi.api.contracts import View
from taskapi.api.serving import Noun

bp = Noun("aliases", __name__)

ALIASES: tuple[tuple[str, str, View], ...] = (
    ("POST", "/register", auth.register),
    ("POST", "/login", auth.log_in),
    ("POST", "/logout", auth.log_out),
    ("POST", "/users/register", auth.register),
    ("POST", "/users/login", auth.log_in),
)

for _method, _path, _view in ALIASES:
    bp.add_url_rule(_path, view_func=_view, methods=[_method])

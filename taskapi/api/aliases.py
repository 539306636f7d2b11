"""Further paths of views, which clients of other systems know. The paths are all that is different."""

from __future__ import annotations

from taskapi.api import auth, health, tasks
from taskapi.api.contracts import View
from taskapi.api.serving import Noun

bp = Noun("aliases", __name__)

ALIASES: tuple[tuple[str, str, View], ...] = (
    ("POST", "/register", auth.register),
    ("POST", "/login", auth.log_in),
    ("POST", "/logout", auth.log_out),
    ("POST", "/users/register", auth.register),
    ("POST", "/users/login", auth.log_in),
    ("GET", "/tasks/filter", tasks.list_tasks),
    ("PATCH", "/tasks/bulk", tasks.change_tasks),
    ("POST", "/tasks/create-task", tasks.create_task),
    ("PUT", "/tasks/update-task/<int:task_id>", tasks.change_task),
    ("DELETE", "/tasks/delete/<int:task_id>", tasks.remove_task),
    ("GET", "/check_health", health.read_health),
    ("GET", "/tasks/task/<date>", tasks.list_tasks_by_date),
)

for _method, _path, _view in ALIASES:
    bp.add_url_rule(_path, view_func=_view, methods=[_method])

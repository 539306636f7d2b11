"""One reading of all variables: it goes on after a mistake, so that all of them are told at once."""

from typing import Any

from taskapi.config.settings import Variable
from taskapi.config.sources import SettingsError, Variables


class Reading:
    """What was given, what it is read as, and the sentences about what is wrong.

    `secret_source` names the variable that holds the password of an address that was joined from parts.
    """

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given
        self.problems: list[str] = []
        self.production = False
        self.secret_source: dict[str, str] = {}
        self._variables = Variables(given)
        self._write: dict[str, str] = {}

    def read(self, name: str, line: Variable, called: str | None = None) -> Any:
        """The typed value of a variable, or of the other one it was `called` by; None if unset or refused."""
        default = line.default if self.production else line.development
        source = called or name
        self._write[source] = line.write
        if source not in self.given and default is None:
            return None
        return self._variables.setting(source, default, read=line.read)

    def require(self, name: str, write: str, because: str) -> None:
        """Notes a problem when this variable was not given."""
        if name not in self.given:
            self.refuse(f"{name} is missing: write {write}, because {because}.")

    def refuse(self, problem: str) -> None:
        """Notes a problem, a sentence that says what to write and holds no value."""
        self.problems.append(problem)

    def finish(self) -> None:
        """Raises SettingsError with all problems, if there is one."""
        refused = [f"{name} is wrong: write {self._write[name]}." for name in self._variables.refused()]
        if refused or self.problems:
            raise SettingsError(refused + self.problems)

"""Who works in the demo: three groups and twelve people."""

from __future__ import annotations

from dataclasses import dataclass

from taskapi.domain.records import GROUP_ADMIN, USER

PASSWORD = "demo1234"  # noqa: S105 - published on purpose: the command refuses to run in production
FULL_WEEK = {"Monday": 8.0, "Tuesday": 8.0, "Wednesday": 8.0, "Thursday": 8.0, "Friday": 7.0}
PART_TIME = {"Monday": 6.0, "Tuesday": 6.0, "Thursday": 6.0}

ENGINEERING, MARKETING, OPERATIONS = "Engineering", "Marketing", "Operations"
GROUPS = (ENGINEERING, MARKETING, OPERATIONS)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo; the first of their groups is where they work most."""

    username: str
    full_name: str
    groups: tuple[str, ...]
    role: str = USER
    work_times: tuple[tuple[str, float], ...] = tuple(FULL_WEEK.items())

    @property
    def leads(self) -> str | None:
        """The group whose admin they are."""
        return self.groups[0] if self.role == GROUP_ADMIN else None


_PART_TIME = tuple(PART_TIME.items())

PEOPLE = (
    Person("mira.okafor", "Mira Okafor", (ENGINEERING,), GROUP_ADMIN),
    Person("jonas.lind", "Jonas Lind", (ENGINEERING,)),
    Person("aiko.tanaka", "Aiko Tanaka", (ENGINEERING,)),
    Person("priya.nair", "Priya Nair", (ENGINEERING, OPERATIONS)),
    Person("clara.vogt", "Clara Vogt", (MARKETING,), GROUP_ADMIN),
    Person("diego.ramos", "Diego Ramos", (MARKETING,)),
    Person("sanne.devries", "Sanne de Vries", (MARKETING,), USER, _PART_TIME),
    Person("omar.haddad", "Omar Haddad", (MARKETING,)),
    Person("ruth.adler", "Ruth Adler", (OPERATIONS,), GROUP_ADMIN),
    Person("tom.baker", "Tom Baker", (OPERATIONS,)),
    Person("lena.kovac", "Lena Kovač", (OPERATIONS,), USER, _PART_TIME),
    Person("samuel.osei", "Samuel Osei", (OPERATIONS, MARKETING)),
)

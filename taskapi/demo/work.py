"""What the people of the demo have to do: always the same tasks, with deadlines around today."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from taskapi.demo.cast import ENGINEERING, MARKETING, OPERATIONS, PEOPLE, Person
from taskapi.domain.clock import now

TASKS_EACH = 25

# For each group: what is done to what, with the tags that belong to it.
_JOBS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    ENGINEERING: (
        ("Fix the time-out in {}", ("bug",)),
        ("Write tests for {}", ("quality",)),
        ("Review the design of {}", ("review",)),
        ("Upgrade the libraries of {}", ("maintenance",)),
        ("Measure the memory use of {}", ("performance",)),
        ("Document the settings of {}", ("docs",)),
        ("Add structured logs to {}", ("observability",)),
        ("Find out why {} fails on Mondays", ("bug", "urgent")),
        ("Remove dead code from {}", ("maintenance",)),
        ("Plan the migration of {}", ("planning",)),
        ("Make {} usable by keyboard alone", ("accessibility",)),
        ("Pair with the new colleague on {}", ("onboarding",)),
    ),
    MARKETING: (
        ("Write the announcement of {}", ("writing",)),
        ("Prepare pictures for {}", ("design",)),
        ("Proofread the page about {}", ("writing", "review")),
        ("Ask three customers about {}", ("customers",)),
        ("Plan the newsletter on {}", ("newsletter",)),
        ("Book a speaker for {}", ("events",)),
        ("Compare last year's numbers for {}", ("numbers",)),
        ("Translate the brochure on {}", ("writing",)),
        ("Brief the agency on {}", ("agency",)),
        ("Collect quotes for {}", ("customers",)),
        ("Update the price list for {}", ("urgent",)),
        ("Cut a short video about {}", ("design", "video")),
    ),
    OPERATIONS: (
        ("Renew the contract for {}", ("contracts",)),
        ("Check the invoice for {}", ("finance",)),
        ("Order spare parts for {}", ("purchasing",)),
        ("Update the emergency plan for {}", ("safety",)),
        ("Train two people on {}", ("training",)),
        ("Call the supplier of {}", ("purchasing", "calls")),
        ("Take stock of {}", ("inventory",)),
        ("Get a second offer for {}", ("purchasing",)),
        ("Schedule the inspection of {}", ("safety",)),
        ("Close last month's books on {}", ("finance", "urgent")),
        ("Write the handover notes for {}", ("docs",)),
        ("Ask the insurer about {}", ("contracts", "calls")),
    ),
}

_SUBJECTS = {
    ENGINEERING: (
        "the checkout", "the billing service", "the search page", "the mobile app", "the import of orders",
        "the nightly export", "the sign-in page", "the public API", "the admin console",
    ),
    MARKETING: (
        "the spring release", "the partner programme", "the trade fair in Lyon", "the customer portal",
        "the new website", "the loyalty card", "the webinar series", "the case study with Nordwind",
        "the open day",
    ),
    OPERATIONS: (
        "the delivery vans", "the coffee machines", "the warehouse scanners", "the office cleaning",
        "the forklift", "the server room", "the phone system", "the company cars", "the packing line",
    ),
}  # fmt: skip

_NOTES = (
    "",
    "Agreed in Tuesday's meeting. Ask before spending more than a day on it.",
    "See the notes from last quarter; most of it is still true.",
    "Waiting for an answer, started anyway.",
    "Small, but three people are asking for it every week.",
)


def tasks_of(person: Person) -> list[dict[str, Any]]:
    """The tasks of one person, as they would be sent; `group` is the name of one of their groups."""
    chance = Random(person.username)  # noqa: S311 - the same work every time, nothing secret
    colleagues = [other for other in PEOPLE if other.groups[0] == person.groups[0]]
    titles = _titles(person.groups[0])[colleagues.index(person) :: len(colleagues)]
    return [_task(person, title, tags, chance) for title, tags in titles[:TASKS_EACH]]


def _titles(group: str) -> list[tuple[str, tuple[str, ...]]]:
    """All the group's work, shuffled."""
    jobs = [(job.format(subject), tags) for subject in _SUBJECTS[group] for job, tags in _JOBS[group]]
    Random(group).shuffle(jobs)  # noqa: S311
    return jobs


def _task(person: Person, title: str, tags: tuple[str, ...], chance: Random) -> dict[str, Any]:
    days = chance.randint(-21, 35)
    is_done = chance.random() < (0.75 if days < 0 else 0.15)
    return {
        "title": title,
        "status": is_done,
        "priority": chance.choices((1, 2, 3), (2, 5, 3))[0],
        "deadline": None if chance.random() < 0.15 else (now() + timedelta(days=days)).date().isoformat(),
        "information": chance.choice(_NOTES),
        "tags": tags,
        "estimate_hours": chance.choice((None, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)),
        "group": chance.choices(person.groups, (4, 1)[: len(person.groups)])[0],
    }

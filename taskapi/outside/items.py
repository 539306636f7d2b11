"""What lies on a shelf, and which names it may have."""

import re
from dataclasses import dataclass, field

from taskapi.domain.errors import NotFound

DRAFT = ".draft-"
"""How a file begins that is not kept yet."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Item:
    """A file that is kept, its size in bytes, and since when, in seconds since 1970."""

    name: str
    size: int
    kept_at: float = field(default=0.0, compare=False)


def is_name(text: str) -> bool:
    """Whether something can be kept under that name."""
    return _NAME.fullmatch(text) is not None


def checked(name: str) -> str:
    """The name; raises NotFound for one under which nothing can be."""
    if not is_name(name):
        raise NotFound("There is no file of that name.")
    return name

"""Names of files as they are kept: one name without a path, safe on every system."""

import re
import unicodedata

from taskapi.domain.errors import Invalid

MOST_BYTES = 200
_MOST_OF_ENDING = 32
_JOINERS = "\u200c\u200d"  # Persian and emoji need them; other invisible characters only deceive
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


def safe_name(sent: str) -> str:
    """What is left of a name without its folders, control characters and whatever turns text around.

    At most `MOST_BYTES` in UTF-8. Raises Invalid if that is nothing.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", sent))[-1]
    shown = "".join(
        each for each in base if each in _JOINERS or unicodedata.category(each)[0] not in "CZ" or each == " "
    )
    name = _shortened(_FORBIDDEN.sub("_", shown).strip(f" .{_JOINERS}"))
    if not name:
        raise Invalid({"file": ["Its name has nothing that can be kept."]})
    return f"_{name}" if _DEVICE.fullmatch(name) else name


def ending(name: str) -> str:
    """What stands behind the last point, in small letters; empty without one."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def _shortened(name: str) -> str:
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, point, last = name.rpartition(".")
    if not stem or len(last.encode()) > _MOST_OF_ENDING:
        stem, point, last = name, "", ""
    room = MOST_BYTES - len((point + last).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(f" .{_JOINERS}") + point + last

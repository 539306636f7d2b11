"""Text: UTF-8 to the last byte, and no page or program that begins like one."""

from __future__ import annotations

import codecs
import re

from taskapi.domain.errors import WrongType
from taskapi.outside.content.reading import Content

PLAIN = "text/plain"
_CONTROLS = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_PAGE = re.compile(r"\s*(?:<[a-z!?/%]|#!|%!ps|%pdf|{\\rtf|@echo\b)", re.IGNORECASE)
"""How a page, a program or a document in another guise begins."""


def require_text(content: Content, seems: str) -> None:
    """Raises WrongType if it is no plain text; `seems` says what it looks like, or is empty."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    first = True
    try:
        for chunk in content.chunks():
            text = decoder.decode(chunk)
            if _CONTROLS.search(text):
                raise _refused(seems)
            if first and _PAGE.match(text.removeprefix("\ufeff")):
                raise WrongType("HTML, SVG, XML and programs are not taken, not as text either.")
            first = False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise _refused(seems) from None


def _refused(seems: str) -> WrongType:
    return WrongType(f"This is neither text in UTF-8 nor of another type that is taken{seems}.")

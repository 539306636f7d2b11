"""Which of the types that are taken a file has: by its content, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import puremagic

from taskapi.domain.errors import WrongType
from taskapi.domain.filenames import ending
from taskapi.outside.content import images, texts, zips
from taskapi.outside.content.reading import Content

TAKEN = "Images, PDF, text in UTF-8, Office documents and zip archives are taken."
_ACTIVE = """
ade adp apk app appimage application appx asp aspx bas bat bin cab cer chm cmd com cpl crt csh deb
dex dll dmg docm dotm ear elf exe fxp gadget hta htc htm html inf ins iso isp jar jnlp js jse jsp
ksh lib lnk mad maf mda mde mdt mdw mht mhtml mjs msc msh msi msp mst ocx ops osd pcd php pif pkg
plg potm ppam ppsm pptm prf prg ps1 psc1 psm1 pst reg rpm run scf scr sct sh shb shs shtml slk so
svg svgz swf sys url vb vbe vbs vbscript vsmacros vsw war wasm webloc ws wsc wsf wsh xht xhtml xlam
xll xlsm xltm xml xsl xslt
"""
ACTIVE = frozenset(_ACTIVE.split())
"""Endings with which a file, whatever is in it, is run or shown as a page by who opens it."""

_MARKUP = re.compile(rb"<(?:script|html|iframe|!doctype\s{1,9}html|\?php)[\s>/]", re.IGNORECASE)
_MARKUP_BYTES = 64
_CHECKS: Mapping[str, tuple[str, Callable[[Content], bool]]] = {
    "image/png": ("image/png", images.is_png),
    "image/jpeg": ("image/jpeg", images.is_jpeg),
    "image/gif": ("image/gif", images.is_gif),
    "image/webp": ("image/webp", images.is_webp),
    "image/x-ms-bmp": ("image/bmp", images.is_bmp),
    "image/tiff": ("image/tiff", images.is_tiff),
    "image/heif": ("image/heic", images.is_heif),
    "image/avif": ("image/avif", images.is_heif),
    "application/pdf": ("application/pdf", images.is_pdf),
}
"""The types that puremagic may see in the first bytes; what we call them; and whether the rest fits."""


def type_of(path: Path, name: str) -> str:
    """The media type; raises WrongType, with a sentence, for what is not taken. The file is not empty."""
    if ending(name) in ACTIVE:
        raise WrongType(f"A file whose name ends in .{ending(name)} could be run by who opens it. {TAKEN}")
    with path.open("rb") as file:
        return _judged(Content(file, path.stat().st_size))


def _judged(content: Content) -> str:
    if content.head.startswith(zips.BEGINNING):
        return zips.type_of(content)
    seen = _seen(content)
    found = [_CHECKS[each.mime_type] for each in seen if each.mime_type in _CHECKS]
    told = next((name for name, fits in found if fits(content)), None)
    if told is None:
        texts.require_text(content, _described(seen))
    _require_nothing_within(content)
    return told or texts.PLAIN


def _seen(content: Content) -> list[puremagic.PureMagicWithConfidence]:
    """What the first bytes may be, the likeliest first."""
    try:
        return puremagic.magic_string(content.head)
    except puremagic.PureError:
        return []


def _described(seen: Sequence[puremagic.PureMagicWithConfidence]) -> str:
    return f"; it begins like this: {seen[0].name}" if seen else ""


def _require_nothing_within(content: Content) -> None:
    """Raises WrongType for what is a page or an archive as well."""
    if zips.is_also_zip(content):
        raise WrongType("A file that is an archive as well is not taken.")
    if any(_MARKUP.search(chunk) for chunk in content.chunks(_MARKUP_BYTES)):
        raise WrongType("A file with a page or a script in it is not taken. Put it into a zip archive.")

"""The folders of this machine that the product itself writes to."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from taskapi.config.settings import Settings


def folders_of(settings: Settings) -> dict[str, Path]:
    """`home`, and `backups` and `uploads` unless they go to a bucket. Some may not be made yet."""
    addresses = {"backups": settings.backup_url, "uploads": settings.upload_url}
    parts = {name: urlsplit(address) for name, address in addresses.items()}
    local = {name: Path(unquote(url.path)) for name, url in parts.items() if url.scheme == "file"}
    return {"home": settings.taskapi_home, **local}

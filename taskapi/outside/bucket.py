"""A shelf in a bucket that speaks S3."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from taskapi.domain.errors import NotFound, Unavailable
from taskapi.outside.folder import Folder
from taskapi.outside.items import Item, checked, is_name

CONNECT_SECONDS = 5
REQUEST_SECONDS = 60
RETRY_SECONDS = 20
RETRIES = 2
HASTY_SECONDS, SERVING_SECONDS = 1.5, 10.0
"""For who cannot wait, and for who serves others meanwhile: so long may each request take, made once."""
PART_BYTES = 8 << 20
"""So much is sent or asked for in one request: each must be over in `REQUEST_SECONDS`."""

_CODE = re.compile(r"<Code>(\w+)</Code>")
_MISSING = "NoSuchKey"
_used_by: set[int] = set()


@dataclass(frozen=True)
class Bucket:
    """Files in a bucket, below a prefix. Drafts lie in this machine's folder for temporary files."""

    name: str
    prefix: str
    seconds: float | None = None
    called: str = ""

    @property
    def shown(self) -> str:
        return self.called or f"s3://{self.name}/{self.prefix}".rstrip("/")

    @contextmanager
    def draft(self) -> Iterator[Path]:
        with self._here.draft() as path:
            yield path

    def put(self, name: str, draft: Path) -> None:
        with self._asked() as store:
            obstore.put(store, checked(name), draft, chunk_size=PART_BYTES, max_concurrency=2)

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        with self._here.draft() as path, path.open("w+b") as file:
            size = self._size(name)
            for start in range(0, size, PART_BYTES):
                with self._asked() as store:
                    end = min(size, start + PART_BYTES)
                    part = obstore.get_range(store, checked(name), start=start, end=end)
                file.write(memoryview(part))
            file.seek(0)
            yield file

    def end_of(self, name: str, size: int) -> bytes:
        with self._asked() as store:
            return bytes(obstore.get(store, checked(name), options={"range": {"suffix": size}}).bytes())

    def items(self) -> list[Item]:
        with self._asked() as store:
            found = [meta for some in obstore.list(store) for meta in some]
        return sorted(
            (
                Item(meta["path"], meta["size"], meta["last_modified"].timestamp())
                for meta in found
                if is_name(meta["path"])
            ),
            key=lambda item: item.name,
        )

    def delete(self, name: str) -> None:
        with self._asked() as store:
            obstore.delete(store, checked(name))

    def tidy(self, seconds: float) -> int:
        return self._here.tidy(seconds)

    def _size(self, name: str) -> int:
        with self._asked() as store:
            return int(obstore.head(store, checked(name))["size"])

    @property
    def _here(self) -> Folder:
        return Folder(Path(tempfile.gettempdir()), self.called)

    @cached_property
    def _store(self) -> S3Store:
        retries, longest = (RETRIES, REQUEST_SECONDS) if self.seconds is None else (0, self.seconds)
        retry: Any = {"max_retries": retries, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
        client: Any = {"connect_timeout": f"{min(CONNECT_SECONDS, longest)}s", "timeout": f"{longest}s"}
        plain: Any = {"allow_http": True} if _is_on_loopback() else {}
        prefix = self.prefix or None
        return S3Store(self.name, prefix=prefix, client_options=client | plain, retry_config=retry)

    @contextmanager
    def _asked(self) -> Iterator[S3Store]:
        """The library's threads do not survive a fork, and who waits for them waits for ever."""
        _used_by.add(os.getpid())
        if len(_used_by) > 1:
            raise Unavailable(f"The process that made this one has used {self.shown}: this one cannot.")
        try:
            yield self._store
        except FileNotFoundError as fault:
            raise self._named(fault, _MISSING) from None
        except BaseError as fault:
            raise self._named(fault, "") from None

    def _named(self, fault: Exception, code: str) -> Exception:
        """What its text says besides is the whole request."""
        told = _CODE.search(str(fault))
        code = told[1] if told else code
        if code == _MISSING:
            return NotFound(f"There is no such file in {self.shown}.")
        if not code:
            return Unavailable(f"The bucket {self.shown} does not answer, or not as one.")
        return Unavailable(f"The bucket {self.shown} cannot be used: it says {code}.")


def _is_on_loopback() -> bool:
    """Whether the endpoint is on this machine: only there credentials may go unencrypted."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

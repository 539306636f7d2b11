"""What HTTP itself refuses, before any service is asked."""

from taskapi.domain.errors import Refused


class Malformed(Refused):
    """A request that cannot be read at all: its JSON, or one of its headers."""

    code = "malformed"


class CsrfFailed(Refused):
    """A request by cookie that a page of somebody else may have made the browser send."""

    code = "csrf_failed"


class Unsupported(Refused):
    """A body of a media type that the endpoint does not take."""

    code = "unsupported_media_type"

"""The one error of this package: a start that cannot be, in one sentence that says what to do."""


class StartRefused(Exception):
    """Something on this machine stands in the way; `str()` is the sentence for the terminal."""

"""How this program tells what it does: one line for each thing, without secrets. Knows the settings alone."""

from taskapi.logs.life import take_over, tell_start
from taskapi.logs.lines import readable
from taskapi.logs.wiring import configure

__all__ = ["configure", "readable", "take_over", "tell_start"]

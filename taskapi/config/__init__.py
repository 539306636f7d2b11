"""Settings: environment -> checked -> frozen. Knows environs and limits: no Flask, no Redis, no SQL."""

from taskapi.config.load import hint_of_development, load_settings
from taskapi.config.settings import VARIABLES, Settings
from taskapi.config.sources import ENV_FILE, PROJECT_ROOT, SettingsError

__all__ = [
    "ENV_FILE",
    "PROJECT_ROOT",
    "VARIABLES",
    "Settings",
    "SettingsError",
    "hint_of_development",
    "load_settings",
]

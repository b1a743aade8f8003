"""Register config for its `start` command and its deployment checks; it has no models."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    label = "daybreak_config"

    def ready(self) -> None:
        from config import checks  # noqa: F401

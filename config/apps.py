"""Register config for its commands, its checks and its part of the admin; it has no models."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    label = "daybreak_config"

    def ready(self) -> None:
        from config import checks  # noqa: F401

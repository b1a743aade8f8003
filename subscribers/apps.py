"""Register the subscribers app."""

from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    name = "subscribers"
    verbose_name = "Readers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from subscribers.transfer import files  # noqa: F401  (registers signal receivers)
        from subscribers.webhooks import erasure, log  # noqa: F401

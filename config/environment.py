"""Read variables of the environment, and say which one cannot be read."""

from __future__ import annotations

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """django-environ's Env, with errors that an operator can act on."""

    def get_value(self, var: str, cast: Any = None, **options: Any) -> Any:
        """Return the variable's value.

        Raises:
            ImproperlyConfigured: the value is not what `cast` accepts.
        """
        try:
            return super().get_value(var, cast=cast, **options)
        except ValueError:
            kind = "a whole number" if cast is int else "something else"
            raise ImproperlyConfigured(f"{var}: write {kind}.") from None

"""Read variables of the environment, and say which one cannot be read."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_WORDS = {
    True: ("true", "yes", "on", "1", "y", "ok"),
    False: ("false", "no", "off", "0", "n"),
}


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """django-environ's Env, with errors that an operator can act on.

    A variable that is empty counts as one that is not set. What else cannot be read is an error: it
    is never a default, and never false.
    """

    # Every variable that was asked for: the settings that there are.
    names: ClassVar[set[str]] = set()
    _is_resolving = False

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **options: Any
    ) -> Any:
        """Return the variable's value.

        Raises:
            ImproperlyConfigured: the value is not what `cast` accepts.
        """
        if self._is_resolving:  # a value that begins with $ names another variable
            return super().get_value(var, cast=cast, default=default, **options)
        self.names.add(var)
        if default is not self.NOTSET and not self.ENVIRON.get(var, "").strip():
            return default
        self._is_resolving = True
        try:
            return super().get_value(var, cast=cast, default=default, **options)
        except ValueError:
            kind = {int: "a whole number", bool: "true or false"}.get(cast, "something else")
            raise ImproperlyConfigured(f"{var}: write {kind}.") from None
        finally:
            self._is_resolving = False

    def db_url(self, var: str, *args: Any, **options: Any) -> dict[str, Any]:
        """Return Django's settings for the database at the variable's URL.

        Raises:
            ImproperlyConfigured: it is no URL; the message does not repeat the password in it.
        """
        try:
            if "://" not in self.ENVIRON.get(var, ""):
                raise ValueError
            return dict(super().db_url(var, *args, **options))
        except ValueError:
            raise ImproperlyConfigured(
                f"{var}: write it like postgres://user:password@host:5432/name, with special "
                "characters of the password percent-encoded."
            ) from None

    @classmethod
    def parse_value(cls, value: Any, cast: Any) -> Any:
        """Return the value as `cast` makes it; a list may have blanks after its commas.

        Raises:
            ValueError: it does not accept it.
        """
        if cast is bool:
            word = value.strip().lower()
            for truth, words in _WORDS.items():
                if word in words:
                    return truth
            raise ValueError
        if cast is list:
            return [part.strip() for part in value.split(",") if part.strip()]
        return super().parse_value(value, cast)


def host_of(url: str, *, name: str) -> str:
    """Return the host in the URL that the variable `name` holds, or "".

    Raises:
        ImproperlyConfigured: it is no URL at all.
    """
    try:
        parts = urlsplit(url)
        return parts.hostname or "" if parts.port != 0 else ""  # a port may be no number
    except ValueError:
        raise ImproperlyConfigured(
            f"{name}: write an address such as https://news.example.com."
        ) from None

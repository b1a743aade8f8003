"""A program that uses the API, with a token or without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from subscribers import access
from subscribers.models import Scope
from tests.factories import NOW


class Program(Client):
    """Sends and reads JSON: `ask("POST", "/newsletters", {...})`."""

    def ask(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        kwargs: dict[str, Any] = {"headers": headers}
        if data is not None:
            kwargs |= {"data": data, "content_type": "application/json"}
        return self.generic_json(method, f"/api/v1{path}", **kwargs)

    def generic_json(self, method: str, path: str, **kwargs: Any) -> Any:
        data = kwargs.pop("data", "")
        if not isinstance(data, (str, bytes)):
            data = self._encode_json(data, "application/json")
        return self.generic(method, path, data, **kwargs)


@pytest.fixture
def anybody():
    return Program()


@pytest.fixture
def program(db):
    """A function: a program whose token has these scopes."""

    def make(*scopes: str, **fields: Any) -> Program:
        _, secret = access.make(name="A program", scopes=scopes, now=NOW, **fields)
        return Program(headers={"Authorization": f"Bearer {secret}"})

    return make


@pytest.fixture
def mighty(program):
    """One that may do everything."""
    return program(*Scope.values)

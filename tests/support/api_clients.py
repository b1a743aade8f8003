"""Clients of the API, with a token and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from subscribers.api import tokens
from subscribers.models import Scope
from tests.factories import NOW


class ApiClient(Client):
    """A test client that sends and reads JSON: `call("POST", "/newsletters", {...})`."""

    def call(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
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
def anonymous():
    return ApiClient()


@pytest.fixture
def api_client(db):
    """Return a function that makes a client whose token has the given scopes."""

    def make(*scopes: str, **fields: Any) -> ApiClient:
        _, secret = tokens.issue(name="A program", scopes=scopes, now=NOW, **fields)
        return ApiClient(headers={"Authorization": f"Bearer {secret}"})

    return make


@pytest.fixture
def full_access_client(api_client):
    """Return a client whose token has every scope."""
    return api_client(*Scope.values)

"""Parse a request body as JSON, and refuse anything else."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from subscribers.api.problems import INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, ApiProblem


class JsonParser(Parser):
    """Refuses what ninja's own parser accepts: any Content-Type, and NaN."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            media_type = request.content_type or "nothing"
            raise ApiProblem(UNSUPPORTED_MEDIA_TYPE, f"The Content-Type says {media_type[:100]}.")
        try:
            return json.loads(request.body.decode(), parse_constant=_refuse)
        except RecursionError:
            raise ApiProblem(INVALID_JSON, "It is nested too deeply.") from None
        except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are subclasses of it
            raise ApiProblem(INVALID_JSON, f"{error}.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")

"""The API object without its routes: its parser, error handlers and OpenAPI description."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import DocsBase

from subscribers.api import openapi, problems
from subscribers.api.parsing import JsonParser
from subscribers.api.problems import ApiProblem, InvalidField
from subscribers.plumbing.content_security import API_DOCS, with_policy

TITLE = "Daybreak API"
VERSION = "1"


class Docs(DocsBase):
    """The API's documentation page, which loads nothing from other hosts."""

    @with_policy(API_DOCS)
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        context = {"api": api, "openapi_url": self.get_openapi_url(api, kwargs)}
        return render(request, "api/docs.html", context)


class DaybreakAPI(NinjaAPI):
    def __init__(self, *, description: str) -> None:
        super().__init__(
            title=TITLE,
            version=VERSION,
            description=description,
            docs=Docs(),
            parser=JsonParser(),
            urls_namespace="api",
        )
        self.add_exception_handler(ApiProblem, _api_problem)
        self.add_exception_handler(Http404, _not_found)
        self.add_exception_handler(ValidationError, _invalid)
        self.add_exception_handler(HttpError, _http_error)
        self.add_exception_handler(RequestDataTooBig, _too_large)
        # Django logs the exception, and ApiMiddleware turns it into a problem.
        self.add_exception_handler(Exception, _raise)

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        return openapi.complete(schema, self)


def _api_problem(request: HttpRequest, problem: Any) -> HttpResponse:
    return problems.to_response(problem)


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problems.to_response(ApiProblem(problems.NOT_FOUND))


def _too_large(request: HttpRequest, error: Any) -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return problems.to_response(
        ApiProblem(problems.TOO_LARGE, f"At most {limit:,} bytes are accepted.")
    )


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """Answer what ninja itself refuses. It wraps an ApiProblem of our parser in an HttpError."""
    if isinstance(error.__cause__, ApiProblem):
        return problems.to_response(error.__cause__)
    kind = problems.BY_STATUS.get(error.status_code, problems.BAD_REQUEST)
    return problems.to_response(ApiProblem(kind, str(error)))


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    return problems.to_response(
        ApiProblem(problems.INVALID, errors=[_invalid_field(e) for e in error.errors])
    )


def _invalid_field(error: dict[str, Any]) -> InvalidField:
    """Turn pydantic's location into the client's: ("body", "data", "email") → "/email"."""
    source, *path = error["loc"]
    # The message of a validator of ours is a sentence already.
    message = error["msg"].removeprefix("Value error, ")
    if source == "body":
        # The first name is that of our view's argument.
        return InvalidField(message, "pointer", "".join(map(_pointer, path[1:])))
    member = "header" if source == "header" else "parameter"
    return InvalidField(message, member, str(path[-1] if path else ""))


def _pointer(step: Any) -> str:
    return "/" + str(step).replace("~", "~0").replace("/", "~1")  # RFC 6901, section 3


def _raise(request: HttpRequest, error: Any) -> HttpResponse:
    raise error

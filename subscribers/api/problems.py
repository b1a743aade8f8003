"""Report errors in a form that programs can read: problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemType:
    """A problem type. Its `uri` leads to the page that shows `meaning`."""

    code: str
    status: int
    title: str
    meaning: str

    @property
    def uri(self) -> str:
        return f"{settings.SITE_URL}/api/problems#{self.code}"


INVALID_JSON = ProblemType("invalid-json", 400, "The body is not JSON", "It could not be parsed.")
BAD_REQUEST = ProblemType("bad-request", 400, "The request cannot be answered", "See `detail`.")
UNAUTHORIZED = ProblemType(
    "unauthorized", 401, "A token is needed",
    "The request has none, or it is unknown, expired or revoked. Send "
    "`Authorization: Bearer <token>`; tokens are made in the admin.",
)  # fmt: skip
FORBIDDEN = ProblemType(
    "forbidden", 403, "The token does not allow this",
    "It lacks the scope that `scope` names, or is for another newsletter.",
)  # fmt: skip
CHALLENGE_NEEDED = ProblemType(
    "challenge-needed", 403, "First solve a challenge",
    "Many sign-ups come in right now. Solve the ALTCHA challenge in `challenge` and send the same "
    "request again with the solution in `solution`.",
)  # fmt: skip
NOT_FOUND = ProblemType("not-found", 404, "Not found", "There is nothing at this path.")
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "The method is not allowed", "The header `Allow` lists the methods."
)
CONFLICT = ProblemType(
    "conflict", 409, "Not possible now",
    "The request is well formed, but what it asks for is not possible now; `detail` says why.",
)  # fmt: skip
QUESTIONABLE_ADDRESS = ProblemType(
    "questionable-address", 409, "Is this address right?",
    "It may be mistyped: `suggestion` is what was probably meant. Ask the reader; if they insist, "
    "and `may_insist` is true, send the same request again with `sure` set to true.",
)  # fmt: skip
KEY_IN_USE = ProblemType(
    "idempotency-key-in-use", 409, "This Idempotency-Key is taken",
    "It was used for another request, or the first request with it is still being worked on.",
)  # fmt: skip
TOO_LARGE = ProblemType("too-large", 413, "The body is too large", "See `detail` for the limit.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type", 415, "Send JSON", "The Content-Type must be application/json."
)
INVALID = ProblemType(
    "invalid", 422, "The request is not valid",
    "`errors` says what is wrong where: in `pointer` (a JSON Pointer into the body), in "
    "`parameter` or in `header`.",
)  # fmt: skip
RATE_LIMITED = ProblemType(
    "rate-limited", 429, "Too many requests",
    "Try again after the number of seconds in `Retry-After`.",
)  # fmt: skip
SERVER_ERROR = ProblemType(
    "server-error", 500, "Something failed on our side", "It is in our log. Trying again may help."
)

PROBLEM_TYPES = (
    INVALID_JSON, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, CHALLENGE_NEEDED, NOT_FOUND,
    METHOD_NOT_ALLOWED, CONFLICT, QUESTIONABLE_ADDRESS, KEY_IN_USE, TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE, INVALID, RATE_LIMITED, SERVER_ERROR,
)  # fmt: skip
# The problem type for an error response of Django's own, by its status.
BY_STATUS = {
    kind.status: kind
    for kind in (
        BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED, CONFLICT, TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE, INVALID, RATE_LIMITED, SERVER_ERROR,
    )
}  # fmt: skip


@dataclass(frozen=True)
class InvalidField:
    """One error: `member` is pointer, parameter or header, and `location` is its value."""

    detail: str
    member: str
    location: str

    def as_json(self) -> dict[str, str]:
        return {"detail": self.detail, self.member: self.location}


@dataclass
class ApiProblem(Exception):
    """An error of the API. `extensions` holds its extension members (RFC 9457, section 3.2)."""

    kind: ProblemType
    detail: str = ""
    errors: Sequence[InvalidField] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def to_response(problem: ApiProblem) -> HttpResponse:
    kind = problem.kind
    body: dict[str, Any] = {"type": kind.uri, "title": kind.title, "status": kind.status}
    if problem.detail:
        body["detail"] = problem.detail
    if problem.errors:
        body["errors"] = [error.as_json() for error in problem.errors]
    response = HttpResponse(
        json.dumps({**body, **problem.extensions}), status=kind.status, content_type=CONTENT_TYPE
    )
    if kind.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="Daybreak"'
    for name, value in problem.headers.items():
        response[name] = value
    return response

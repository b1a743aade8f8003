"""Complete the OpenAPI description with what ninja cannot know: problems, scopes, headers."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI

from subscribers.api import problems
from subscribers.api.auth import Token

_REF = {"$ref": "#/components/schemas/Problem"}
_CONTENT = {problems.CONTENT_TYPE: {"schema": _REF}}
_PROBLEM = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {
            "type": "string", "format": "uri", "description": "The page that explains this type.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong in this case."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "Into the body (RFC 6901)."},
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                },
            },
        },
    },
}  # fmt: skip
_TITLES = {
    401: "A token is needed",
    403: "The token does not allow this",
    404: "Not found",
    409: "Not possible now",
    422: "The request is not valid",
}
# Any request can fail in these ways: invalid JSON (400), a wrong method (405) or media type (415),
# a body that is too large (413), too many requests (429), a fault of ours (500).
_ANY = {"description": "Any other problem", "content": _CONTENT}


def problem_responses(*statuses: int) -> dict[str, Any]:
    """Return the openapi_extra of an operation that may also answer with these statuses."""
    return {"responses": {status: _response(status) for status in statuses}}


def complete(schema: Any, api: NinjaAPI) -> Any:
    """Add to every operation its security and the responses that follow from its kind."""
    schema["components"]["schemas"]["Problem"] = _PROBLEM
    operations = {
        operation.operation_id or api.get_openapi_operation_id(operation): operation
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
    }
    for path in schema["paths"].values():
        for details in path.values():
            tokens = [
                callback
                for callback in operations[details["operationId"]].auth_callbacks
                if isinstance(callback, Token)
            ]
            _complete(details, tokens)
    schemes = schema["components"].setdefault("securitySchemes", {})
    schemes.clear()
    schemes["Token"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "Made in the admin under API tokens.",
    }
    return schema


def _complete(details: dict[str, Any], tokens: list[Token]) -> None:
    statuses = {422} if details.get("parameters") or details.get("requestBody") else set()
    for token in tokens:
        statuses |= {401, 403}
        needed: list[dict[str, list[str]]] = [{"Token": [token.scope.value]}]
        is_optional = getattr(token, "is_optional", False)
        details["security"] = [{}, *needed] if is_optional else needed
        prefix = "With a token" if is_optional else "Needs a token"
        sentence = f"{prefix} that has the scope `{token.scope.value}`."
        details["description"] = f"{details.get('description', '')}\n\n{sentence}".strip()
    for status in sorted(statuses):
        details["responses"].setdefault(status, _response(status))
    details["responses"]["default"] = _ANY
    for parameter in details.get("parameters", []):
        _tidy(parameter)


def _tidy(parameter: dict[str, Any]) -> None:
    """Remove null from an optional parameter, because a URL or header cannot hold null."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) == 1:
        schema.update(kinds[0])
    elif kinds:
        schema["anyOf"] = kinds
    if schema.get("default", ...) is None:
        del schema["default"]


def _response(status: int) -> dict[str, Any]:
    return {"description": _TITLES[status], "content": _CONTENT}

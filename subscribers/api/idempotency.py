"""Answer a request that is sent again with the same Idempotency-Key as the first time.

This follows draft-ietf-httpapi-idempotency-key-header: the client sends a key of its own with a
request that changes something, and may send the request again if the response got lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from ninja.operation import Operation
from ninja.responses import NinjaJSONEncoder, Status
from ninja.utils import contribute_operation_callback

from subscribers.api.auth import token_of
from subscribers.api.problems import KEY_IN_USE, ApiProblem
from subscribers.models import ApiReceipt, ApiToken

# If the worker of the first request died, the key stays blocked no longer than this.
IN_PROGRESS_TIMEOUT = timedelta(minutes=2)

_View = TypeVar("_View", bound=Callable[..., Any])


def idempotent(view: _View) -> _View:
    """Mark an operation that takes an Idempotency-Key.

    The operation must have arguments named `idempotency_key` and `response`, and return a Status
    with a Schema.
    """

    def wrap(operation: Operation) -> None:
        operation.view_func = _with_receipt(operation.view_func)

    # The wrapper does not go around the function itself, because ninja reads its signature.
    contribute_operation_callback(view, wrap)
    return view


def _with_receipt(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def wrapped(request: HttpRequest, **values: Any) -> Any:
        key, token = values.get("idempotency_key"), token_of(request)
        if key is None or token is None:
            return view(request, **values)
        receipt = _begin(token, key, _fingerprint(request))
        if receipt.status is not None:
            return _repeat(receipt)
        try:
            result = view(request, **values)
        except BaseException:
            # A request that failed may be tried again.
            receipt.delete()
            raise
        _end(receipt, result, values["response"])
        return result

    return wrapped


def _begin(token: ApiToken, key: str, fingerprint: str) -> ApiReceipt:
    """Return the receipt of this key: a new one, or the answered one of the same request."""
    at = now()
    receipt, is_new = ApiReceipt.objects.get_or_create(
        token=token, key=key, defaults={"fingerprint": fingerprint, "created_at": at}
    )
    if is_new:
        return receipt
    if receipt.fingerprint != fingerprint:
        raise ApiProblem(KEY_IN_USE, "It was used for another request.")
    if receipt.status is None:
        abandoned = ApiReceipt.objects.filter(
            pk=receipt.pk, status=None, created_at__lt=at - IN_PROGRESS_TIMEOUT
        )
        if not abandoned.update(created_at=at):
            raise ApiProblem(
                KEY_IN_USE, "The first request is being worked on.", headers={"Retry-After": "2"}
            )
    return receipt


def _end(receipt: ApiReceipt, result: Status[Any], response: HttpResponse) -> None:
    receipt.status = result.status_code
    receipt.body = json.dumps(result.value.model_dump(), cls=NinjaJSONEncoder)
    receipt.location = response.get("Location", "")
    receipt.save(update_fields=["status", "body", "location"])


def _repeat(receipt: ApiReceipt) -> HttpResponse:
    response = HttpResponse(
        receipt.body, status=receipt.status, content_type="application/json; charset=utf-8"
    )
    response["Idempotency-Replayed"] = "true"
    if receipt.location:
        response["Location"] = receipt.location
    return response


def _fingerprint(request: HttpRequest) -> str:
    parts = [(request.method or "").encode(), request.get_full_path().encode(), request.body]
    return sha256(b"\0".join(parts)).hexdigest()

"""Authenticate an API request, check its scope, and count it against a rate limit."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.timezone import now
from ninja.security import HttpBearer

from subscribers.api import rate_limit, tokens
from subscribers.api.problems import FORBIDDEN, RATE_LIMITED, UNAUTHORIZED, ApiProblem
from subscribers.models import ApiToken, Newsletter, Scope
from subscribers.signup.abuse import network
from subscribers.views.origin import ip_address_of


class Anonymous:
    """Public access without a token; requests are counted by the client's network."""

    def __call__(self, request: HttpRequest) -> bool:
        _count(request, "public", network(ip_address_of(request)), settings.API_PUBLIC_RATE)
        return True


class Token(HttpBearer):
    """Access only with a token that has this scope."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiToken:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            # A request without a token counts as one, even if it is refused.
            Anonymous()(request)
            raise ApiProblem(UNAUTHORIZED)
        return self.authenticate(request, secret.strip())

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken:
        try:
            found = tokens.authenticate(token, now=now())
        except tokens.BadApiToken:
            # Guessed tokens are counted like requests without a token.
            Anonymous()(request)
            raise ApiProblem(
                UNAUTHORIZED, "The token is unknown, expired or revoked.",
                headers={"WWW-Authenticate": 'Bearer realm="Daybreak", error="invalid_token"'},
            ) from None  # fmt: skip
        _count(request, "token", str(found.pk), settings.API_TOKEN_RATE)
        if self.scope not in found.scopes:
            raise ApiProblem(
                FORBIDDEN,
                f"The token lacks the scope {self.scope.value}.",
                extensions={"scope": self.scope.value},
            )
        return found


class OptionalToken(Token):
    """Access with or without a token. A token allows more, and a bad token is always refused."""

    is_optional = True

    def __call__(self, request: HttpRequest) -> ApiToken | bool:  # type: ignore[override]
        if "Authorization" in request.headers:
            return super().__call__(request)
        return Anonymous()(request)


anonymous = Anonymous()


def token_of(request: HttpRequest) -> ApiToken | None:
    """Return the token that the request came with, if any."""
    found = getattr(request, "auth", None)
    return found if isinstance(found, ApiToken) else None


def require_newsletter(request: HttpRequest, newsletter: Newsletter) -> None:
    """Refuse a token that is for another newsletter."""
    token = token_of(request)
    if token and not token.may_see(newsletter.pk):
        raise ApiProblem(FORBIDDEN, f"The token is not valid for {newsletter.slug}.")


def _count(request: HttpRequest, name: str, who: str, limit: int) -> None:
    use = rate_limit.count_request(name, who, limit=limit)
    request.quota_use = use  # type: ignore[attr-defined]
    if use.is_over:
        raise ApiProblem(
            RATE_LIMITED,
            f"More than {limit} requests a minute.",
            headers={"Retry-After": str(use.resets_in)},
        )

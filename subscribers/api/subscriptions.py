"""Sign readers up, and let them read, change and end their subscription by their own key."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext
from ninja import Field, Path, Router, Schema
from ninja.responses import Status
from pydantic import AfterValidator, StringConstraints

from subscribers import signed_links
from subscribers.addresses.address import MAX_ADDRESS_LENGTH, BadAddress, normalise
from subscribers.api import problems
from subscribers.api.auth import OptionalToken, anonymous, require_newsletter, token_of
from subscribers.api.fields import (
    SLUG,
    EndReason,
    Frequency,
    Input,
    Language,
    LocalTime,
    NetworkAddress,
    SlugText,
    SubscriptionStatus,
    Timestamp,
    TimeZone,
    YesNo,
    example,
    single_line,
    url,
)
from subscribers.api.newsletters import get_newsletter
from subscribers.api.openapi import problem_responses
from subscribers.api.problems import ApiProblem, InvalidField
from subscribers.consent.record import Origin
from subscribers.models import Scope, Section, Subscription
from subscribers.preferences import choices, leaving
from subscribers.signup import flow
from subscribers.signup.abuse import Attempt, ChallengeNeeded
from subscribers.views.link_access import preferences_subscription
from subscribers.views.origin import origin_of

router = Router(tags=["Subscriptions"], auth=anonymous)

PREFERENCES_TOKEN: Any = Path(  # type: ignore[type-arg]
    ...,
    pattern=r"^[-a-zA-Z0-9_]+$",
    max_length=64,
    description="The key at the end of a reader's preferences link.",
)


def _address(value: str) -> str:
    try:
        normalise(value)
    except BadAddress as error:
        raise ValueError(gettext(str(error))) from None
    return value


Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=MAX_ADDRESS_LENGTH),
    AfterValidator(_address),
    Field(json_schema_extra={"format": "email"}, examples=["ann@example.com"]),
]


class Evidence(Input):
    """Where the reader agreed, for the consent record; only your own programs may send it."""

    page: Annotated[str, url(500)] | None = Field(None, description="The page with the form.")
    ip_address: NetworkAddress | None = None
    user_agent: Annotated[str, single_line(300)] | None = None


class SignUp(Input):
    model_config = example(
        email="ann@example.com",
        language="en",
    )

    email: Email
    language: Language | None = Field(
        None,
        description="The language of the mail that follows. Without it, Accept-Language decides.",
    )
    sure: YesNo = Field(
        False, description="The reader was asked about the address, and confirms that it is right."
    )
    solution: Annotated[str, single_line(10_000)] = Field(
        "",
        description="The solution of the ALTCHA challenge, if one is needed (`challenge-needed`).",
    )
    consent: Evidence | None = Field(
        None,
        description="Only with a token. Without one, the consent record describes the request.",
    )


class SignedUp(Schema):
    message: str = Field(description="A sentence for the reader, in their language.")


@router.post(
    "/newsletters/{slug:slug}/subscriptions",
    response={202: SignedUp},
    auth=OptionalToken(Scope.SUBSCRIBERS_WRITE),
    operation_id="subscribe",
    summary="Sign a reader up",
    openapi_extra=problem_responses(403, 404, 409),
)
def subscribe(request: HttpRequest, data: SignUp, slug: str = SLUG) -> Status[SignedUp]:
    """The reader gets a mail and is subscribed once they confirm.

    The answer is the same for an address that is new, known or suppressed. Any page may send this
    from a browser (CORS). The limits of the form apply. Its honeypot and its minimum time do not
    apply to a program; instead, all sign-ups without a token share one limit, beyond which each
    needs a challenge. A token is for your own programs, which have checked that there is a person:
    it skips the challenge, but no limit per mailbox.
    """
    newsletter, token = get_newsletter(slug), token_of(request)
    require_newsletter(request, newsletter)
    if data.consent and token is None:
        detail = "Only a request with a token may contain `consent`."
        raise ApiProblem(problems.FORBIDDEN, detail)
    try:
        flow.sign_up(
            newsletter=newsletter,
            email=data.email,
            origin=_origin(request, data),
            attempt=Attempt(
                solution=data.solution, trusted=token is not None, address_confirmed=data.sure
            ),
            now=now(),
        )
    except BadAddress as error:
        raise _address_problem(error) from None
    except ChallengeNeeded as needed:
        raise ApiProblem(
            problems.CHALLENGE_NEEDED, extensions={"challenge": needed.challenge}
        ) from None
    message = gettext(
        "The next step is a mail from us. Open it, follow its link and press the button there: "
        "your subscription begins only then."
    )
    return Status(202, SignedUp(message=message))


def _origin(request: HttpRequest, data: SignUp) -> Origin:
    own = origin_of(request)
    # The query is left out, because it may hold anything personal of the reader.
    page = request.headers.get("Referer", "").partition("?")[0] or own.page
    language = data.language.value if data.language else own.language
    if token_of(request) is None:
        return Origin(page, language, own.ip_address, own.user_agent)
    # The request comes from a server. Its network address and client say nothing about the reader.
    evidence = data.consent or Evidence(page=None)
    return Origin(evidence.page or "", language, evidence.ip_address, evidence.user_agent or "")


def _address_problem(error: BadAddress) -> ApiProblem:
    detail = gettext(str(error))
    if not error.suggestion and not error.may_insist:
        return ApiProblem(problems.INVALID, errors=[InvalidField(detail, "pointer", "/email")])
    extensions = {"suggestion": error.suggestion, "may_insist": error.may_insist}
    return ApiProblem(problems.QUESTIONABLE_ADDRESS, detail, extensions=extensions)


# --- By the reader's own key ----------------------------------------------------------------------


class SubscriptionOut(Schema):
    newsletter: str = Field(description="Its slug.")
    status: SubscriptionStatus
    email: str
    frequency: Frequency
    muted_sections: list[str] = Field(description="Slugs of sections that are left out.")
    preferred_time: LocalTime | None = Field(
        description="When the reader wants editions that are sent by the readers' clocks. Null: "
        "the schedule's hour."
    )
    wants_extras: bool = Field(
        description="Whether extra editions, with breaking news, come too. Weekly readers get none."
    )
    paused_until: datetime | None
    language: str = Field(description="Empty: the newsletter's.")
    timezone: str = Field(description="Empty: the newsletter's.")
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    preferences_url: str
    unsubscribe_url: str


class Changes(Input):
    """Fields that are left out stay unchanged."""

    model_config = example(
        frequency="weekdays",
        muted_sections=[],
        preferred_time="07:30",
    )

    frequency: Frequency | None = Field(
        None, description="`weekly` only if the newsletter has a weekly edition."
    )
    muted_sections: list[SlugText] | None = Field(None, max_length=200)
    preferred_time: LocalTime | None = Field(None, description="Null: the schedule's hour.")
    wants_extras: bool | None = Field(None, description="Extra editions, with breaking news.")
    paused_until: Timestamp | None = Field(None, description="Null ends a pause.")
    language: Language | None = Field(None, description="Null: the newsletter's.")
    timezone: TimeZone | None = Field(None, description="Null: the newsletter's.")


class UnsubscribeReason(Input):
    model_config = example(
        why="too-many",
    )

    why: EndReason | None = None


@router.get(
    "/subscriptions/{slug:token}", response=SubscriptionOut, operation_id="readSubscription",
    summary="Read a subscription", openapi_extra=problem_responses(404),
)  # fmt: skip
def read_subscription(request: HttpRequest, token: str = PREFERENCES_TOKEN) -> SubscriptionOut:
    return _subscription_out(_subscription_by_token(token))


@router.patch(
    "/subscriptions/{slug:token}", response=SubscriptionOut, operation_id="changeSubscription",
    summary="Change a subscription", openapi_extra=problem_responses(404, 409),
)  # fmt: skip
def change_subscription(
    request: HttpRequest, data: Changes, token: str = PREFERENCES_TOKEN
) -> SubscriptionOut:
    """Every change is recorded in the ledger of consent."""
    subscription = _subscription_by_token(token)
    # Either all changes are made or none.
    with transaction.atomic():
        _change(subscription, data, origin_of(request, token), now())
    return _subscription_out(_subscription_by_token(token))


def _change(subscription: Subscription, data: Changes, origin: Origin, at: datetime) -> None:
    given, reader = data.model_fields_set, subscription.subscriber
    if given & {"frequency", "muted_sections", "preferred_time", "wants_extras"}:
        chosen = _choices(subscription, data)
        try:
            choices.set_choices(
                subscription_id=subscription.pk, choices=chosen, origin=origin, now=at
            )
        except choices.FrequencyNotOffered:
            raise ApiProblem(problems.CONFLICT, "This newsletter has no weekly edition.") from None
    if "paused_until" in given:
        _pause(subscription, data.paused_until, origin, at)
    if given & {"language", "timezone"}:
        choices.set_locale(
            subscription_id=subscription.pk,
            language=_value(data.language) if "language" in given else reader.language,
            timezone=_value(data.timezone) if "timezone" in given else reader.timezone,
            origin=origin,
            now=at,
        )


@router.post(
    "/subscriptions/{slug:token}/unsubscribe", response=SubscriptionOut,
    operation_id="unsubscribe", summary="End a subscription", openapi_extra=problem_responses(404),
)  # fmt: skip
def end_subscription(
    request: HttpRequest, data: UnsubscribeReason | None = None, token: str = PREFERENCES_TOKEN
) -> SubscriptionOut:
    """This takes effect immediately, also for an edition that is being sent.

    Repeating the request is harmless.
    """
    subscription = _subscription_by_token(token)
    origin = origin_of(request, token)
    leaving.unsubscribe(subscription_id=subscription.pk, origin=origin, now=now())
    if data and data.why:
        leaving.set_end_reason(
            subscription_id=subscription.pk,
            reason=data.why,
            seen=data.why,
            origin=origin,
            now=now(),
        )
    return _subscription_out(_subscription_by_token(token))


def _subscription_by_token(token: str) -> Subscription:
    subscription = preferences_subscription(token)
    if subscription is None:
        raise Http404
    return subscription


def _choices(subscription: Subscription, data: Changes) -> choices.Choices:
    given, current = data.model_fields_set, choices.Choices.of(subscription)
    muted = current.muted
    if data.muted_sections is not None:
        muted = _section_ids(subscription, data.muted_sections)
    return choices.Choices(
        muted=muted,
        frequency=data.frequency or current.frequency,
        preferred_time=_time(data) if "preferred_time" in given else current.preferred_time,
        wants_extras=current.wants_extras if data.wants_extras is None else data.wants_extras,
    )


def _section_ids(subscription: Subscription, slugs: list[str]) -> list[int]:
    """Return the ids of the sections.

    Raises:
        ApiProblem: one of the sections does not exist, or no section would be left.
    """
    sections = dict(subscription.newsletter.sections.values_list("slug", "pk"))
    if unknown := sorted(set(slugs) - set(sections)):
        raise ApiProblem(problems.CONFLICT, f"There is no section {', '.join(unknown)}.")
    if sections and set(slugs) == set(sections):
        raise ApiProblem(
            problems.CONFLICT,
            "At least one section must stay unmuted. To get nothing, unsubscribe.",
        )
    return [sections[slug] for slug in slugs]


def _pause(
    subscription: Subscription, until: datetime | None, origin: Origin, at: datetime
) -> None:
    try:
        choices.pause(subscription_ids=[subscription.pk], until=until, origin=origin, now=at)
    except choices.BadPause:
        raise ApiProblem(
            problems.CONFLICT, "A pause ends in the future, and within a year."
        ) from None


def _time(data: Changes) -> time | None:
    return time.fromisoformat(data.preferred_time) if data.preferred_time else None


def _value(chosen: Any) -> str:
    return chosen.value if chosen else ""


def _subscription_out(subscription: Any) -> SubscriptionOut:
    reader = subscription.subscriber
    preferred = subscription.preferred_time
    muted = Section.objects.filter(pk__in=subscription.muted_sections)
    return SubscriptionOut(
        newsletter=subscription.newsletter.slug,
        status=subscription.status,
        email=reader.email,
        frequency=subscription.frequency,
        muted_sections=[section.slug for section in muted],
        preferred_time=f"{preferred:%H:%M}" if preferred else None,
        wants_extras=subscription.wants_extras,
        paused_until=subscription.paused_until,
        language=reader.language,
        timezone=reader.timezone,
        created_at=subscription.created_at,
        confirmed_at=subscription.confirmed_at,
        ended_at=subscription.ended_at,
        preferences_url=_link("preferences", signed_links.preferences_token(subscription)),
        unsubscribe_url=_link("unsubscribe", signed_links.unsubscribe_token(subscription.pk)),
    )


def _link(name: str, token: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=[token])}"

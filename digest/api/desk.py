"""Let a program create, edit, approve, send and stop editions."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from ninja import Field, Query, Router
from ninja.responses import Status

from digest.api.drafts import (
    DraftDetail,
    DraftOut,
    EditionContent,
    EditionStatus,
    NewEdition,
    NewExtraEdition,
    SendRequest,
    SendTiming,
    draft_detail,
    draft_fields,
)
from digest.editions.decide import preflight, send_now, stop
from digest.editions.decide.approve import NotApprovable
from digest.editions.decide.early import SlotChoice
from digest.editions.draft import draft, extra
from digest.editions.edit import curate
from digest.models import Edition, Story
from digest.tasks import release
from subscribers.api import problems
from subscribers.api.auth import Token, require_newsletter, token_of
from subscribers.api.fields import IDEMPOTENCY_KEY, SLUG
from subscribers.api.idempotency import idempotent
from subscribers.api.newsletters import get_newsletter
from subscribers.api.openapi import problem_responses
from subscribers.api.pagination import AfterUuid, Page, paginate
from subscribers.api.problems import ApiProblem
from subscribers.models import Scope
from subscribers.plumbing.queue import enqueue

logger = logging.getLogger(__name__)

router = Router(tags=["Editing"])
READ, WRITE, SEND = (
    Token(scope) for scope in (Scope.EDITIONS_READ, Scope.EDITIONS_WRITE, Scope.EDITIONS_SEND)
)


class DraftQuery(AfterUuid):
    status: EditionStatus | None = Field(None, description="Only these.")


@router.get(
    "/desk/newsletters/{slug:slug}/editions", response=Page[DraftOut, UUID], auth=READ,
    operation_id="listDrafts", summary="List editions in any state",
    openapi_extra=problem_responses(404),
)  # fmt: skip
def list_drafts(
    request: HttpRequest, response: HttpResponse, query: Query[DraftQuery], slug: str = SLUG
) -> Page[DraftOut, UUID]:
    """The edition that was made last comes first."""
    newsletter = get_newsletter(slug)
    require_newsletter(request, newsletter)
    found = Edition.objects.select_related("newsletter").filter(newsletter=newsletter)
    if query.status:
        found = found.filter(status=query.status)
    if query.after:
        last = Edition.objects.filter(newsletter=newsletter, public_id=query.after).first()
        if last is None:
            raise Http404
        found = found.filter(pk__lt=last.pk)
    rows = list(found.order_by("-pk")[: query.limit + 1])
    rows, after = paginate(request, response, rows=rows, limit=query.limit, key="public_id")
    items = [DraftOut(**draft_fields(edition)) for edition in rows]
    return Page[DraftOut, UUID](items=items, next_after=after)


@router.post(
    "/desk/newsletters/{slug:slug}/editions", response={200: DraftDetail, 201: DraftDetail},
    auth=WRITE, operation_id="createEdition", summary="Create an edition",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
@idempotent
def create_edition(
    request: HttpRequest,
    response: HttpResponse,
    data: NewEdition,
    slug: str = SLUG,
    idempotency_key: str | None = IDEMPOTENCY_KEY,
) -> Status[DraftDetail]:
    """A new draft (201), proposed from the newest stories unless `stories` names others.

    A slot has one edition. If it exists already, it is returned unchanged (200). If the request
    also sets its content, that is a conflict, and `edition` names the edition to change.
    """
    newsletter = get_newsletter(slug)
    require_newsletter(request, newsletter)
    moment = now()
    content = data.model_dump(exclude={"date", "cadence"}, exclude_none=True)
    with transaction.atomic():
        try:
            edition = draft.draft_edition(
                newsletter=newsletter, date=data.date, cadence=data.cadence, now=moment
            )
        except draft.DayIsOver as error:
            raise ApiProblem(problems.CONFLICT, str(error)) from None
        is_new = edition.drafted_at == moment
        if content and not is_new:
            raise ApiProblem(
                problems.CONFLICT, "There is an edition of that date already.",
                extensions={"edition": str(edition.public_id)},
            )  # fmt: skip
        _write(edition, content)
    location = reverse("api:read_draft", args=[edition.public_id])
    response["Location"] = location
    return Status(
        201 if is_new else 200, draft_detail(_edition(request, edition.public_id), now=moment)
    )


@router.post(
    "/desk/newsletters/{slug:slug}/extra-editions",
    response={200: DraftDetail, 201: DraftDetail}, auth=WRITE,
    operation_id="createExtraEdition", summary="Create an extra edition of breaking news",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
@idempotent
def create_extra_edition(
    request: HttpRequest,
    response: HttpResponse,
    data: NewExtraEdition,
    slug: str = SLUG,
    idempotency_key: str | None = IDEMPOTENCY_KEY,
) -> Status[DraftDetail]:
    """A draft with one story (201), outside of the schedule; it is due at once and waits for an
    approval, three hours at most.

    A story has one extra edition. If it exists already, it is returned unchanged (200). Readers
    who have had as many in the last 24 hours as the operator allows are left out.
    """
    newsletter = get_newsletter(slug)
    require_newsletter(request, newsletter)
    story = Story.objects.filter(pk=data.story, newsletter=newsletter).first()
    if story is None:
        raise ApiProblem(problems.CONFLICT, f"{newsletter} does not have this story.")
    moment, status = now(), 201
    try:
        edition = extra.draft_extra(story_id=story.pk, actor=_actor(request), now=moment)
    except extra.ExtraExists as exists:
        edition, status = exists.extra, 200
    except extra.NoExtraEditions as error:
        raise ApiProblem(problems.CONFLICT, str(error)) from None
    response["Location"] = reverse("api:read_draft", args=[edition.public_id])
    return Status(status, draft_detail(_edition(request, edition.public_id), now=moment))


@router.get(
    "/desk/editions/{uuid:edition_id}", response=DraftDetail, auth=READ, operation_id="readDraft",
    summary="Read an edition in any state", openapi_extra=problem_responses(404),
    url_name="read_draft",
)  # fmt: skip
def read_draft(request: HttpRequest, edition_id: UUID) -> DraftDetail:
    """With its problems, the number of readers it would go to, and its seal."""
    return draft_detail(_edition(request, edition_id), now=now())


@router.patch(
    "/desk/editions/{uuid:edition_id}", response=DraftDetail, auth=WRITE,
    operation_id="changeEdition", summary="Change an edition",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
def change_edition(request: HttpRequest, edition_id: UUID, data: EditionContent) -> DraftDetail:
    """Any change of the content voids an approval."""
    edition = _edition(request, edition_id)
    with transaction.atomic():
        _write(edition, data.model_dump(exclude_none=True))
    return draft_detail(_edition(request, edition_id), now=now())


@router.post(
    "/desk/editions/{uuid:edition_id}/send", response={202: DraftDetail}, auth=SEND,
    operation_id="sendEdition", summary="Approve and send an edition",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
def send_edition(request: HttpRequest, edition_id: UUID, data: SendRequest) -> Status[DraftDetail]:
    """Approve the edition as you have read it; it goes out at its time, or now.

    If it cannot be approved, `problems` in the error says why. To accept an unusual number of
    readers, repeat that number in `readers`. To send the edition of a later day now, repeat its
    date in `uses_slot`, because that day then has none.
    """
    edition, moment = _edition(request, edition_id), now()
    immediately = data.when is SendTiming.NOW
    try:
        send_now.approve_as_seen(
            edition_id=edition.pk,
            seen=data.seal,
            readers=data.readers,
            immediately=immediately,
            slot=SlotChoice.USE if data.uses_slot == edition.slot_date else None,
            actor=_actor(request),
            now=moment,
        )
    except NotApprovable as error:
        raise _not_approved(error.problems) from None
    logger.info("Edition %s is approved by the token %s", edition.pk, token_of(request))
    if immediately or edition.sends_at <= moment:
        enqueue(release, edition_id=edition.pk)
    return Status(202, draft_detail(_edition(request, edition_id), now=moment))


@router.post(
    "/desk/editions/{uuid:edition_id}/stop", response=DraftDetail, auth=SEND,
    operation_id="stopEdition", summary="Stop an edition that is being sent",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
def stop_edition(request: HttpRequest, edition_id: UUID) -> DraftDetail:
    """At most the messages that are on the wire still go out; editors decide how to continue."""
    edition = _edition(request, edition_id)
    try:
        stop.stop_sending(
            edition_id=edition.pk, detail="Stopped over the API", actor=_actor(request), now=now()
        )
    except stop.NotSending as error:
        raise ApiProblem(problems.CONFLICT, str(error)) from None
    return draft_detail(_edition(request, edition_id), now=now())


def _actor(request: HttpRequest) -> str:
    """Say in the edition's log which token it was."""
    token = token_of(request)
    return f"the API token {token.name}" if token else "a program"


def _edition(request: HttpRequest, edition_id: UUID) -> Edition:
    edition = (
        Edition.objects.select_related("newsletter", "schedule", "corrects")
        .filter(public_id=edition_id)
        .first()
    )
    if edition is None:
        raise Http404
    require_newsletter(request, edition.newsletter)
    return edition


def _write(edition: Edition, content: dict[str, Any]) -> None:
    story_ids = content.pop("stories", None)
    try:
        if content:
            curate.set_copy(edition_id=edition.pk, **content)
        if story_ids is not None:
            curate.set_stories(edition_id=edition.pk, story_ids=list(dict.fromkeys(story_ids)))
    except (curate.NotEditable, curate.AlreadyPrinted) as error:
        raise ApiProblem(problems.CONFLICT, str(error)) from None
    except Story.DoesNotExist:
        detail = f"{edition.newsletter} does not have all of these stories."
        raise ApiProblem(problems.CONFLICT, detail) from None


def _not_approved(found: list[preflight.EditionProblem]) -> ApiProblem:
    listed = [{"code": problem.code, "message": problem.message} for problem in found]
    detail = " ".join(problem.message for problem in found)
    return ApiProblem(problems.CONFLICT, detail, extensions={"problems": listed})

"""The public pages of what was sent: an edition's web version, a pasted story."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from digest.models import Edition, Story
from digest.rendering.assemble import web_page
from digest.rendering.content_hash import content_hash
from digest.rendering.safe_text import paragraphs
from subscribers.i18n import languages
from subscribers.plumbing.content_security import MAIL_PAGE, with_policy

_SENT = (Edition.Status.SENDING, Edition.Status.SENT)
# As in Django's admin, whoever may change stories may see them.
_VIEW = ("digest.view_story", "digest.change_story")
# In seconds: short, so that a correction shows soon; long enough for the rush after the send.
_MAX_AGE = 300


@require_safe
@with_policy(MAIL_PAGE)
def edition(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show an edition that readers have; a draft is not public."""
    # An edition stopped in mid-send is held, and some readers have it.
    reached_readers = Q(status__in=_SENT) | Q(sending_at__isnull=False)
    found = get_object_or_404(
        Edition.objects.select_related("newsletter").filter(reached_readers), public_id=public_id
    )
    return _cached(HttpResponse(_as_sent(found)))


@require_safe
def story(request: HttpRequest, story_id: int) -> HttpResponse:
    """Show a pasted story once an edition with it is out; before that, to who may see stories."""
    found = get_object_or_404(
        Story.objects.select_related("newsletter").exclude(text=""), pk=story_id, url=""
    )
    # The story is public if a frozen page links to it. If the site had another address then, that
    # link differs, so the story is also public if an edition that holds it was sent as approved.
    # An edition that was skipped before any reader had it has released its stories.
    is_out = Q(edition__frozen_pages__links__contains=[found.link]) | Q(
        edition__status__in=_SENT,
        edition__frozen_pages__content_hash=F("edition__approved_hash"),
    )
    is_public = found.items.filter(is_out, released=False).exists()
    if not is_public and not any(map(request.user.has_perm, _VIEW)):
        raise Http404
    context = {
        "story": found,
        "newsletter": found.newsletter,
        "paragraphs": paragraphs(found.text),
        "is_public": is_public,
    }
    # The page is cached for everybody, so it has one language: that of the newsletter.
    with translation.override(languages.first_supported(found.newsletter.language)):
        response = render(request, "archive/story.html", context)
    if is_public:
        return _cached(response)
    patch_cache_control(response, private=True, no_store=True)
    return response


def _as_sent(edition: Edition) -> str:
    """Return the page that its readers have, whatever editors have written since.

    An edition frozen before web versions were stored is rendered anew if it still says the same.
    """
    frozen = edition.frozen_pages.filter(revision__lte=edition.revision).order_by("-revision")
    web_html, sent = frozen.values_list("web_html", "content_hash").first() or ("", "")
    if web_html:
        return web_html
    # If only the newsletter's masthead was changed later, the approved hash is still the sent one.
    if not sent or sent not in {edition.approved_hash, content_hash(edition)}:
        raise Http404
    return web_page(edition)


def _cached(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, public=True, max_age=_MAX_AGE)
    return response

"""The newsletters that a reader can sign up for."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from subscribers.api.auth import anonymous
from subscribers.api.fields import SLUG
from subscribers.api.openapi import problem_responses
from subscribers.api.pagination import AfterSlug, Page, allow_caching, paginate
from subscribers.models import Newsletter

router = Router(tags=["Newsletters"], auth=anonymous)


class SectionOut(Schema):
    slug: str
    name: str


class NewsletterOut(Schema):
    slug: str
    name: str
    promise: str = Field(description="One sentence: what arrives, how often.")
    description: str
    language: str
    timezone: str = Field(description="The newsroom's clock.")
    accent_color: str
    url: str = Field(description="Its sign-up page.")
    sections: list[SectionOut]


@router.get(
    "/newsletters", response=Page[NewsletterOut, str], operation_id="listNewsletters",
    summary="List the newsletters",
)  # fmt: skip
def list_newsletters(
    request: HttpRequest, response: HttpResponse, paging: Query[AfterSlug]
) -> Page[NewsletterOut, str]:
    """The newsletters that are shown on the front page, ordered by slug."""
    found = Newsletter.objects.filter(is_listed=True).prefetch_related("sections")
    if paging.after:
        found = found.filter(slug__gt=paging.after)
    rows = list(found.order_by("slug")[: paging.limit + 1])
    allow_caching(response)
    rows, after = paginate(request, response, rows=rows, limit=paging.limit, key="slug")
    return Page[NewsletterOut, str](items=[newsletter_out(row) for row in rows], next_after=after)


@router.get(
    "/newsletters/{slug:slug}", response=NewsletterOut, operation_id="readNewsletter",
    summary="Read a newsletter", openapi_extra=problem_responses(404),
)  # fmt: skip
def read_newsletter(request: HttpRequest, slug: str = SLUG) -> NewsletterOut:
    """A newsletter that is not listed can be read too."""
    return newsletter_out(get_newsletter(slug))


def get_newsletter(slug: str) -> Newsletter:
    found = Newsletter.objects.filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def newsletter_out(newsletter: Newsletter) -> NewsletterOut:
    return NewsletterOut(
        slug=newsletter.slug,
        name=newsletter.name,
        promise=newsletter.promise,
        description=newsletter.description,
        language=newsletter.language,
        timezone=newsletter.timezone,
        accent_color=newsletter.accent_color,
        url=f"{settings.SITE_URL}{newsletter.get_absolute_url()}",
        sections=[
            SectionOut(slug=section.slug, name=section.name)
            for section in newsletter.sections.all()
        ],
    )

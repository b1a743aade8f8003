"""Add a feed from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from digest.feeds.adding.add import SeveralFeeds, add_site
from digest.feeds.ingest import CannotAddFeed
from digest.management import newsletter_options


class Command(BaseCommand):
    help = (
        "Add an RSS, Atom or JSON feed to a newsletter. It is fetched once, and added only if it "
        "is indeed a feed; its stories are stored too. The address of a site or an article will "
        "do: its feed is looked for, and if there are several they are listed. A feed on a private "
        "address is fetched only if its host is in FETCH_ALLOW_HOSTS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", metavar="URL")
        newsletter_options.add_arguments(parser)

    def handle(self, *, url: str, newsletter: str, section: str | None, **options: Any) -> None:
        owner, in_section = newsletter_options.lookup(newsletter, section)
        try:
            feed = add_site(newsletter=owner, url=url, section=in_section, now=now())
        except SeveralFeeds as error:
            for found in error.found:
                self.stdout.write(f"{found.url}  {found.in_words}")
            raise CommandError(f"{url} was not added. {error}") from error
        except CannotAddFeed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Added feed {feed.pk}, {feed}: {feed.stories.count()} new stories.")

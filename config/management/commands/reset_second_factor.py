"""Remove an account's authenticator app from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.login import second_factor


class Command(BaseCommand):
    help = (
        "Remove the authenticator app and the recovery codes of an account whose owner has lost "
        "them. The next log-in with the account's password sets up a new app. Be sure that it is "
        "the owner who asks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the name that its owner logs in with")

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            user = User.objects.get(username=username)
        except User.DoesNotExist:
            raise CommandError(f"There is no account {username}.") from None
        if second_factor.remove(user):
            self.stdout.write(f"{username} sets up a new app at the next log-in.")
        else:
            self.stdout.write(f"{username} has no app; the next log-in sets one up.")

"""Decide how many wrong passwords are too many, and for how long.

Three things are counted, each over a quarter of an hour: the wrong passwords for one account from
one address, from one network for whatever accounts, and for one account from wherever. A lock ends
by itself, and what is tried during it does not prolong it. No account is exempt.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.timezone import now

from subscribers.plumbing.signing import hmac_signer
from subscribers.signup.abuse import limits
from subscribers.views.origin import ip_address_of

# How many wrong passwords weigh as much as one of an account from a network, in the order of
# AXES_LOCKOUT_PARAMETERS. With AXES_FAILURE_LIMIT = 5 the limits are:
# -   5 for an account from an address: a person who tries to remember stays below it, and a
#       neighbour in the same network does not use them up;
# -  50 from a network: a newsroom behind one address stays below it, a list of passwords does not;
# - 100 for an account from anywhere: someone has many networks, and guesses for one account.
WEIGHTS = (1, 10, 20)
# An address from which the account was logged in to is not locked by guesses from elsewhere. So
# whoever has many networks cannot keep an editor out of the newsroom's own.
KNOWN_FOR = timedelta(days=30)
# Counts under this address are those of all clients whose address cannot be read.
UNKNOWN_ADDRESS = "::"


class LoginThrottle(AxesDatabaseHandler):
    """Keep the counts of django-axes in the database, with a limit for each kind of count."""

    def get_failures(self, request: Any, credentials: Any = None) -> int:
        """Return the wrong passwords so far, weighed: AXES_FAILURE_LIMIT of them are too many."""
        return max(
            _sum(attempts) // weight for attempts, weight in self._counted(request, credentials)
        )

    def filter_user_attempts(
        self, request: Any, credentials: Any = None
    ) -> list[QuerySet[AccessAttempt]]:
        """Return the attempts in the order of AXES_LOCKOUT_PARAMETERS, the second of a network."""
        here, _, everywhere = super().filter_user_attempts(request, credentials)
        network = ipaddress.ip_network(limits.network(request.axes_ip_address))
        bounds = (str(network[0]), str(network[-1]))
        return [here, AccessAttempt.objects.filter(ip_address__range=bounds), everywhere]

    def reset_user_attempts(self, request: Any, credentials: Any = None) -> int:
        """Forget an account's wrong passwords from this address, because one was right.

        The other counts stay: somebody with an account of their own could empty them at will.
        """
        count, _ = self.filter_user_attempts(request, credentials)[0].delete()
        return int(count)

    def locked_for(self, request: Any, credentials: Any = None) -> timedelta:
        """Return how long this account stays locked for this address; not above the cool-off."""
        limit, cool_off = settings.AXES_FAILURE_LIMIT, get_cool_off(request)
        ends = [
            _falls_below(limit * weight, attempts) + cool_off
            for attempts, weight in self._counted(request, credentials)
            if _sum(attempts) >= limit * weight
        ]
        return max(max(ends, default=now()) - now(), timedelta())

    def _counted(self, request: Any, credentials: Any) -> list[tuple[QuerySet[AccessAttempt], int]]:
        found = list(zip(self.get_user_attempts(request, credentials), WEIGHTS, strict=True))
        name = counted_name(request, credentials)
        return found[:-1] if _is_known(name, request.axes_ip_address) else found


def counted_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str | None:
    """Return the account that somebody tries to log in to; None if the form names none.

    Of a name that no account has, only a keyed hash is kept: people type their password there.
    """
    typed = (credentials or request.POST).get("username")
    if not typed or get_user_model().objects.filter(username=typed).exists():
        return typed
    sign = hmac_signer("config.login.throttle", settings.SECRET_KEY)
    return f"unknown {sign(str(typed).encode()).hex()[:16]}"


def client_address(request: HttpRequest) -> str:
    """Return the client's IPv4 address, or the first one of its /64: a home's IPv6 address changes.

    A /24 has 256 homes, and each of them would lock the others out.
    """
    address = ip_address_of(request)
    if address is None:
        return UNKNOWN_ADDRESS
    if ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False)[0])


def name_in_log(username: str | None, *_: object) -> str:
    """Return how the log names who tried: the account, and not where the client is."""
    return f"account “{username}”"


def minutes(duration: timedelta) -> int:
    """Return the whole minutes after which it is over, at least one."""
    return max(1, math.ceil(duration / timedelta(minutes=1)))


def _sum(attempts: QuerySet[AccessAttempt]) -> int:
    return attempts.aggregate(count=Sum("failures_since_start"))["count"] or 0


def _falls_below(limit: int, attempts: QuerySet[AccessAttempt]) -> datetime:
    """Return the time of the attempt without which the newer ones are fewer than the limit."""
    count = 0
    for at, failures in attempts.order_by("-attempt_time").values_list(
        "attempt_time", "failures_since_start"
    ):
        count += failures
        if count >= limit:
            return at
    raise ValueError("there are fewer attempts than the limit")


def _is_known(name: str | None, address: str) -> bool:
    return AccessLog.objects.filter(
        username=name, ip_address=address, attempt_time__gte=now() - KNOWN_FOR
    ).exists()

"""Ask for a proof of work (ALTCHA): a second of a person's browser, hours of a bot's fleet.

No third party has a part in it: the challenge is made and checked here, and static/solve.js solves
it in the browser.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.conf import settings

GOOD_FOR = timedelta(minutes=20)
ALGORITHM = "PBKDF2/SHA-256"
# Rounds of each try, and what the key must begin with: 256 tries on average, 0.3 s on a laptop,
# two seconds on an old phone.
COST = 5_000
PREFIX = "00"


def new_challenge(now: datetime) -> dict[str, Any]:
    """Return a challenge, ready to be sent as JSON: good for 20 minutes and one sign-up."""
    challenge = altcha.create_challenge(
        ALGORITHM,
        COST,
        key_prefix=PREFIX,
        # Not `expires_at`, which the library holds against its own clock.
        data={"until": int((now + GOOD_FOR).timestamp()), "id": secrets.token_hex(8)},
        hmac_secret=_secret(settings.SECRET_KEY),
    )
    return challenge.to_dict()


def solved(solution: str, *, now: datetime) -> bool:
    """Tell whether this is a solution (base64 of its JSON) to a challenge of ours that is good."""
    if not solution:
        return False
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if altcha.verify_solution(solution, _secret(key)).verified:
            data = altcha.Payload.from_base64(solution).challenge.parameters.data
            return data is not None and data["until"] >= now.timestamp()
    return False


def _secret(key: str | bytes) -> str:
    return f"subscribers.abuse.challenge{key!r}"

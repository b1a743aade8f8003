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
# Characters; a true one has 600.
LONGEST = 4_000


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


def solved_id(solution: str, *, now: datetime) -> str:
    """Return the id of the challenge that this solves (base64 of its JSON).

    "" where it solves none of ours, or one that is too old. Whether it was used before, the
    limits know.
    """
    if not solution or len(solution) > LONGEST:
        return ""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if altcha.verify_solution(solution, _secret(key)).verified:
            data = altcha.Payload.from_base64(solution).challenge.parameters.data or {}
            return str(data["id"]) if data["until"] >= now.timestamp() else ""
    return ""


def _secret(key: str | bytes) -> str:
    return f"subscribers.abuse.challenge{key!r}"

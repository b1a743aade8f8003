"""Ask for a proof of work (ALTCHA): it costs one browser a second, and a fleet of bots hours.

No third party takes part: the challenge is made and checked here, and static/solve.js solves it in
the browser.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import altcha
from django.conf import settings

GOOD_FOR = timedelta(minutes=20)
ALGORITHM = "PBKDF2/SHA-256"
# COST is the number of rounds of each try, and PREFIX is what the derived key must begin with. A
# solution takes 256 tries on average: 0.3 s on a laptop, two seconds on an old phone.
COST = 5_000
PREFIX = "00"
# Characters of a solution; a genuine one has 600.
MAX_SOLUTION_LENGTH = 4_000


def new_challenge(now: datetime) -> dict[str, Any]:
    """Return a challenge, ready to be sent as JSON: valid for 20 minutes and one sign-up."""
    challenge = altcha.create_challenge(
        ALGORITHM,
        COST,
        key_prefix=PREFIX,
        # Not `expires_at`: the library compares that with its own clock.
        data={"until": int((now + GOOD_FOR).timestamp()), "id": secrets.token_hex(8)},
        hmac_secret=_secret(settings.SECRET_KEY),
    )
    return challenge.to_dict()


def solved_id(solution: str, *, now: datetime) -> str:
    """Return the id of the challenge that the solution (base64 of its JSON) belongs to.

    Return "" if it solves none of our challenges, or one that is too old. The limits check whether
    it was used before.
    """
    if not solution or len(solution) > MAX_SOLUTION_LENGTH:
        return ""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if altcha.verify_solution(solution, _secret(key)).verified:
            data = altcha.Payload.from_base64(solution).challenge.parameters.data or {}
            return str(data["id"]) if data["until"] >= now.timestamp() else ""
    return ""


def _secret(key: str | bytes) -> str:
    # This is no module's name: with another secret, the challenges of open forms would be refused.
    return f"subscribers.abuse.challenge{key!r}"

"""Keep sign-up from being used to flood a mailbox or the list, on form, embed and API alike.

The ways in (page, embed, API) put what they know into an `Attempt`; `signup.sign_up` judges it.
"""

from subscribers.abuse.attempt import Attempt, ChallengeNeeded, challenge_needed
from subscribers.abuse.challenge import new_challenge
from subscribers.abuse.limits import (
    COOLDOWN,
    MAILS_PER_ADDRESS,
    SIGNUPS_PER_NETWORK,
    mail_allowed_at,
    network,
    network_allowed,
)
from subscribers.abuse.opened import opened_token

__all__ = [
    "COOLDOWN",
    "MAILS_PER_ADDRESS",
    "SIGNUPS_PER_NETWORK",
    "Attempt",
    "ChallengeNeeded",
    "challenge_needed",
    "mail_allowed_at",
    "network",
    "network_allowed",
    "new_challenge",
    "opened_token",
]

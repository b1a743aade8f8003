"""Keep sign-up from being used to flood a mailbox or the list, on form, embed and API alike.

Each entry point (page, embed, API) puts what it knows into an `Attempt`. `signup.sign_up` then has
it judged.
"""

from subscribers.abuse.attempt import Attempt, ChallengeNeeded, challenge_needed, judge
from subscribers.abuse.buckets import Door
from subscribers.abuse.challenge import new_challenge
from subscribers.abuse.limits import network
from subscribers.abuse.opened import opened_token

__all__ = [
    "Attempt",
    "ChallengeNeeded",
    "Door",
    "challenge_needed",
    "judge",
    "network",
    "new_challenge",
    "opened_token",
]

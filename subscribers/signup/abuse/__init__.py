"""Keep sign-up from being used to flood a mailbox or the list, on form, embed and API alike.

Each entry point (page, embed, API) puts what it knows into an `Attempt`. `flow.sign_up` and
`preferences.link_request` have it judged.

attempt     judges one attempt: in, dropped, or once more, maybe with a challenge
limits      how many sign-ups a mailbox, a network and all may have; counts them in Redis
buckets     what a limit is, and the counts in this process while Redis is gone
challenge   asks for a proof of work
form_token  signs the time at which a form was shown
"""

from subscribers.signup.abuse.attempt import (
    Attempt,
    ChallengeNeeded,
    SentTooQuickly,
    challenge_needed,
    judge,
)
from subscribers.signup.abuse.buckets import Purpose
from subscribers.signup.abuse.challenge import new_challenge
from subscribers.signup.abuse.form_token import new_form_token
from subscribers.signup.abuse.limits import network

__all__ = [
    "Attempt",
    "ChallengeNeeded",
    "Purpose",
    "SentTooQuickly",
    "challenge_needed",
    "judge",
    "network",
    "new_challenge",
    "new_form_token",
]

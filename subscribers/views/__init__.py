"""The pages that a reader sees, from the front page to the way out."""

from subscribers.views import dossier, embed
from subscribers.views.links import preferences, unsubscribe
from subscribers.views.pages import home
from subscribers.views.signup import confirm, newsletter, signup_done

__all__ = [
    "confirm",
    "dossier",
    "embed",
    "home",
    "newsletter",
    "preferences",
    "signup_done",
    "unsubscribe",
]

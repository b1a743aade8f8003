"""The pages that a reader sees, from the front page to the unsubscribe page."""

from subscribers.views import dossier, embed
from subscribers.views.leaving import come_back, unsubscribe, why
from subscribers.views.lost import lost_link, lost_link_sent
from subscribers.views.moving import move
from subscribers.views.pages import home
from subscribers.views.preferences import preferences_page
from subscribers.views.signup import confirm, newsletter, signup_done
from subscribers.views.yourself import erase_me

__all__ = [
    "come_back",
    "confirm",
    "dossier",
    "embed",
    "erase_me",
    "home",
    "lost_link",
    "lost_link_sent",
    "move",
    "newsletter",
    "preferences_page",
    "signup_done",
    "unsubscribe",
    "why",
]

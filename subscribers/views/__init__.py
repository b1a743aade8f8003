"""The pages that a reader sees, from the front page to the unsubscribe page."""

from subscribers.views import data_export, embed
from subscribers.views.address_change import confirm_address_change
from subscribers.views.erasure import erase_me
from subscribers.views.leaving import give_reason, resubscribe, unsubscribe_page
from subscribers.views.link_request import lost_link, lost_link_sent
from subscribers.views.pages import home
from subscribers.views.preferences import preferences_page
from subscribers.views.signup import confirm, newsletter_page, signup_done

__all__ = [
    "confirm",
    "confirm_address_change",
    "data_export",
    "embed",
    "erase_me",
    "give_reason",
    "home",
    "lost_link",
    "lost_link_sent",
    "newsletter_page",
    "preferences_page",
    "resubscribe",
    "signup_done",
    "unsubscribe_page",
]

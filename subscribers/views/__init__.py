"""The pages that a reader sees, from the front page to the unsubscribe page.

pages            the front page
signup           a newsletter's page, and the pages up to the confirmed subscription
posted_form      reads a posted sign-up form, whoever's page it was on
embed            answers a form in somebody else's page
preferences      the page of all choices
preference_page  gathers what that page shows
forms            checks what readers write into its forms
leaving          the unsubscribe page, and the way back
address_change   the page on which both owners agree or refuse
link_request     the page for a lost link
download         a file that is served whole
data_export      what is stored about a reader, as a page or a file
erasure          erases a reader who asks for it
link_access      which subscription a signed link is for
origin           where a request came from
"""

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

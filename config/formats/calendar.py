"""List the months and the days of the week, so that config/locale overrides Django's names.

Django's Portuguese writes them with capitals; the spelling in force (1990) does not.
"""

from django.utils.translation import gettext_noop as _

MONTHS = (
    _("January"), _("February"), _("March"), _("April"), _("May"), _("June"),
    _("July"), _("August"), _("September"), _("October"), _("November"), _("December"),
)  # fmt: skip
WEEKDAYS = (
    _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"),
    _("Sunday"),
)  # fmt: skip

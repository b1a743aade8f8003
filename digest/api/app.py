"""Assemble the API from its routers."""

from digest.api import desk, editions, stories
from subscribers.api import newsletters, readers, subscriptions
from subscribers.api.base import DaybreakAPI

DESCRIPTION = """\
Sign readers up, read what was published, push stories, and create and send editions.

Public operations need no token. All others need a token (`Authorization: Bearer …`) with the
scope that the operation names; tokens are made in the admin. Errors are problem details
(RFC 9457). Lists are read page by page: send `next_after` as `after`, or follow the header `Link`.
"""

api = DaybreakAPI(description=DESCRIPTION)
for router in (
    newsletters.router,
    subscriptions.router,
    editions.router,
    stories.router,
    desk.router,
    readers.router,
):
    api.add_router("/v1", router)

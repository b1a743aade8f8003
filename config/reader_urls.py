"""The URLs of the pages that readers see; links in mails are made from them.

They have their own module because a worker that makes links needs neither the admin nor the API:
importing those takes a fifth of its memory.
"""

from django.urls import include, path

urlpatterns = [
    path("", include("subscribers.urls")),
    path("", include("digest.urls")),
]

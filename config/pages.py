"""The URLs that readers see; links in mails are made by these.

They are apart because a worker that makes links needs neither the admin nor the API: reading those
in takes a fifth of its memory.
"""

from django.urls import include, path

urlpatterns = [
    path("", include("subscribers.urls")),
    path("", include("digest.urls")),
]

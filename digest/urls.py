"""URLs of the digest's public pages."""

from django.urls import path

from digest.views import archive, hubs

urlpatterns = [
    path("editions/<uuid:public_id>/", archive.edition, name="edition"),
    path("hubs/<str:token>/", hubs.callback, name="hub_callback"),
    path("stories/<int:story_id>/", archive.story, name="story"),
]

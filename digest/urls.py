"""URLs of the digest's public pages."""

from django.urls import path

from digest.views import archive

urlpatterns = [
    path("editions/<uuid:public_id>/", archive.edition, name="edition"),
    path("stories/<int:story_id>/", archive.story, name="story"),
]

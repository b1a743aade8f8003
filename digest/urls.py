"""What the digest shows in public, and the API."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from digest.api.app import api
from digest.views import archive
from subscribers.api import explain

urlpatterns = [
    path("api/", RedirectView.as_view(pattern_name="api:openapi-view")),
    path("api/problems", explain.kinds, name="api-problems"),
    path("api/", api.urls),
    re_path(r"^api/", explain.unknown),
    path("editions/<uuid:public_id>/", archive.edition, name="edition"),
    path("stories/<int:story_id>/", archive.story, name="story"),
]

"""URLs of the API, of its description, and of the page that explains its problem types."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from digest.api.app import api
from subscribers.api import explain

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api:openapi-view")),
    path("problems", explain.problem_types, name="api-problems"),
    path("", api.urls),
    re_path(r"^", explain.not_found),
]

"""Every URL that Daybreak answers."""

from django.contrib import admin
from django.urls import include, path
from django.views.defaults import server_error

from config.forbidden import answer as answer_refused
from subscribers.plumbing.content_security import FAILURE_PAGE, with_policy

# The admin loads here and not when Django starts: see config.lazy_admin.
admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("mailbox/", include("config.devserver.mailbox")),
    path("", include("config.reader_urls")),
    path("api/", include("digest.api.urls")),
]

handler403 = answer_refused
# This page has its styles in it: what broke the page that was asked for may break a file, too.
handler500 = with_policy(FAILURE_PAGE)(server_error)

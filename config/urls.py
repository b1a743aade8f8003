"""Every URL that Daybreak answers."""

from django.contrib import admin
from django.urls import include, path

# The admin loads here and not when Django starts: see config.lazy_admin.
admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("mailbox/", include("config.devserver.mailbox")),
    path("", include("config.reader_urls")),
    path("api/", include("digest.api.urls")),
]

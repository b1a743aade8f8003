"""What the digest shows in public."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

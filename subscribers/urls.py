"""Map the URLs of the readers' pages and of embedded forms."""

from django.urls import path, re_path

from subscribers import views

urlpatterns = [
    path("", views.home, name="home"),
    path("embed.js", views.embed.script, {"name": "embed.js"}, name="embed-script"),
    path("embed/solve.js", views.embed.script, {"name": "solve.js"}, name="embed-solver"),
    path("embed/frames.js", views.embed.script, {"name": "embed-frames.js"}, name="embed-frames"),
    path("embed/<slug:slug>/", views.embed.sign_up, name="embed"),
    path("embed/<slug:slug>/form.json", views.embed.form, name="embed-form"),
    path("embed/<slug:slug>/opened.json", views.embed.form_token, name="embed-form-token"),
    path("embed/<slug:slug>/frame/", views.embed.frame, name="embed-frame"),
    path("newsletters/<slug:slug>/", views.newsletter_page, name="newsletter"),
    path("newsletters/<slug:slug>/check-your-inbox/", views.signup_done, name="signup-done"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    # No slash at the end: a one-click POST must not be redirected (RFC 8058, section 3.1).
    path("u/<str:token>", views.unsubscribe_page, name="unsubscribe"),
    path("u/<str:token>/why/", views.give_reason, name="unsubscribe-reason"),
    path("u/<str:token>/back/", views.resubscribe, name="resubscribe"),
    # A link with something more or less at its end; `unsubscribe` is the name of the whole ones.
    re_path(r"^u/(?P<token>(?s:.*))$", views.unsubscribe_page, name="unsubscribe-broken"),
    path("preferences/", views.lost_link, name="lost-link"),
    path("preferences/sent/", views.lost_link_sent, name="lost-link-sent"),
    path("preferences/<str:token>/", views.preferences_page, name="preferences"),
    path("preferences/<str:token>/data/", views.data_export.request_link, name="data-request"),
    path("data/<str:token>/", views.data_export.show, name="data-export"),
    path("data/<str:token>/data.json", views.data_export.download, name="data-export-download"),
    path("data/<str:token>/erase/", views.erase_me, name="erase-me"),
    path("address/<str:token>/", views.confirm_address_change, name="address-change"),
]

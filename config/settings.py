"""Every setting, read from the environment; `.env.example` documents each variable."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy

from config.devserver import local
from config.environment import Environment, host_of
from config.paths import ROOT, VAR
from subscribers.mail.relays import RelayError, parse_rates, parse_relays

BASE_DIR = ROOT
env = Environment()

# --- Core ---------------------------------------------------------------------------------------
# A deployment that forgets a variable must not start with DEBUG. So only manage.py turns DEBUG on,
# and only if nothing is configured. A worker started by hand beside `make run` has DEBUG on, too.
DEBUG = env.bool("DEBUG", default=local.is_running() and not local.is_configured())
# Without DEBUG an empty key stops Django itself; config.checks names every other unsafe default.
SECRET_KEY: str = env("SECRET_KEY", default="") or ("only-for-development" if DEBUG else "")
# Earlier keys: links signed with one of them stay valid.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys for the hashes of erased readers' addresses. New hashes use the first key; old ones may use
# any. Empty: the keys above. The hashes of a SECRET_KEY that is removed from both settings
# are then lost.
ERASURE_KEYS: list[str] = env.list("ERASURE_KEYS", default=[])
SITE_URL = (env("SITE_URL", default="") or local.site_url()).rstrip("/")
_site_host = host_of(SITE_URL, name="SITE_URL")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_site_host, "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "config.login.stale_form.answer"

# Templates and static files of the API's pages. ninja is not an installed app, because each worker
# would import it, which takes 15 MB.
NINJA = Path(find_spec("ninja").origin).parent  # type: ignore[arg-type,union-attr]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # its own one would load the admin everywhere
    "config.lazy_admin.LazyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "config",
    "digest",
    "subscribers",
]

MIDDLEWARE = [
    "config.http_middleware.HttpMiddleware",
    # These three set headers of every answer, whoever below makes it.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "subscribers.plumbing.content_security.ContentSecurityMiddleware",
    "config.health.middleware.HealthMiddleware",
    "subscribers.api.middleware.ApiMiddleware",  # it also formats what those below refuse
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "subscribers.i18n.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.login.middleware.SecondFactorMiddleware",  # whoever asks for the user stands below
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",  # it answers a log-in that the throttle refused
]

ROOT_URLCONF = "config.urls"
# The URLs that links in mails lead to.
READER_URLCONF = "config.reader_urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Log-in -------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # it lets nobody in, but keeps those out who guess
    "django.contrib.auth.backends.ModelBackend",
]
# How many wrong passwords are too many is decided in config.login.throttle, which says why.
AXES_HANDLER = "config.login.throttle.LoginThrottle"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address", "username"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Who is kept out cannot prolong that, so nobody can keep an editor out for long.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "config.login.throttle.counted_name"
AXES_CLIENT_IP_CALLABLE = "config.login.throttle.client_address"
AXES_CLIENT_STR_CALLABLE = "config.login.throttle.name_in_log"
AXES_LOCKOUT_CALLABLE = "config.login.views.locked_page"
AXES_ENABLE_ADMIN = False
# The name under which an authenticator app lists the account.
OTP_TOTP_ISSUER = f"Daybreak {_site_host}".strip()

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Time and language --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Languages of the pages and mails for readers; the admin and the commands are in English. Each has
# a catalogue in config/locale and formats in config/formats. docs/languages.md says how to add one.
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("fr", "French"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("ar", "Arabic"),
    ("ja", "Japanese"),
]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
# The cookie holds the language that a reader chose on a page, and nothing else.
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 31_536_000
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Database and Redis -------------------------------------------------------------------------
# If none is configured, embedded ones in var/ are used. PostgreSQL is the only database: the ledger
# needs SKIP LOCKED and partial indexes.
_database = (
    env.db_url("DATABASE_URL") if os.environ.get("DATABASE_URL") else local.database_settings()
)
DATABASES = {"default": {**_database, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
REDIS_URL = env("REDIS_URL", default="") or local.redis_url()
CACHES = {
    "default": {
        "BACKEND": "subscribers.plumbing.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "daybreak",
    }
}

# --- Celery: beat and workers -------------------------------------------------------------------
CELERY_BROKER_URL = local.celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "visibility_timeout": 3600,
    # Enqueueing without a broker fails immediately (subscribers.plumbing.queue), not after the 6 s
    # of kombu. Workers have their own limit (broker_connection_max_retries).
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.1,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    # Other people's servers may be slow at any time; no other task waits for them.
    "subscribers.tasks.send_webhooks": {"queue": "feeds"},
    # An import runs in turns of some seconds, between these tasks.
    "subscribers.tasks.run_import": {"queue": "feeds"},
    "digest.tasks.fetch_feed": {"queue": "feeds"},
    "digest.tasks.ask_hub": {"queue": "feeds"},
    "digest.tasks.group_stories": {"queue": "feeds"},
    "digest.tasks.look_at_link": {"queue": "feeds"},
    # Confirmation mail has its own queue, so that it never waits for a million digests.
    "subscribers.tasks.housekeeping": {"queue": "default"},
    "subscribers.tasks.*": {"queue": "mail"},
    "digest.tasks.send_lane": {"queue": "delivery"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
# Every task ends much earlier. One that does not is stuck in somebody's input: its process is
# killed and replaced, and the database says what is still to do.
CELERY_TASK_TIME_LIMIT = 1800
# The schedule is kept in memory: the database says what is due, so no file is needed.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
# A tick that has waited almost its interval expires: the next one does its work.
CELERY_BEAT_SCHEDULE = {
    "digest": {"task": "digest.tasks.tick", "schedule": 30, "options": {"expires": 25}},
    "subscribers": {"task": "subscribers.tasks.tick", "schedule": 30, "options": {"expires": 25}},
}

# --- Mail ---------------------------------------------------------------------------------------
try:
    EMAIL_RELAYS = parse_relays(env.list("EMAIL_RELAYS", default=[]) or [local.mailbox_relay_url()])
except RelayError as error:
    raise ImproperlyConfigured(f"EMAIL_RELAYS: {error}") from error
MAIL_DOMAIN = env("MAIL_DOMAIN", default="") or ("daybreak.localhost" if DEBUG else "")
POSTAL_ADDRESS = env("POSTAL_ADDRESS", default="") or (
    "Daybreak, 1 Example Street, Exampleton" if DEBUG else ""
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = f"Daybreak <daybreak@{MAIL_DOMAIN}>"
# Confirmation and staff mail goes over the first relay that can be reached.
EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
EMAIL_TIMEOUT = 15
# Messages per second to the readers at one domain, over all relays and hosts; `*` stands for each
# domain that is not named. A domain without a rate is slowed down only once it refuses.
try:
    DOMAIN_RATES = parse_rates(env.list("DOMAIN_RATES", default=[]))
except RelayError as error:
    raise ImproperlyConfigured(f"DOMAIN_RATES: {error}") from error
# If a crash lost a window's outcome: true sends it again under the same Message-ID, false holds it.
RESEND_UNCERTAIN = env.bool("RESEND_UNCERTAIN", default=True)
# Lanes run under SCHED_BATCH, so that they interrupt no other process on their host.
LANE_SCHED_BATCH = env.bool("LANE_SCHED_BATCH", default=True)
# An edition is held for a person's approval if its readers are more than this many per cent more
# or fewer than usual; 0 never holds it.
AUDIENCE_GUARD_PERCENT = env.int("AUDIENCE_GUARD_PERCENT", default=30)
# How many extra editions (breaking news) one reader may get in 24 hours, over all newsletters.
EXTRA_EDITIONS_PER_DAY = env.int("EXTRA_EDITIONS_PER_DAY", default=2)

# --- Retention ----------------------------------------------------------------------------------
# Days after which data is purged (subscribers.privacy.retention); 0 keeps it permanently.
# IP address and User-Agent in a consent record. The rest of the record stays as long as the reader.
RETENTION_NETWORK_DAYS = env.int("RETENTION_NETWORK_DAYS", default=365)
# The whole reader, counted from when they left their last newsletter.
RETENTION_INACTIVE_DAYS = env.int("RETENTION_INACTIVE_DAYS", default=3 * 365)
# The files of imports, and the list of rows that were refused.
RETENTION_IMPORT_DAYS = env.int("RETENTION_IMPORT_DAYS", default=30)
# The log of webhooks, with the addresses in it.
RETENTION_WEBHOOK_DAYS = env.int("RETENTION_WEBHOOK_DAYS", default=30)

# --- Sign-up ------------------------------------------------------------------------------------
# Sign-ups in ten minutes:
# - from one network (a campus behind one address stays below the limit);
# - in all (sign-ups above the limit wait their turn).
SIGNUP_LIMIT_NETWORK = env.int("SIGNUP_LIMIT_NETWORK", default=60)
SIGNUP_LIMIT = env.int("SIGNUP_LIMIT", default=1_000)
# When each reader's browser does a proof of work: "auto" (a limit is near), "always" or "never".
SIGNUP_CHALLENGE = env("SIGNUP_CHALLENGE", default="auto")
# What happens to disposable addresses, to role accounts (info@, sales@) and to domains that mix two
# scripts, perhaps to look like another domain: "allow", "warn" (the reader is asked, and may
# confirm) or "refuse".
SIGNUP_DISPOSABLE = env("SIGNUP_DISPOSABLE", default="warn")
SIGNUP_ROLE_ACCOUNTS = env("SIGNUP_ROLE_ACCOUNTS", default="warn")
SIGNUP_MIXED_SCRIPTS = env("SIGNUP_MIXED_SCRIPTS", default="refuse")
# A reader who does not confirm is reminded once, after REMINDER_HOURS (0: never). The sign-up
# is deleted after PENDING_DAYS.
REMINDER_HOURS = env.int("REMINDER_HOURS", default=24)
PENDING_DAYS = env.int("PENDING_DAYS", default=7)

# --- Feeds --------------------------------------------------------------------------------------
# Hosts from which feeds may be fetched although their address is private.
FETCH_ALLOW_HOSTS = env.list("FETCH_ALLOW_HOSTS", default=[])

# --- Events -------------------------------------------------------------------------------------
# The factory of the embedding by which reports in several languages, or in other words, find each
# other, such as digest.ranking.embedding.nano_e5. Empty: words alone decide.
EVENT_EMBEDDING = env("EVENT_EMBEDDING", default="")
if EVENT_EMBEDDING:
    # Without it nobody has to run a worker of this queue, and /readyz expects none.
    CELERY_TASK_ROUTES["digest.tasks.embed_titles"] = {"queue": "vectors"}

# --- API and webhooks ---------------------------------------------------------------------------
# Requests per minute: with one token, and from one network without a token.
API_TOKEN_RATE = env.int("API_TOKEN_RATE", default=600)
API_PUBLIC_RATE = env.int("API_PUBLIC_RATE", default=120)
# Hosts to which webhooks may be sent although their address is private, also without https.
WEBHOOK_ALLOW_HOSTS = env.list("WEBHOOK_ALLOW_HOSTS", default=[])

# --- Files --------------------------------------------------------------------------------------
# Lists of readers to be imported. No URL serves them; web servers and workers must both see them.
MEDIA_ROOT = env("FILES_DIR", default="") or str(VAR / "files")
# An edition's form has a dozen fields for each story.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "subscribers.plumbing.uploads.DiskUploadHandler",
]
# The largest list that is accepted, by its unpacked size.
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_MB", default=4096) * 1024**2

# --- Pages and static files ---------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", NINJA / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

# --- Security -----------------------------------------------------------------------------------
_https = SITE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SECURE_SSL_REDIRECT = _https and not DEBUG
# A load balancer asks over plain http (config.health.middleware).
SECURE_REDIRECT_EXEMPT = [r"(^|/)(healthz|readyz(/web)?)$"]
# For how long browsers insist on https here. Names below the site's host may belong to others, and
# a browser's preload list cannot be left within months, so both are an operator's decision.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) * (_https and not DEBUG)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"  # like frame-ancestors in subscribers.plumbing.content_security
# They ask for includeSubDomains and for preload.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# --- Admin --------------------------------------------------------------------------------------
LOGIN_REDIRECT_URL = "admin:index"
# As in pyproject.toml, which is not part of the image, and at the top of CHANGELOG.md.
VERSION = "0.1.0"
UNFOLD = {
    "SITE_TITLE": "Daybreak",
    "SITE_HEADER": "Daybreak",
    "SITE_SUBHEADER": f"Version {VERSION}",
    "SITE_SYMBOL": "wb_twilight",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}
    ],
    "SHOW_HISTORY": True,
    "ENVIRONMENT": "digest.admin.navigation.environment",
    "DASHBOARD_CALLBACK": "digest.admin.dashboard.dashboard",
    "ACCOUNT": {
        "navigation": [
            {"title": "Authenticator app", "link": reverse_lazy("admin:authenticator")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {"navigation": "digest.admin.navigation.navigation"},
    # The colours are in a file. Those named here unfold would write into a style element.
    "COLORS": lambda request: {},
    "STYLES": [lambda request: static("admin-theme.css")],
    "SCRIPTS": [lambda request: static("admin-theme.js")],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"clients": {"()": "config.http_middleware.ClientFaults"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["clients"],
        }
    },
    # Only the root logger has a handler; Celery replaces it, so each process writes a line once.
    "root": {"handlers": ["console"], "level": "WARNING"},
    # Django's default is silent without DEBUG: the cause of an error 500 would be logged nowhere.
    "loggers": {
        "django": {"level": "INFO" if DEBUG else "ERROR"},
        "digest": {"level": "INFO"},
        "subscribers": {"level": "INFO"},
    },
}

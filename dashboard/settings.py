"""Every setting, in one file. Values come from typed readers that fail loudly."""

import sys
from pathlib import Path

from dashboard import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = env.folder("STILLWATCH_VAR", BASE_DIR / "var")
TESTING = "pytest" in sys.modules

# --- Where it runs -----------------------------------------------------------
DEMO = env.flag("STILLWATCH_DEMO", default=False)
DEBUG = env.flag("STILLWATCH_DEBUG", default=False)
SECRET_KEY = env.secret("STILLWATCH_SECRET_KEY")
# Keys it has replaced: what they signed or locked can still be read.
SECRET_KEY_FALLBACKS = env.words("STILLWATCH_SECRET_KEY_FALLBACKS")
# Keys every stored hash of an address, a prompt or an answer. Changing it makes
# old and new hashes strangers to each other.
HASH_KEY = env.secret("STILLWATCH_HASH_KEY")
BASE_URL = env.url(
    "STILLWATCH_BASE_URL", "http://127.0.0.1:8000", schemes={"http", "https"}
).rstrip("/")
ALLOWED_HOSTS = [
    *env.words("STILLWATCH_HOSTS", "127.0.0.1,localhost,[::1]"),
    env.host_of(BASE_URL),
]
SECURE = BASE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
BEHIND_PROXY = env.flag("STILLWATCH_BEHIND_PROXY", default=False)
# How many proxies of ours add an address to X-Forwarded-For: the client's is the one
# that the first of them saw. 0 believes nobody but the socket.
PROXY_COUNT = env.integer(
    "STILLWATCH_PROXY_COUNT", 1 if BEHIND_PROXY else 0, at_least=0, at_most=10
)

INSTALLED_APPS = [
    "dashboard.apps.DashboardConfig",
    "investigations.apps.InvestigationsConfig",
    "investigations.detection.apps.DetectionConfig",
    "ingest.apps.IngestConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pghistory",
    "pgtrigger",
    "rest_framework",
]

MIDDLEWARE = [
    "dashboard.middleware.RequestIds",
    "dashboard.middleware.Headers",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "dashboard.middleware.PlainRequests",
    "dashboard.middleware.SessionLimits",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.LoginRequired",
    "dashboard.middleware.DomainErrors",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.context.frame",
            ],
        },
    }
]

# --- Where things are kept ---------------------------------------------------
DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Rate limits and lock-outs must be seen by every web process alike.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "dashboard_cache",
        # The default of 300 would let a guesser push lock-outs out by making more.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Background work ---------------------------------------------------------
BROKER_URL = env.url(
    "BROKER_URL",
    "filesystem://",
    schemes={"filesystem", "redis", "rediss", "unix", "redis+socket", "memory"},
)

# --- Language and time -------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Files the browser loads -------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
# Empty until collectstatic has run; WhiteNoise warns where it is absent.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TESTING or DEBUG

# --- Who may come in ---------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation"
        ".UserAttributeSimilarityValidator"
    },
]
if TESTING:
    # The real one is slow by design, and tests make many people.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "dashboard.sign_in.StaffSignIn"
ACCOUNT_FORMS = {"login": "dashboard.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = True
# The session ends with the browser; nobody is asked.
ACCOUNT_SESSION_REMEMBER = False
# Lock-out: five wrong passwords for one name, or ten from one address.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip,5/5m/key"}
# The pages where people look after their own sign-in ask for it again after this.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Stillwatch"
# Passkeys need a secure origin; the browser takes localhost for one.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO or DEBUG

SESSION_COOKIE_NAME = "__Host-session" if SECURE else "stillwatch_session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "stillwatch_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Signed in for twelve hours at most, and for thirty minutes without a request. The
# demo's people come in by links that work once, so only the twelve hours end theirs.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_SECONDS = SESSION_COOKIE_AGE if DEMO else 30 * 60
SECURE_SSL_REDIRECT = SECURE
# A load balancer asks over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# Whose address the sign-in limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_COUNT
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Where decisions may go --------------------------------------------------
# Hosts at private addresses that the webhook may reach all the same, because the
# platform itself runs inside; all other private addresses are refused (a forged name
# could reach what is not ours). Public hosts need no entry.
WEBHOOK_PRIVATE_HOSTS = env.words("STILLWATCH_WEBHOOK_PRIVATE_HOSTS")

# --- The edge for machines ---------------------------------------------------
# promises.md 24-27: what one request may cost us, before and after unpacking.
INGEST_MAX_BODY_BYTES = 10 * 1024 * 1024
INGEST_MAX_UNPACKED_BYTES = 100 * 1024 * 1024
# How slowly a body may come: seconds to begin with, and bytes a second after that.
INGEST_BODY_GRACE = env.integer(
    "STILLWATCH_BODY_GRACE_SECONDS", 10, at_least=1, at_most=300
)
INGEST_BODY_PACE = 32 * 1024
# A JSON array is read as a whole; lines are read as they come.
INGEST_MAX_ARRAY_BYTES = 32 * 1024 * 1024
INGEST_MAX_LINE_BYTES = 1024 * 1024
INGEST_MAX_LINES = 100_000
# How long a worker may take over a claimed batch before others may take it: what a
# dead worker had claimed waits so long. Storing takes about a second.
INGEST_LEASE_SECONDS = env.integer(
    "STILLWATCH_INGEST_LEASE_SECONDS", 30, at_least=5, at_most=3600
)
# What a worker spends on some batches, in seconds, besides the time for their size,
# before it gives up on itself: see ingest/drain/watchdog.py.
INGEST_STORING_SECONDS = env.integer(
    "STILLWATCH_INGEST_STORING_SECONDS", 30, at_least=1, at_most=3600
)
# Refused requests are added up and written at most this often, in seconds. Tests look
# at once.
INGEST_REFUSALS_PAUSE = 0.0 if TESTING else 1.0
# What one key may send where it has no limit of its own, by UTC minute and day; 0 is
# no limit. A minute's default is twice what one machine can take in, so that nobody
# piles up for others to wait behind what could not be stored anyway.
INGEST_ROWS_PER_MINUTE = env.integer(
    "STILLWATCH_KEY_ROWS_PER_MINUTE", 6_000_000, at_least=0, at_most=10**15
)
INGEST_ROWS_PER_DAY = env.integer(
    "STILLWATCH_KEY_ROWS_PER_DAY", 0, at_least=0, at_most=10**15
)
INGEST_BYTES_PER_MINUTE = env.integer(
    "STILLWATCH_KEY_BYTES_PER_MINUTE", 6 * 1024**3, at_least=0, at_most=10**15
)
INGEST_BYTES_PER_DAY = env.integer(
    "STILLWATCH_KEY_BYTES_PER_DAY", 0, at_least=0, at_most=10**15
)
# Which attribute of a span, or member of LiteLLM's payload, names the account: the
# first that is there. See docs/contract/otlp.md and litellm.md.
INGEST_OTLP_ACCOUNT_ATTRIBUTES = env.words(
    "STILLWATCH_OTLP_ACCOUNT_ATTRIBUTES", "stillwatch.account_id,enduser.id,user.id"
)
INGEST_LITELLM_ACCOUNT_MEMBERS = env.words(
    "STILLWATCH_LITELLM_ACCOUNT_MEMBERS",
    "end_user,metadata.user_api_key_end_user_id,metadata.user_api_key_user_id,"
    "metadata.user_api_key_hash",
)
# --- Where addresses lie -----------------------------------------------------
# Tables of address → country and address → autonomous system: .mmdb, .csv, .tsv, also
# .gz. Without one, what the sender does not tell stays unknown. docs/networks.md names
# free ones.
GEO_TABLE = env.file("STILLWATCH_GEO_TABLE")
ASN_TABLE = env.file("STILLWATCH_ASN_TABLE")
# A folder whose files replace those of ingest/records/lists/ that have the same name.
LISTS = env.file("STILLWATCH_LISTS")

# --- How long facts are kept -------------------------------------------------
# In days; 396 are 13 months. A legal hold wins over each. See docs/retention.md.
RETENTION_EVENTS_DAYS = env.integer(
    "STILLWATCH_RETENTION_EVENTS_DAYS", 396, at_least=1, at_most=3650
)
# Redacted excerpts of a few prompts; 0 keeps none.
RETENTION_EXCERPTS_DAYS = env.integer(
    "STILLWATCH_RETENTION_EXCERPTS_DAYS", 30, at_least=0, at_most=3650
)
RETENTION_QUARANTINE_DAYS = env.integer(
    "STILLWATCH_RETENTION_QUARANTINE_DAYS", 30, at_least=1, at_most=3650
)
RETENTION_ANSWERS_DAYS = env.integer(
    "STILLWATCH_RETENTION_ANSWERS_DAYS", 30, at_least=1, at_most=3650
)
RETENTION_ROLLUPS_DAYS = env.integer(
    "STILLWATCH_RETENTION_ROLLUPS_DAYS", 396, at_least=1, at_most=3650
)
RETENTION_HISTORY_DAYS = env.integer(
    "STILLWATCH_RETENTION_HISTORY_DAYS", 396, at_least=1, at_most=3650
)
RETENTION_KEY_LOG_DAYS = env.integer(
    "STILLWATCH_RETENTION_KEY_LOG_DAYS", 396, at_least=1, at_most=3650
)

# --- Django's edges ----------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = INGEST_MAX_BODY_BYTES + 1

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dashboard.api.authentication.ReadKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["dashboard.api.permissions.MayRead"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dashboard.api.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stillwatch",
    "DESCRIPTION": "Telemetry in, findings out. Decisions leave as signed webhooks "
    "(Standard Webhooks), which the platform receives.",
    "TAGS": [
        {"name": "telemetry", "description": "What a provider's gateway sends."},
        {"name": "findings", "description": "What Stillwatch found. Read only."},
        {"name": "health", "description": "For load balancers and alarms."},
    ],
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["dashboard.api.permissions.MayRead"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Band": "investigations.detection.models.Band",
        "Verdict": "investigations.detection.models.Cluster.Verdict",
        "AccountStatus": "ingest.models.Account.Status",
    },
    # Telemetry needs a key with another scope than findings do.
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "ingestKey": {
                "type": "http",
                "scheme": "bearer",
                "description": "A machine key with the scope `ingest:write`.",
            }
        }
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dashboard.api.schema.add_problems",
    ],
}

# --- What we say of ourselves ------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}

"""The door for a web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_wsgi_application()

# Only now are the settings loaded that the checks read.
from django.urls import get_resolver  # noqa: E402

from dashboard import garbage  # noqa: E402
from dashboard.checks import refuse_unsound_database  # noqa: E402

refuse_unsound_database()
# All pages are loaded before the first is asked for, and count as what stays.
get_resolver().url_patterns  # noqa: B018
garbage.spare_what_stays()

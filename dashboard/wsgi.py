"""The door for a web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

application = get_wsgi_application()

# Only now are the settings loaded that the checks read.
from dashboard.checks import refuse_unsound_database  # noqa: E402

refuse_unsound_database()

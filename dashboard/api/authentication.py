"""Machines that read: the same keys as ingest, with the `read` scope."""

from rest_framework.authentication import BaseAuthentication


class ReadKeyAuthentication(BaseAuthentication):
    """Filled in with the API."""

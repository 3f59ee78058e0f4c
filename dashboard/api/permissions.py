from rest_framework.permissions import IsAuthenticated


class MayRead(IsAuthenticated):
    """Filled in with the API."""

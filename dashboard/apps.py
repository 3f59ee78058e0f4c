from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Pages"

    def ready(self) -> None:
        # System checks, and what the API's schema says of keys, register themselves
        # when imported.
        from dashboard import checks  # noqa: F401
        from dashboard.api import schema  # noqa: F401

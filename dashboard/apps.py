from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Pages"

    def ready(self) -> None:
        # System checks register themselves when imported.
        from dashboard import checks  # noqa: F401

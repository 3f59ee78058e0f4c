"""/indicators/: values that accounts share, above all those that very many do."""

from django.urls import path, register_converter

from dashboard.views import indicators


class ValueNumber:
    """The number behind a # on the pages: a primary key, and no longer than one."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(ValueNumber, "value")

app_name = "indicators"
urlpatterns = [
    path("", indicators.indicators, name="list"),
    path("<value:pk>/", indicators.detail, name="detail"),
    path("<value:pk>/reveal/", indicators.reveal, name="reveal"),
]

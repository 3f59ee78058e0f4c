from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "investigations.detection"
    label = "detection"
    verbose_name = "Claims"

"""The bands that scores fall into."""

from django.db import models


class Band(models.TextChoices):
    ACTION = "action", "propose action"  # 90 and above
    REVIEW = "review", "review"  # 70-89
    WATCH = "watch", "watch"  # 40-69
    NONE = "none", "none"  # below 40

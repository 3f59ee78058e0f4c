import os

SECRET_KEY = os.environ["STILLWATCH_SECRET_KEY"]
USE_TZ = True

import os

import redis
from django.conf import settings

QUEUE = "jobs"
queue = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
# Who this is: the component says the color, the image the version.
SELF = {"color": os.environ.get("COLOR", "none"), "version": os.environ.get("VERSION", "dev")}


def log_of(job):
    """Who has done the job: a list, since one that is done twice is to be seen."""
    return f"done:{job}"

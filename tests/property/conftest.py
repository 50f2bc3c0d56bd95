"""One profile for all properties: how long an example takes tells of the machine, not of the code."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

"""One profile for all properties: the time an example takes tells of the machine, not the code."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")

"""Property tests judge figures, not the speed of the machine that they happen to run on."""

from hypothesis import settings

settings.register_profile("figures", deadline=None)
settings.load_profile("figures")

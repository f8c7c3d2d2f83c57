"""Property tests judge figures, not the speed of the machine that they happen to run on."""

import os

from hypothesis import Phase, settings

settings.register_profile("figures", deadline=None)
# `make mutants`: the same examples every time, and no search for the smallest one that tells a mutant.
settings.register_profile("mutants", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "figures")

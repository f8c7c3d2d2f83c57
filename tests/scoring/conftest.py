"""Property tests judge figures, not the speed of the machine that they happen to run on."""

import os

from hypothesis import Phase, settings

settings.register_profile("figures", deadline=None)
# `make mutants`: the same examples every time; the first that tells a mutant is enough, be it large or not the only.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("mutants" if "MUTANT_UNDER_TEST" in os.environ else "figures")

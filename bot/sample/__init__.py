"""The sample city: believable, made up, and the same again from the same seed."""

from bot.sample.directory import People, SamplePerson, people_in
from bot.sample.filling import LINES_PER_MEMBER, NotEmpty, Sample, fill, people
from bot.sample.standing import OpenActivity, keep_open

__all__ = [
    "LINES_PER_MEMBER",
    "NotEmpty",
    "OpenActivity",
    "People",
    "Sample",
    "SamplePerson",
    "fill",
    "keep_open",
    "people",
    "people_in",
]

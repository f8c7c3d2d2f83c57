"""The loop of the service, and what Python does not look through while it runs."""

from __future__ import annotations

import gc

import pytest

from bot import event_loop


@pytest.fixture(autouse=True)
def collector():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_is_not_searched_for_garbage_and_what_comes_later_is():
    loaded = [[]]

    async def main():
        later = [[]]
        return len(gc.get_objects()), any(one is later for one in gc.get_objects())

    objects, searched = event_loop.run(main())
    assert gc.get_freeze_count() > 10_000 > objects
    assert searched
    assert not any(one is loaded for one in gc.get_objects())

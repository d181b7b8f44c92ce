"""Which records were met before, told exactly and in little room."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as any_of

from connectcard.planning_center.seen import SeenIds

ids = (
    any_of.integers(0, 3000).map(str)
    | any_of.integers(0, 10**19).map(str)
    | any_of.sampled_from(["unique", "", "007", "7", "0", "00", "٣"])
)


@given(any_of.lists(ids, max_size=400))
def test_an_id_is_new_once(met: list[str]) -> None:
    seen, known = SeenIds(), set()
    for remote_id in met:
        assert seen.add(remote_id) is (remote_id not in known)
        known.add(remote_id)
    assert len(seen) == len(known)


def test_the_ids_of_a_large_church_take_a_few_megabytes() -> None:
    tracemalloc.start()
    seen = SeenIds()
    new = sum(seen.add(str(number)) for number in range(40_000_000, 60_000_000, 200))
    used, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert new == len(seen) == 100_000
    assert used < 2.5e6
    assert most < 6e6, "while it grows both arrays are there"

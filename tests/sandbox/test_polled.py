import shutil
import subprocess

import anyio
import pytest

from sandbox.polled import PolledTree, find_family, read_table

LISTING = """
    1     0     1   100 Ss
   10     1    10   200 S
   11    10    10   300 R+
   12    10    12   400 S
   13    12    13   500 Z
   20     1    20   600 S
"""


def test_a_listing_is_read_without_the_dead():
    table = read_table(LISTING.strip("\n"))

    assert set(table) == {1, 10, 11, 12, 20}
    assert (table[11].parent, table[11].group, table[11].resident_bytes) == (10, 10, 300 * 1024)


@pytest.mark.parametrize(
    ("known", "group", "family"),
    [({10}, 10, {10, 11, 12}), ({20}, 20, {20}), ({12}, 10, {10, 11, 12}), ({99}, 99, set())],
)
def test_a_family_is_who_was_known_who_shares_the_group_and_who_descends(known, group, family):
    assert set(find_family(read_table(LISTING.strip("\n")), known, group)) == family


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
async def test_a_tree_is_counted_told_to_end_and_killed():
    words = ["sh", "-c", "sleep 300 & echo; wait"]
    process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE)  # noqa: ASYNC220
    process.stdout.readline()
    process.stdout.close()
    tree = PolledTree(process)
    tree.hold_child()
    with anyio.fail_after(20):
        assert len(tree.members()) == 2
        assert tree.memory_exceeds(1024)
        assert not tree.memory_exceeds(1024**3)
        await tree.terminate()
        code = await tree.destroy()

    assert code == -15
    assert not tree.members()

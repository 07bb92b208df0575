"""What a text states of arguments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.agreement.stated import Range, Stated, read_stated


@pytest.mark.parametrize(
    ("text", "name", "depth", "expected"),
    [
        ("1 <= n <= 10^5", "n", 0, Range(1, 10**5)),
        ("1 <= n, k <= 50", "k", 0, Range(1, 50)),
        ("-10^9 <= nums[i] <= 10^9", "nums", 1, Range(-(10**9), 10**9)),
        ("0 <= grid[i][j] < 2 * 10^4", "grid", 2, Range(0, 19_999)),
        ("0 < x <= 1,000", "x", 0, Range(1, 1000)),
        ("1 <= k <= nums.length", "k", 0, Range(1, None)),
        ("nums[i] is either 0 or 1.", "nums", 1, Range(0, 1)),
        ("1 <= n <= 10^9 + 7", "n", 0, Range(1, 10**9 + 7)),
    ],
)
def test_bounds_of_numbers_are_read(text, name, depth, expected):
    assert read_stated(f"Constraints:\n{text}\n")[name].values[depth] == expected


@pytest.mark.parametrize(
    ("text", "name", "depth", "expected"),
    [
        ("1 <= nums.length <= 100", "nums", 0, Range(1, 100)),
        ("2 <= len(s) <= 9", "s", 0, Range(2, 9)),
        ("1 <= |s| <= 9", "s", 0, Range(1, 9)),
        ("m == grid.length\n2 <= m <= 30", "grid", 0, Range(2, 30)),
        ("2 <= n == grid.length == grid[i].length <= 50", "grid", 1, Range(2, 50)),
        ("grid[i].length == 3", "grid", 1, Range(3, 3)),
    ],
)
def test_bounds_of_lengths_are_read(text, name, depth, expected):
    assert read_stated(f"Constraints:\n{text}\n")[name].lengths[depth] == expected


@pytest.mark.parametrize(
    ("text", "alphabet"),
    [
        ("s consists of lowercase English letters.", "abcdefghijklmnopqrstuvwxyz"),
        ("s consists only of digits.", "0123456789"),
        ("s[i] is either '0' or '1'.", "01"),
        ("s consists only of 'a' and 'b'.", "ab"),
    ],
)
def test_the_letters_of_a_text_are_read(text, alphabet):
    assert set(read_stated(text)["s"].alphabet) == set(alphabet)


def test_nothing_is_stated_of_a_name_that_the_text_does_not_bound():
    assert read_stated("Sort the list.").get("nums", Stated()) == Stated()


@pytest.mark.parametrize(
    "part", ["1", "a", " ", "1 <= ", "a[0]", "a.length == ", "1,", "s consists ", "<=", "-"]
)
def test_long_texts_are_read_to_their_end(part):
    assert read_stated(part * 100_000) is not None


@given(st.text(alphabet="0123456789^*<=≤ ,.;nk[]|\n-+'ais", max_size=300))
def test_no_text_breaks_the_reading(text):
    read_stated(text)

import errno
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.hostcalls import OWN_PID, Exposure, assemble_for_host
from tests.sandbox.bpf import run_filter

ALLOWED, REFUSED, MISSING = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {
        "write": 1,
        "socket": 41,
        "socketpair": 53,
        "connect": 42,
        "shmget": 29,
        "prlimit64": 302,
        "fchmodat": 268,
        "truncate": 76,
        "openat": 257,
        "kill": 62,
        "tkill": 200,
        "fcntl": 72,
        "setxattr": 188,
    },
    "aarch64": {
        "write": 64,
        "socket": 198,
        "socketpair": 199,
        "connect": 203,
        "shmget": 194,
        "prlimit64": 261,
        "fchmodat": 53,
        "truncate": 45,
        "openat": 56,
        "kill": 129,
        "tkill": 130,
        "fcntl": 25,
        "setxattr": 5,
    },
}
PRIVATE, SAME, OLD = Exposure(7, same_user=False), Exposure(7, same_user=True), Exposure(1, same_user=True)
OPENAT2 = 437


def decide(machine, exposure, call, *arguments):
    """Run the filter as the kernel would; arguments that are not given are 0."""
    number = CALLS[machine][call] if isinstance(call, str) else call
    given = {16 + 8 * at: value for at, value in enumerate(arguments)}
    data = defaultdict(int, {0: number, 4: MACHINES[machine], **given})
    return run_filter(assemble_for_host(machine, exposure), data)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("exposure", "call", "decision"),
    [
        (OLD, ("write", 1), ALLOWED),
        (PRIVATE, ("socket", 1, 1), REFUSED),
        (PRIVATE, ("connect", 3), REFUSED),
        (PRIVATE, ("socketpair", 1, 1 | 0o2000000), ALLOWED),
        (PRIVATE, ("socketpair", 1, 5), ALLOWED),
        (PRIVATE, ("socketpair", 1, 2), REFUSED),
        (PRIVATE, ("shmget", 1), REFUSED),
        (PRIVATE, ("setxattr",), REFUSED),
        (PRIVATE, ("prlimit64", 0), ALLOWED),
        (PRIVATE, ("prlimit64", OWN_PID), ALLOWED),
        (PRIVATE, ("prlimit64", 1), REFUSED),
        (PRIVATE, ("fchmodat",), ALLOWED),
        (SAME, ("fchmodat",), REFUSED),
        (SAME, ("truncate",), ALLOWED),
        (Exposure(1, same_user=False), ("truncate",), REFUSED),
        (OLD, ("openat", 0, 0, 0o1000), REFUSED),
        (OLD, ("openat", 0, 0, 0o1003), REFUSED),
        (OLD, ("openat", 0, 0, 0o1101), ALLOWED),
        (OLD, ("openat", 0, 0, 0o1102), ALLOWED),
        (OLD, ("openat", 0, 0, 0), ALLOWED),
        (OLD, (OPENAT2,), MISSING),
        (SAME, (OPENAT2,), ALLOWED),
        (SAME, ("kill", 1), ALLOWED),
        (Exposure(1, same_user=False), ("kill", 1), ALLOWED),
        (OLD, ("kill", 1), REFUSED),
        (OLD, ("kill", 0xFFFFFFFF), REFUSED),
        (OLD, ("kill", 0), ALLOWED),
        (OLD, ("kill", OWN_PID), ALLOWED),
        (OLD, ("tkill", 1), REFUSED),
        (OLD, ("fcntl", 0, 8), REFUSED),
        (OLD, ("fcntl", 0, 15), REFUSED),
        (OLD, ("fcntl", 0, 1), ALLOWED),
    ],
)
def test_a_call_is_decided_by_what_of_the_host_it_could_touch(machine, exposure, call, decision):
    assert decide(machine, exposure, *call) == decision


@given(
    st.sampled_from(sorted(MACHINES)),
    st.builds(Exposure, st.integers(1, 7), same_user=st.booleans()),
    st.integers(0, 500),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
def test_every_call_gets_a_decision_and_less_exposure_never_a_harder_one(machine, exposure, number, a, b):
    decision = decide(machine, exposure, number, a, b)

    assert decision in {ALLOWED, REFUSED, MISSING}
    if decision == ALLOWED:
        assert decide(machine, PRIVATE, number, a, b) == ALLOWED

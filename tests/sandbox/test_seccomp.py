import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.seccomp import assemble, write_profile
from tests.sandbox.bpf import run_filter

ALLOWED, KILLED, REFUSED = 0x7FFF0000, 0x80000000, 0x00050000
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SOCKET = {"x86_64": 41, "aarch64": 198}
CLONE = {"x86_64": 56, "aarch64": 220}
PTRACE = {"x86_64": 101, "aarch64": 117}
WRITE = {"x86_64": 1, "aarch64": 64}
machines = pytest.mark.parametrize("machine", MACHINES)


def decide(machine, number, argument=0, audit=None):
    """Run the filter as the kernel would."""
    return run_filter(assemble(machine), {0: number, 4: audit or MACHINES[machine], 16: argument})


@machines
def test_ordinary_calls_are_let_through(machine):
    assert decide(machine, WRITE[machine]) == ALLOWED


@machines
@pytest.mark.parametrize(
    ("family", "allowed"), [(1, True), (2, True), (10, True), (16, True), (40, False), (17, False)]
)
def test_sockets_are_let_through_by_family(machine, family, allowed):
    decision = decide(machine, SOCKET[machine], family)

    assert decision == (ALLOWED if allowed else REFUSED | errno.EAFNOSUPPORT)


@machines
def test_processes_and_threads_may_be_made_but_no_namespaces(machine):
    assert decide(machine, CLONE[machine], 0x01200011) == ALLOWED
    assert decide(machine, CLONE[machine], 0x10000000) == REFUSED | errno.EPERM
    assert decide(machine, 435) == REFUSED | errno.ENOSYS


@machines
def test_looking_into_other_processes_is_refused(machine):
    assert decide(machine, PTRACE[machine]) == REFUSED | errno.EPERM


@machines
def test_another_architecture_is_killed(machine):
    assert decide(machine, 1, audit=0x40000003) == KILLED


def test_the_second_numbering_of_x86_is_not_there():
    assert decide("x86_64", 0x40000000 | 101) == REFUSED | errno.ENOSYS


@given(st.sampled_from(sorted(MACHINES)), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_every_call_gets_a_decision(machine, number, argument):
    assert decide(machine, number, argument) in {ALLOWED} | {
        REFUSED | error for error in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)
    }


def test_a_processor_that_is_not_known_has_no_filter():
    assert assemble("riscv64") is None


def profile(machine):
    return json.loads(write_profile(machine))


@machines
def test_a_containers_profile_refuses_the_same_calls(machine):
    written = profile(machine)
    refused = {name for rule in written["syscalls"] if not rule["args"] for name in rule["names"]}

    assert written["defaultAction"] == "SCMP_ACT_ALLOW"
    assert {"ptrace", "process_vm_readv", "keyctl", "unshare", "mount", "io_uring_setup", "clone3"} <= refused
    assert not {"read", "clone", "socket", "execve"} & refused


@given(flags=st.integers(0, 2**32 - 1))
def test_a_containers_profile_refuses_every_namespace_that_the_filter_refuses(flags):
    masks = [rule["args"][0]["value"] for rule in profile("x86_64")["syscalls"] if rule["names"] == ["clone"]]

    refused = any(flags & mask for mask in masks)

    assert refused == (decide("x86_64", CLONE["x86_64"], flags) != ALLOWED)


@given(family=st.integers(0, 2**16))
def test_a_containers_profile_refuses_every_family_that_the_filter_refuses(family):
    compared = [rule["args"][0] for rule in profile("x86_64")["syscalls"] if rule["names"] == ["socket"]]
    holds = {"SCMP_CMP_EQ": lambda value: family == value, "SCMP_CMP_GT": lambda value: family > value}

    refused = any(holds[each["op"]](each["value"]) for each in compared)

    assert refused == (decide("x86_64", SOCKET["x86_64"], family) != ALLOWED)


def test_a_containers_profile_for_a_processor_not_known_names_no_architecture():
    assert profile("riscv64")["architectures"] == []

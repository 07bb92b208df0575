"""Mount a folder copy-on-write where nobody else sees it, and give way to the program that was named.

Runs as a child of its own, `python -I -S _overlay_child.py TREE PLACE BYTES OWNER COUNT PATHS... WORDS...`:
mounts of this kind need a process with a single thread. PLACE is an empty folder. In a mount namespace that
ends with the program, a file system in memory of so many BYTES is mounted there, and PLACE/merged shows TREE
without the COUNT PATHS; what is written goes to that memory. As root, OWNER is the id that all of TREE seems
to belong to.
"""
# Loading pathlib takes longer than everything else here.
# ruff: noqa: PTH102, PTH116, PTH123

import ctypes
import os
import struct
import sys

NEW_NAMESPACE_MOUNTS, NEW_NAMESPACE_USERS = 0x0002_0000, 0x1000_0000
NO_SET_UID, NO_DEVICES, RECURSIVE, PRIVATE = 0x2, 0x4, 0x4000, 0x4_0000
OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442
"""Numbers of system calls that are the same on every processor."""
HERE, EMPTY_PATH, CLONE, FROM_EMPTY_PATH = -100, 0x1000, 0x1, 0x4
ATTRIBUTE_READ_ONLY, ATTRIBUTE_MAPPED = 0x1, 0x10_0000

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *words: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: It failed.
    """
    result = int(getattr(libc, name)(*words))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def enter_namespaces(*, root: bool) -> None:
    """Leave the mounts of everybody else; who is not root becomes able to mount among users of its own."""
    user, group = os.geteuid(), os.getegid()
    call("unshare", NEW_NAMESPACE_MOUNTS if root else NEW_NAMESPACE_MOUNTS | NEW_NAMESPACE_USERS)
    if not root:
        write("/proc/self/setgroups", "deny")
        write_maps("self", (user, user), (group, group))
    call("mount", None, b"/", None, RECURSIVE | PRIVATE, None)


def write(path: str, content: str) -> None:
    """Write one setting of the kernel."""
    with open(path, "w", encoding="ascii") as file:
        file.write(content)


def write_maps(process: str, users: tuple[int, int], groups: tuple[int, int]) -> None:
    """Map one user and one group in a process's user namespace to one outside each."""
    write(f"/proc/{process}/uid_map", f"{users[0]} {users[1]} 1")
    write(f"/proc/{process}/gid_map", f"{groups[0]} {groups[1]} 1")


def open_mapping(owner: os.stat_result, to: int) -> int:
    """Return a user namespace in which what belongs to the owner belongs to another id.

    A namespace needs a process to be made; this one ends when the parent closes its pipe.
    """
    (waiting, parent), (ready, child) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(parent)
        if libc.unshare(NEW_NAMESPACE_USERS) == 0:
            os.write(child, b"1")
        os.close(child)
        os.read(waiting, 1)
        os._exit(0)
    os.close(child)
    try:
        if not os.read(ready, 1):
            raise PermissionError("unshare: no user namespace could be made")
        write_maps(str(pid), (owner.st_uid, to), (owner.st_gid, to))
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY)
    finally:
        os.close(parent)
        os.waitpid(pid, 0)


def open_read_only(tree: str, mapping: int | None) -> int:
    """Return a mount of the tree that nothing can be written through."""
    mount = call("syscall", OPEN_TREE, HERE, os.fsencode(tree), CLONE | os.O_CLOEXEC)
    attributes = ATTRIBUTE_READ_ONLY | NO_SET_UID | NO_DEVICES
    if mapping is not None:
        attributes |= ATTRIBUTE_MAPPED
    words = struct.pack("=4Q", attributes, 0, 0, mapping or 0)
    call("syscall", MOUNT_SETATTR, mount, b"", EMPTY_PATH, words, len(words))
    return mount


def mount_over(tree: str, place: str, size_bytes: str, owner: int) -> None:
    """Mount the tree copy-on-write.

    Raises:
        OSError: The kernel, the file system or the container does not permit it.
    """
    root = os.geteuid() == 0
    mapping = open_mapping(os.stat(tree), owner) if root else None
    enter_namespaces(root=root)
    lower = open_read_only(tree, mapping)
    size = f"size={size_bytes},mode=0755".encode()
    call("mount", b"tmpfs", os.fsencode(place), b"tmpfs", NO_SET_UID | NO_DEVICES, size)
    os.chdir(place)  # relative names need no escapes, and tell nothing to who reads the table of mounts
    for name in ("lower", "upper", "work", "merged"):
        os.mkdir(name, mode=0o755)
    os.setxattr("work", "trusted.sandbox" if root else "user.sandbox", b"")  # else emptied folders fill again
    if root:
        os.chown("upper", owner, owner)
    call("syscall", MOVE_MOUNT, lower, b"", HERE, b"lower", FROM_EMPTY_PATH)
    layers = b"lowerdir=lower,upperdir=upper,workdir=work,"
    options = layers + (b"redirect_dir=on" if root else b"userxattr")
    call("mount", b"overlay", b"merged", b"overlay", NO_SET_UID | NO_DEVICES, options)
    os.chdir("/")


def remove(folder: str, path: str) -> None:
    """Remove a file below a folder without following a link; that it is not there is fine."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    *folders, name = path.split("/")
    try:
        for each in folders:
            inner = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
            os.close(opened)
            opened = inner
        os.unlink(name, dir_fd=opened)
    except FileNotFoundError:
        pass
    finally:
        os.close(opened)


if __name__ == "__main__":
    first = 6 + int(sys.argv[5])
    try:
        mount_over(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
        for gone in sys.argv[6:first]:
            remove(f"{sys.argv[2]}/merged", gone)
    except OSError as error:
        sys.exit(f"copy-on-write: {error}")
    os.execvp(sys.argv[first], sys.argv[first:])  # noqa: S606 - no shell is wanted

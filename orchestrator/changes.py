"""Do to files what a reply says about them, by edits, patches and deletions: all of it or nothing. Pure."""

from collections.abc import Mapping, Sequence

from orchestrator.edits import MOST_PROBLEMS, Edited, apply_edits, find_file, parse_edits
from orchestrator.fitting import MOST_NEAREST, apply_hunks
from orchestrator.patches import Patch, parse_patches
from orchestrator.styles import plain, restyle
from validators.verdict import Diagnostic


def apply_changes(files: Mapping[str, str], reply: str) -> Edited | None:
    """Apply the edits and patches of a reply, in that order; nothing where it holds none.

    Returns:
        The files that are left, changed or not, and those that go. With any problem, the files as they were.
    """
    edits, patches = parse_edits(reply), parse_patches(reply)
    if not (edits or patches):
        return None
    edited = apply_edits(files, edits)
    patched = apply_patches(edited.files, patches)
    problems = (*edited.problems, *patched.problems)
    return Edited(files, problems) if problems else patched


def apply_patches(files: Mapping[str, str], patches: Sequence[Patch]) -> Edited:
    """Apply patches in order; one that does not fit is a problem, and the files stay as they were."""
    result = dict(files)
    removed: list[str] = []
    problems: list[Diagnostic] = []
    for patch in patches:
        problem = _apply(result, removed, patch, tells_nearest=len(problems) < MOST_NEAREST)
        problems += [problem] if problem else []
        if len(problems) == MOST_PROBLEMS:
            break
    if problems:
        return Edited(files, tuple(problems))
    return Edited(result, removed=tuple(path for path in dict.fromkeys(removed) if path not in result))


def _apply(
    files: dict[str, str], removed: list[str], patch: Patch, *, tells_nearest: bool
) -> Diagnostic | None:
    path = find_file(patch.path, "", files) if patch.path else ""
    if patch.is_new:
        return _make(files, patch)
    if path not in files:
        return _unknown(patch, files)
    changed = apply_hunks(path, plain(files[path]), patch.hunks, tells_nearest=tells_nearest)
    if isinstance(changed, Diagnostic):
        return changed
    if patch.is_removal:
        if patch.hunks and changed.strip():
            message = "the patch deletes this file but leaves lines; say `*** Delete File: path` instead"
            return Diagnostic(message, file=path, code="edit_not_found")
        removed.append(path)
        del files[path]
        return None
    if not patch.to or patch.to == path:
        files[path] = restyle(changed, files[path])
        return None
    if patch.to in files:
        message = f"{path!r} cannot be renamed to {patch.to!r}, which exists; delete that first or change it"
        return Diagnostic(message, file=patch.to, code="edit_exists")
    files[patch.to] = restyle(changed, files.pop(path))
    removed.append(path)
    return None


def _make(files: dict[str, str], patch: Patch) -> Diagnostic | None:
    if files.get(patch.path, "").strip():
        message = "the patch makes this file, which exists; change it by lines that it has"
        return Diagnostic(message, file=patch.path, code="edit_exists")
    made = apply_hunks(patch.path, "", patch.hunks)
    if isinstance(made, Diagnostic):
        return made
    files[patch.path] = made
    return None


def _unknown(patch: Patch, files: Mapping[str, str]) -> Diagnostic:
    there = ", ".join(sorted(files)) or "there are none"
    message = f"{patch.path!r} is none of the files that can be changed ({there}); name one as it is written"
    return Diagnostic(message, file=patch.path, code="edit_no_file")


def named_paths(reply: str) -> tuple[str, ...]:
    """Name the files that the edits and patches of a reply are about, so that they can be read."""
    named = [edit.path for edit in parse_edits(reply)]
    for patch in parse_patches(reply):
        named += [patch.path, patch.to]
    return tuple(dict.fromkeys(path for path in named if path))

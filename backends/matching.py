"""Find the model that a name or pattern in escalation.toml means."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from backends.backend import ModelInfo

_SNAPSHOT = re.compile(r"-(?:latest|\d{3,8}|\d{4}-\d{2}-\d{2})")


def resolve(pattern: str, models: Sequence[ModelInfo]) -> ModelInfo | None:
    """Return the model of exactly this name, else the best that the glob fits, ignoring case.

    A glob is also held against the part after the last slash (`qwen3*` finds `lmstudio-community/Qwen3-8B`),
    and a name without wildcards finds its `:latest` as Ollama does. Loaded models come first, because loading
    costs minutes, then the shortest name.
    """
    exact = [model for model in models if model.name == pattern]
    fitting = [model for model in models if _fits(pattern.casefold(), model.name.casefold())]
    return min(exact or fitting, key=_preference, default=None)


def same_model(asked: str, answered: str) -> bool:
    """Tell whether a reply signed `answered` can come from `asked`: an alias becomes a dated snapshot."""
    wanted, signed = _bare(asked), _bare(answered)
    return wanted == signed or (
        signed.startswith(wanted) and _SNAPSHOT.fullmatch(signed.removeprefix(wanted)) is not None
    )


def _fits(pattern: str, name: str) -> bool:
    names = (name, name.rpartition("/")[2])
    return any(fnmatchcase(one, pattern) for one in names) or f"{pattern}:latest" in names


def _preference(model: ModelInfo) -> tuple[bool, int, str]:
    return (not model.loaded, len(model.name), model.name)


def _bare(name: str) -> str:
    return name.casefold().rpartition("/")[2].removesuffix(":latest")

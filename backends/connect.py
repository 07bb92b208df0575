"""Make the backends that escalation.toml names."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from backends.backend import Backend
from backends.config import BackendConfig, Timeouts
from backends.errors import RequestRefused
from backends.guarded import Guarded, Patience
from backends.slots import SharedSlots
from backends.wrappers import Limited, Patient

__all__ = ["BACKENDS", "SLOTS", "BackendConfig", "Timeouts", "connect"]

# Each kind is imported when one is configured: HTTP costs start-up time that a server with a script saves.


def _anthropic(config: BackendConfig, api_key: str) -> Backend:
    from backends.anthropic import AnthropicBackend  # noqa: PLC0415

    return AnthropicBackend(config, api_key)


def _embedded(config: BackendConfig, _api_key: str) -> Backend:
    from backends.embedded import EmbeddedBackend  # noqa: PLC0415

    return EmbeddedBackend(config)


def _lmstudio(config: BackendConfig, api_key: str) -> Backend:
    from backends.lmstudio import LMStudioBackend  # noqa: PLC0415

    return LMStudioBackend(config, api_key)


def _ollama(config: BackendConfig, api_key: str) -> Backend:
    from backends.ollama import OllamaBackend  # noqa: PLC0415

    return OllamaBackend(config, api_key)


def _openai(config: BackendConfig, api_key: str) -> Backend:
    from backends.openai import OpenAIBackend  # noqa: PLC0415

    return OpenAIBackend(config, api_key)


def _scripted(config: BackendConfig, _api_key: str) -> Backend:
    from backends.scripted import load_scripted  # noqa: PLC0415

    return load_scripted(config)


BACKENDS: dict[str, Callable[[BackendConfig, str], Backend]] = {
    "anthropic": _anthropic,
    "embedded": _embedded,
    "lmstudio": _lmstudio,
    "ollama": _ollama,
    "openai": _openai,
    "scripted": _scripted,
}

SLOTS = {"anthropic": 8, "embedded": 2, "lmstudio": 4, "ollama": 1, "openai": 4, "scripted": 64}
"""Requests at once where `max_concurrent` is not set: what each kind of server works on by default."""


_ONE_MODEL = {"lmstudio"}
"""Kinds that evict a model when another is asked for, unless `one_model` says otherwise."""
_OWN = {"embedded", "scripted"}
"""Kinds that belong to one process: nobody else asks them, and there is no way to them that can break."""


def connect(
    config: BackendConfig, environment: Mapping[str, str], home: Path | None = None
) -> Guarded | Limited:
    """Make one backend; nothing is sent or started yet.

    Args:
        config: Its table in escalation.toml.
        environment: Where its key is.
        home: The state folder, over which the processes of this machine share limits; without one each
            process counts for itself.

    Raises:
        RequestRefused: The table names an unknown kind, an address that is none, or a key that is not set.
    """
    if config.kind not in BACKENDS:
        raise _refused(config, f"kind = {config.kind!r} is unknown. Take one of {', '.join(BACKENDS)}.")
    slots = config.max_concurrent or SLOTS[config.kind]
    api_key = _api_key(config, environment)
    try:
        backend = BACKENDS[config.kind](replace(config, max_concurrent=slots), api_key)
        folder = host_folder(config, home)
    except ValueError as error:
        raise _refused(config, f"it cannot be set up ({error}). Correct `url` or `path`.") from error
    limited = Limited(backend, slots, SharedSlots(folder, slots) if folder else None)
    if config.kind in _OWN:
        return limited
    patience = Patience(loading_seconds=config.timeouts.first_token_seconds)
    return Guarded(_kept_apart(limited, backend, config, folder), patience)


def host_folder(config: BackendConfig, home: Path | None) -> Path | None:
    """Name the folder in which all processes agree who asks a host; nothing where nobody shares it.

    A script is shared only where `max_concurrent` is set: by itself it has no limit worth a file.
    """
    if home is None or config.kind == "embedded" or (config.kind == "scripted" and not config.max_concurrent):
        return None
    if config.kind == "scripted":
        host = str(Path(config.path).expanduser().absolute())
    else:
        address = urlsplit(config.url)
        host = f"{address.hostname or config.kind}:{address.port or address.scheme}"
    return home / "hosts" / sha256(host.replace("localhost:", "127.0.0.1:").encode()).hexdigest()[:16]


def _kept_apart(limited: Limited, backend: Backend, config: BackendConfig, folder: Path | None) -> Patient:
    wanted = config.kind in _ONE_MODEL if config.one_model is None else config.one_model
    if not wanted or folder is None:
        return limited
    from backends.one_model import OneModel  # noqa: PLC0415 - reads replies, which costs start-up time
    from backends.residence import OneModelLock  # noqa: PLC0415 - as above

    return OneModel(limited, backend, OneModelLock(folder / "model"))


def _api_key(config: BackendConfig, environment: Mapping[str, str]) -> str:
    variable = config.api_key_env
    if not variable:
        return ""
    key = environment.get(variable, "").strip()
    if not key:
        raise _refused(config, f"its key is missing. Set the environment variable {variable!r}.")
    if not (key.isascii() and key.isprintable()):
        raise _refused(config, f"the environment variable {variable!r} holds no key. Copy the key again.")
    return key


def _refused(config: BackendConfig, what: str) -> RequestRefused:
    return RequestRefused(f"[backends.{config.name}]: {what}", backend=config.name)

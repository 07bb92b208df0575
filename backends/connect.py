"""Make the backends that escalation.toml names."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from backends.backend import Backend
from backends.config import BackendConfig, Timeouts
from backends.errors import RequestRefused
from backends.wrappers import Limited

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


def connect(config: BackendConfig, environment: Mapping[str, str]) -> Backend:
    """Make one backend; nothing is sent or started yet.

    Raises:
        RequestRefused: The table names an unknown kind, an address that is none, or a key that is not set.
    """
    if config.kind not in BACKENDS:
        raise _refused(config, f"kind = {config.kind!r} is unknown. Take one of {', '.join(BACKENDS)}.")
    slots = config.max_concurrent or SLOTS[config.kind]
    api_key = _api_key(config, environment)
    try:
        backend = BACKENDS[config.kind](replace(config, max_concurrent=slots), api_key)
    except ValueError as error:
        raise _refused(config, f"it cannot be set up ({error}). Correct `url` or `path`.") from error
    return Limited(backend, slots)


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

"""Find out by one question what a server does with a model: what it advertises says little.

Servers take a JSON Schema, or the wish for log probabilities, and ignore it with status 200. So one prompt
asks for a plain word under a schema that allows no such answer: only a grammar turns it into JSON.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from backends.backend import Backend, Completion, Message, Request, Sampling
from backends.errors import BackendError, MalformedReply

BELIEVED_SECONDS = 30 * 24 * 3600.0
"""A server of the same version may have been given another template or engine."""
_PROMPT = "Answer with the one word: hello"
_SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["number"],
    "additionalProperties": False,
}
_MAX_TOKENS = 512
"""Enough for a model that thinks before it answers."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server does with a model; `None` where that is not known."""

    schema: bool | None = None
    """A JSON Schema shapes the answer."""
    logprobs: bool | None = None
    """Log probabilities of tokens come back when asked for."""
    context_tokens: int | None = None


async def probe(backend: Backend, model: str) -> Capabilities:
    """Ask a model once; costs a short answer.

    Raises:
        BackendError: The server could not be asked; nothing is known then.
    """
    models = await backend.list_models()
    context = next((listed.context_tokens for listed in models if listed.name == model), None)
    request = Request(
        model,
        (Message("user", _PROMPT),),
        max_tokens=_MAX_TOKENS,
        sampling=Sampling(temperature=0.0),
        schema=_SCHEMA,
        context_tokens=context,
        logprobs=True,
    )
    try:
        completion = await backend.complete(request)
    except MalformedReply:
        plain = await _plain(backend, request)
        return Capabilities(schema=False, logprobs=plain, context_tokens=context)
    if completion.finish != "stop":
        return Capabilities(context_tokens=context)
    return Capabilities(not _ignored(completion), bool(completion.logprobs), context)


async def _plain(backend: Backend, request: Request) -> bool | None:
    """Tell whether log probabilities come where no schema is in the way."""
    with suppress(BackendError):
        without = Request(request.model, request.messages, _MAX_TOKENS, request.sampling, logprobs=True)
        return bool((await backend.complete(without)).logprobs)
    return None


def _ignored(completion: Completion) -> bool:
    return any("ignores schemas" in warning for warning in completion.warnings)


class CapabilityFile:
    """What was found before, one file for all processes; the last to write wins, a loss is found anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, where: str, model: str, version: str, now: float) -> Capabilities | None:
        """Return what is known of a model at a server of this version, unless that is too old."""
        entry = self._read().get(_key(where, model, version))
        if not isinstance(entry, dict) or now - float(entry.get("at", 0)) > BELIEVED_SECONDS:
            return None
        return Capabilities(*(entry.get(name) for name in ("schema", "logprobs", "context_tokens")))

    def keep(self, where: str, model: str, version: str, found: Capabilities, now: float) -> None:
        """Remember; one that cannot be written is found again next time.

        Args:
            where: The server's address.
            model: The name it was asked for.
            version: Of the server, empty where it does not say.
            found: What to remember.
            now: Seconds since the epoch.
        """
        entries = {**self._read(), _key(where, model, version): {**asdict(found), "at": now}}
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(entries), "utf-8")
            draft.replace(self._path)

    def _read(self) -> Mapping[str, object]:
        try:
            entries = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}


async def find_out(
    backend: Backend, model: str, where: str, known: CapabilityFile | None = None
) -> Capabilities:
    """Look up what a server at `where` does with a model, and probe and remember what is not known.

    Raises:
        BackendError: The server could not be asked.
    """
    if known is None:
        return await probe(backend, model)
    version = (await backend.health()).version
    found = known.find(where, model, version, time.time())
    if found is None:
        found = await probe(backend, model)
        known.keep(where, model, version, found, time.time())
    return found


def _key(where: str, model: str, version: str) -> str:
    return sha256(f"{where}\n{model}\n{version}".encode()).hexdigest()[:24]

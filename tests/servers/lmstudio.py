"""An LM Studio that loads and evicts: at most one model by request. It says what it did."""

import json
from dataclasses import dataclass, field

import anyio

from tests.servers import apis
from tests.servers.stub import Answer, Seen


@dataclass(slots=True)
class Studio:
    """Its memory; call it to answer a request."""

    models: tuple[str, ...] = ("worker", "checker")
    loaded: dict[str, int] = field(default_factory=dict)
    """Instance to its context."""
    can_load: bool = True
    """Older than 0.4 cannot be told to."""
    held: dict[str, anyio.Event] = field(default_factory=dict)
    """Model to the event that its answers wait for."""
    log: list[str] = field(default_factory=list)
    """What happened, in order."""

    def __call__(self, seen: Seen) -> Answer:
        match seen.path:
            case "/api/v1/models":
                return _json({"models": [self._listed(name) for name in self.models]})
            case "/api/v1/models/load" if self.can_load:
                return self._load(seen)
            case "/api/v1/models/unload" if seen.json["instance_id"] in self.loaded:
                self.log.append(f"unload {seen.json['instance_id']}")
                del self.loaded[seen.json["instance_id"]]
                return _json({"instance_id": seen.json["instance_id"]})
            case "/v1/chat/completions":
                return self._chat(seen)
        return _json({"error": f"Unexpected endpoint or method. ({seen.method} {seen.path})"})

    def _load(self, seen: Seen) -> Answer:
        self.log.append(f"load {seen.json['model']}")
        self.loaded[seen.json["model"]] = seen.json.get("context_length", 4096)
        return _json({"type": "llm", "instance_id": seen.json["model"], "load_time_seconds": 9.1})

    def _chat(self, seen: Seen) -> Answer:
        model = seen.json["model"]
        if model not in self.loaded:
            self.log.append(f"evict {' '.join(self.loaded)} for {model}")
            self.loaded = {model: 4096}
        self.log.append(f"chat {model}")
        whole = apis.openai(model=model)(seen)
        return Answer(whole.chunks, content_type=whole.content_type, held=self.held.get(model))

    def _listed(self, name: str) -> dict[str, object]:
        config = {"context_length": self.loaded.get(name)}
        instances = [{"id": name, "config": config}] if name in self.loaded else []
        return {"type": "llm", "key": name, "loaded_instances": instances, "max_context_length": 131072}


def _json(body: object) -> Answer:
    return Answer((json.dumps(body),))

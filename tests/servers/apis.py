"""The native APIs of servers that cannot run here, told by rules: Ollama, LM Studio, Anthropic."""

import json
from collections.abc import Mapping, Sequence

from tests.servers.stub import Answer, Answering, Seen

Rules = Sequence[tuple[str, str]]

MODEL = "tiny"
DEFAULT = "I do not know this task."
RULES: Rules = (
    ("THINK_FIRST", "<think>Let me consider this.</think>The answer is 42."),
    ("VERDICT_JSON", '{"approved": false, "confidence": 0.35, "reason": "off by one"}'),
    ("LONG_ANSWER", "lorem ipsum dolor sit amet, " * 60),
    ("TOOL_CALL", '<tool_call>\n{"name": "weather", "arguments": {"city": "Paris"}}\n</tool_call>'),
)
_PIECE = 4


def said(prompt: str, rules: Rules = RULES) -> str:
    """Return the answer that a hand-wired model of these rules gives."""
    return next((answer for keyword, answer in reversed(rules) if keyword in prompt), DEFAULT)


def ollama(rules: Rules = RULES, model: str = MODEL) -> Answering:
    """Speak Ollama's API as of 2026-08: NDJSON, `thinking` apart, errors as `{"error": text}`."""

    def answer(seen: Seen) -> Answer:
        listed = {
            "/api/version": {"version": "0.20.1"},
            "/api/tags": {"models": [_ollama_model(model), _ollama_model("cold:7b")]},
            "/api/ps": {"models": [{"name": model, "context_length": 8192, "size_vram": 1}]},
        }
        if seen.path in listed:
            return _json(listed[seen.path])
        if seen.json["model"] != model:
            return _json({"error": f"model '{seen.json['model']}' not found"}, 404)
        text, thought = _apart(_answer(seen, rules))
        tokens = _cut(text, seen.json["options"]["num_predict"])
        parts = [{"thinking": thought, "content": ""}] if thought else []
        parts += [{"content": token} for token in tokens]
        lines = [{"model": model, "message": part, "done": False} for part in parts]
        reason = "length" if "".join(tokens) != text else "stop"
        counts = {"prompt_eval_count": _count(seen), "eval_count": len(tokens)}
        end = {"model": model, "message": {"content": ""}, "done": True, "done_reason": reason, **counts}
        chunks = tuple(json.dumps(line) + "\n" for line in [*lines, end])
        return Answer(chunks, content_type="application/x-ndjson")

    return answer


def lmstudio(rules: Rules = RULES, model: str = MODEL, generation: int = 1) -> Answering:
    """Speak LM Studio's API; generation 1 is 0.4 and later, 0 is before, -1 knows only OpenAI's paths."""

    def answer(seen: Seen) -> Answer:
        listed = {
            1: {"/api/v1/models": {"models": [_lmstudio_model(model), _EMBEDDING]}},
            0: {"/api/v0/models": {"data": [_old_lmstudio_model(model)]}},
            -1: {"/v1/models": {"data": [{"id": model, "object": "model"}]}},
        }[generation]
        if seen.path in listed:
            return _json(listed[seen.path])
        if seen.method == "GET":
            return _json({"error": f"Unexpected endpoint or method. (GET {seen.path})"})
        return openai(rules, model)(seen)

    return answer


def openai(rules: Rules = RULES, model: str = MODEL) -> Answering:
    """Speak chat completions with `reasoning_content`, as LM Studio and vLLM do."""

    def answer(seen: Seen) -> Answer:
        if seen.path.endswith("/models"):
            return _json({"data": [{"id": model, "max_model_len": 8192}]})
        if seen.json["model"] != model:
            error = {
                "message": f"The model `{seen.json['model']}` does not exist.",
                "code": "model_not_found",
            }
            return _json({"error": error}, 404)
        text, thought = _apart(_answer(seen, rules))
        tokens = _cut(text, seen.json.get("max_tokens") or seen.json["max_completion_tokens"])
        deltas = [
            {"role": "assistant", "content": None},
            *([{"reasoning_content": thought}] if thought else []),
        ]
        deltas += [{"content": token} for token in tokens]
        chunks = [{"model": model, "choices": [{"delta": delta}]} for delta in deltas]
        reason = "length" if "".join(tokens) != text else "stop"
        usage = {"prompt_tokens": _count(seen), "completion_tokens": len(tokens)}
        chunks.append({"model": model, "choices": [{"delta": {}, "finish_reason": reason}]})
        chunks.append({"model": model, "choices": [], "usage": usage})
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return sse(*events, "data: [DONE]\n\n")

    return answer


def anthropic(rules: Rules = RULES, model: str = MODEL) -> Answering:
    """Speak Anthropic's Messages API: typed events, cached input tokens counted apart."""

    def answer(seen: Seen) -> Answer:
        if seen.path.startswith("/v1/models"):
            return _json({"data": [{"id": model, "max_input_tokens": 8192}]})
        if seen.json["model"] != model:
            error = {"type": "not_found_error", "message": f"model: {seen.json['model']}"}
            return _json({"type": "error", "error": error}, 404)
        text, thought = _apart(_answer(seen, rules))
        tokens = _cut(text, seen.json["max_tokens"])
        reason = "max_tokens" if "".join(tokens) != text else "end_turn"
        usage = {"input_tokens": 1, "cache_read_input_tokens": _count(seen), "output_tokens": 1}
        deltas = [{"type": "thinking_delta", "thinking": thought}] if thought else []
        deltas += [{"type": "text_delta", "text": token} for token in tokens]
        return anthropic_events(
            {"type": "message_start", "message": {"model": model, "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": reason},
                "usage": {"output_tokens": len(tokens)},
            },
            {"type": "message_stop"},
        )

    return answer


def anthropic_events(*events: Mapping[str, object]) -> Answer:
    """Write events as Anthropic's stream does."""
    return sse(*(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events))


def sse(*chunks: str) -> Answer:
    """Answer with server-sent events."""
    return Answer(chunks, content_type="text/event-stream; charset=utf-8")


def _json(body: object, status: int = 200) -> Answer:
    return Answer((json.dumps(body),), status)


def _answer(seen: Seen, rules: Rules) -> str:
    return said(" ".join(message["content"] for message in seen.json["messages"]), rules)


def _apart(answer: str) -> tuple[str, str]:
    thought, tag, text = answer.partition("</think>")
    return (text, thought.removeprefix("<think>")) if tag else (answer, "")


def _cut(text: str, tokens: int) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)][:tokens]


def _count(seen: Seen) -> int:
    return sum(len(message["content"]) for message in seen.json["messages"]) // _PIECE + 5


def _ollama_model(name: str) -> dict[str, object]:
    return {"name": name, "size": 4_000_000, "details": {"quantization_level": "Q4_K_M"}}


def _lmstudio_model(key: str) -> dict[str, object]:
    instance = {"id": key, "config": {"context_length": 8192, "parallel": 4}}
    quantization = {"name": "Q4_K_M", "bits_per_weight": 4}
    return {
        "type": "llm",
        "key": key,
        "loaded_instances": [instance],
        "max_context_length": 131072,
        "quantization": quantization,
        "size_bytes": 4_000_000,
    }


def _old_lmstudio_model(name: str) -> dict[str, object]:
    return {
        "id": name,
        "type": "llm",
        "state": "loaded",
        "max_context_length": 8192,
        "quantization": "Q4_K_M",
    }


_EMBEDDING = {"type": "embedding", "key": "nomic-embed", "loaded_instances": [], "max_context_length": 2048}

"""An OpenAI-style server that lists two models and answers badly in one way."""

import json

from tests.servers.stub import Answer, Answering, Seen

LISTED = json.dumps({"object": "list", "data": [{"id": "weak"}, {"id": "strong"}]})
CHOICE = {"index": 0, "delta": {"content": "```python"}, "finish_reason": None}
PIECE = f"data: {json.dumps({'model': 'weak', 'choices': [CHOICE]})}\n\n"

FAULTS = {
    "html": Answer(("<html><body>Bad gateway</body></html>",), content_type="text/html"),
    "cut": Answer((PIECE,), content_type="text/event-stream"),
    "dies": Answer((PIECE,), content_type="text/event-stream", ending="cut"),
}


def answering(fault: str) -> Answering:
    """List models properly, and answer every question with the fault."""

    def answer(seen: Seen) -> Answer:
        return Answer((LISTED,)) if seen.method == "GET" else FAULTS[fault]

    return answer

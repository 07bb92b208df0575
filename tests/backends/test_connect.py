import json
import subprocess
import sys
from dataclasses import replace

import anyio
import pytest

from backends.backend import Completion, Message, Request
from backends.connect import BACKENDS, SLOTS, BackendConfig, connect
from backends.errors import BackendError, RequestRefused
from backends.scripted import Answer, Script, ScriptedBackend
from backends.wrappers import Limited

HELLO = Request("m", (Message("user", "hello"),))


@pytest.mark.parametrize("kind", [kind for kind in BACKENDS if kind != "scripted"])
async def test_every_kind_is_made_without_sending_anything(kind, free_port):
    backend = connect(BackendConfig("lab", kind, url=f"http://127.0.0.1:{free_port}"), {})

    assert backend.name == "lab"
    await backend.aclose()


def test_every_kind_has_its_number_of_slots():
    assert SLOTS.keys() == BACKENDS.keys()


@pytest.mark.parametrize(
    ("config", "environment", "message"),
    [
        (BackendConfig("lab", "nonsense"), {}, "kind = 'nonsense' is unknown. Take one of anthropic"),
        (BackendConfig("lab", "openai", api_key_env="LAB_KEY"), {}, "variable 'LAB_KEY'"),
        (
            BackendConfig("lab", "openai", api_key_env="LAB_KEY"),
            {"LAB_KEY": " "},
            "Set the environment variable",
        ),
        (BackendConfig("lab", "openai", api_key_env="LAB_KEY"), {"LAB_KEY": "a\u00e9b"}, "holds no key"),
        (BackendConfig("lab", "openai", api_key_env="LAB_KEY"), {"LAB_KEY": "a\nb"}, "holds no key"),
        (BackendConfig("lab", "openai", url="http://[::1"), {}, "cannot be set up"),
        (BackendConfig("lab", "scripted", path="/nowhere.json"), {}, "No such file"),
    ],
)
def test_a_table_that_cannot_work_is_refused_with_what_to_do(config, environment, message):
    with pytest.raises(RequestRefused) as refusal:
        connect(config, environment)

    assert message in str(refusal.value)
    assert refusal.value.backend == "lab"


def test_connecting_a_script_loads_no_http(tmp_path):
    path = tmp_path / "script.json"
    path.write_text('{"models": {}}')
    program = (
        "import sys; from backends.connect import *;"
        f"connect(BackendConfig('s', 'scripted', path={str(path)!r}), {{}});"
        "sys.exit('httpx' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class Counting(ScriptedBackend):
    """Counts how many requests are inside at the same time."""

    inside = most = 0

    async def complete(self, request: Request) -> Completion:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            return await super().complete(request)
        finally:
            self.inside -= 1


async def test_only_so_many_requests_are_let_through_at_once():
    slow = Script(Answer("done", delay_seconds=0.02))
    counting = Counting("lab", {"m": slow})
    backend = Limited(counting, 2)

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(backend.complete, HELLO)

    assert counting.most == 2


def scripted(script: dict, tmp_path) -> ScriptedBackend:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"models": {"m": script}}))
    return connect(BackendConfig("lab", "scripted", path=str(path)), {})


async def texts(backend, *prompts: str) -> list[str]:
    requests = [replace(HELLO, messages=(Message("user", prompt),)) for prompt in prompts]
    return [(await backend.complete(request)).text for request in requests]


async def test_a_script_from_a_file_answers_in_turn_and_the_later_rule_wins(tmp_path):
    rules = [["A", ["first", {"text": "second"}]], ["B", "bee"]]
    backend = scripted({"default": "none", "rules": rules}, tmp_path)

    assert await texts(backend, "x", "A", "A", "A", "A B") == ["none", "first", "second", "second", "bee"]


@pytest.mark.parametrize("failure", ["context", "malformed", "model", "refused", "timeout", "unavailable"])
async def test_a_script_can_fail_in_every_way(failure, tmp_path):
    backend = scripted({"default": {"failure": failure}}, tmp_path)

    with pytest.raises(BackendError, match="the script says that it fails"):
        await backend.complete(HELLO)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"models": {"m": {"ruels": []}}}', '{"models": {"m": {"rules": [["K", []]]}}}']
)
def test_a_malformed_script_is_refused(content, tmp_path):
    path = tmp_path / "script.json"
    path.write_text(content)

    with pytest.raises(RequestRefused, match="malformed"):
        connect(BackendConfig("lab", "scripted", path=str(path)), {})

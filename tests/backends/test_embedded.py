import os
import signal
import site
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from backends.backend import Message, Request
from backends.config import BackendConfig, Timeouts
from backends.embedded import EmbeddedBackend
from backends.errors import BackendTimeout, BackendUnavailable
from tests.servers import apis


def request_for(text: str, model: str = apis.MODEL, **more) -> Request:
    return Request(model, (Message("user", text),), **more)


ENDLESS = request_for(
    "hello", max_tokens=8000, schema={"type": "array", "minItems": 1999, "items": {"type": "integer"}}
)
"""Takes llama.cpp several seconds: a grammar of this size has to be followed token by token."""


@pytest.fixture
async def backend(handwired_model):
    backend = EmbeddedBackend(BackendConfig("lab", "embedded", path=str(handwired_model)))
    yield backend
    await backend.aclose()


async def test_nothing_is_started_before_the_first_request(backend):
    (model,) = await backend.list_models()
    health = await backend.health()

    assert not model.loaded
    assert "starts at the first request" in health.detail


async def test_a_running_model_says_so(backend):
    await backend.complete(request_for("hello"))

    (model,) = await backend.list_models()
    health = await backend.health()

    assert model.loaded
    assert health.detail.endswith("runs.")


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split(") ")[1][0] != "Z"


async def gone(pid: int) -> None:
    """Wait until a process has ended, whoever has to collect it."""
    with anyio.fail_after(10):
        while alive(pid):  # noqa: ASYNC110 - another process sets no event
            await anyio.sleep(0.01)


async def test_a_child_that_was_killed_is_started_again(backend):
    before = children()
    await backend.complete(request_for("hello"))
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    with anyio.fail_after(10):
        while (await backend.list_models())[0].loaded:  # noqa: ASYNC110 - nor does the loop's child watcher
            await anyio.sleep(0.01)

    completion = await backend.complete(request_for("hello"))

    assert completion.text == apis.DEFAULT


async def test_a_child_killed_in_the_middle_of_an_answer_makes_the_backend_unavailable(backend):
    before = children()
    stream = backend.stream(ENDLESS)
    await anext(stream)
    os.kill(*(children() - before), signal.SIGKILL)

    with pytest.raises(BackendUnavailable, match="connection broke"):
        async for _ in stream:
            pass


async def test_leaving_a_stream_frees_the_only_slot(handwired_model):
    config = BackendConfig("lab", "embedded", path=str(handwired_model), max_concurrent=1)
    backend = EmbeddedBackend(config)
    with anyio.fail_after(8):  # answered to their ends, four take more than ten seconds
        for _ in range(4):
            stream = backend.stream(ENDLESS)
            await anext(stream)
            await stream.aclose()

        completion = await backend.complete(request_for("hello"))

    assert completion.text == apis.DEFAULT
    await backend.aclose()


async def test_closing_ends_the_child(handwired_model):
    before = children()
    backend = EmbeddedBackend(BackendConfig("lab", "embedded", path=str(handwired_model)))
    await backend.complete(request_for("hello"))
    (child,) = children() - before

    await backend.aclose()

    await gone(child)


async def test_many_first_requests_start_one_child(backend):
    before = children()

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(backend.complete, request_for("hello"))

    assert len(children() - before) == 1


async def test_a_file_that_is_no_model_is_unavailable_and_leaves_no_child(tmp_path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF and then nonsense")
    backend = EmbeddedBackend(BackendConfig("lab", "embedded", path=str(path)))

    with pytest.raises(BackendUnavailable, match="cannot load it"):
        await backend.complete(request_for("hello", "broken"))
    (model,) = await backend.list_models()

    assert not model.loaded


async def test_a_missing_file_is_unavailable(tmp_path):
    backend = EmbeddedBackend(BackendConfig("lab", "embedded", path=str(tmp_path / "none.gguf")))

    with pytest.raises(BackendUnavailable, match=r"Correct `path` in \[backends.lab\]"):
        await backend.complete(request_for("hello", "none"))
    health = await backend.health()

    assert not health.reachable


async def test_a_model_that_takes_too_long_to_load_is_a_timeout(handwired_model):
    config = BackendConfig(
        "lab", "embedded", path=str(handwired_model), timeouts=Timeouts(first_token_seconds=0.001)
    )
    backend = EmbeddedBackend(config)

    with pytest.raises(BackendTimeout, match="not loaded in"):
        await backend.complete(request_for("hello"))


def test_without_the_wheel_the_message_says_what_to_install(tmp_path, handwired_model):
    for package in Path(site.getsitepackages()[0]).iterdir():
        if not package.name.startswith("xllamacpp") and package.suffix != ".pth":
            (tmp_path / package.name).symlink_to(package)
    program = f"""
import sys
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [{str(tmp_path)!r}]
import asyncio
from backends.connect import BackendConfig, connect
backend = connect(BackendConfig("lab", "embedded", path={str(handwired_model)!r}), {{}})
print(asyncio.run(backend.health()).detail)
"""

    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert "llama.cpp is not installed. Run `pip install 'escalation-orchestrator[embedded]'`." in said


@pytest.fixture
def orphan(handwired_model) -> int:
    """Start a model from another process, kill that process, and give the pid of the model's."""
    program = f"""
import sys, asyncio
from pathlib import Path
from backends.backend import Message, Request
from backends.connect import BackendConfig, connect
async def main():
    backend = connect(BackendConfig("lab", "embedded", path={str(handwired_model)!r}), {{}})
    await backend.complete(Request({apis.MODEL!r}, (Message("user", "hello"),)))
    print(*[task.joinpath("children").read_text() for task in Path("/proc/self/task").iterdir()], flush=True)
    sys.stdin.read()
asyncio.run(main())
"""
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    return child


async def test_the_child_ends_when_its_parent_is_killed(orphan):
    await gone(orphan)

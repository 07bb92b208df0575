"""Servers that tests share: the real llama.cpp on a hand-wired model."""

import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends import embedded
from backends.handwired import write_model
from tests.servers.apis import DEFAULT, MODEL, RULES

SLOTS = 2
CONTEXT_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """llama.cpp's own HTTP server in a child process, serving `MODEL` with `RULES`."""

    url: str
    api_key: str
    model: str = MODEL


@pytest.fixture
def free_port() -> int:
    """Name a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def handwired_model(tmp_path_factory) -> Path:
    """Write the GGUF file once."""
    path = tmp_path_factory.mktemp("models") / f"{MODEL}.gguf"
    write_model(path, RULES, DEFAULT)
    return path


@pytest.fixture(scope="session")
def llama_server(handwired_model) -> Iterator[LlamaServer]:
    """Start the server once; it ends when its stdin closes."""
    settings = {
        "path": str(handwired_model),
        "name": MODEL,
        "slots": SLOTS,
        "context_tokens": CONTEXT_TOKENS,
        "api_key": secrets.token_hex(8),
    }
    program = Path(embedded.__file__).with_name("_llama_child.py")
    with subprocess.Popen(
        [sys.executable, "-I", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        child.stdin.write(json.dumps(settings) + "\n")
        child.stdin.flush()
        state, url = child.stdout.readline().split()
        assert state == "READY"
        yield LlamaServer(url, settings["api_key"])

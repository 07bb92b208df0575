from pathlib import Path

import pytest

from backends import http
from backends.config import BackendConfig, Timeouts
from backends.errors import BackendTimeout, BackendUnavailable, MalformedReply, RequestRefused
from backends.http import MAX_REPLY_BYTES, HttpServer, bearer, is_local
from backends.replies import Reply
from tests.servers.stub import Answer, running


async def get(url: str, path: str = "/models", timeouts: Timeouts | None = None) -> Reply:
    server = HttpServer(BackendConfig("lab", "openai", timeouts=timeouts or Timeouts()), url)
    try:
        return await server.get(path, Reply)
    finally:
        await server.aclose()


@pytest.mark.parametrize("url", ["", "127.0.0.1:1234", "ftp://127.0.0.1", "http://", "file:///etc/passwd"])
def test_what_is_no_http_address_is_refused_before_anything_is_sent(url):
    with pytest.raises(RequestRefused, match=r"Set `url` in \[backends.lab\]"):
        HttpServer(BackendConfig("lab", "openai"), url)


async def test_a_path_that_cannot_be_sent_is_refused():
    with pytest.raises(RequestRefused, match="cannot be sent"):
        await get("http://127.0.0.1:9", "/\n")


async def test_a_host_that_cannot_be_found_is_unavailable():
    with pytest.raises(BackendUnavailable, match="does not answer"):
        await get("http://nowhere.invalid")


async def test_a_reply_that_is_not_what_it_claims_to_be_is_malformed():
    answer = Answer(("this is no gzip",), headers={"content-encoding": "gzip"})
    async with running(lambda _: answer) as stub:
        with pytest.raises(MalformedReply, match="unpacked"):
            await get(stub.url)


async def test_a_reply_without_an_end_is_cut_off_at_the_limit():
    answer = Answer((" " * (MAX_REPLY_BYTES // 8),) * 9)
    async with running(lambda _: answer) as stub:
        with pytest.raises(MalformedReply, match="longer than"):
            await get(stub.url)


async def test_a_reply_that_stops_coming_is_a_timeout():
    async with running(lambda _: Answer(("{",), ending="silence")) as stub:
        with pytest.raises(BackendTimeout, match="no reply to GET /models in"):
            await get(stub.url, timeouts=Timeouts(listing_seconds=0.1))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1234", True),
        ("http://[::1]:1234", True),
        ("http://192.168.1.5", True),
        ("http://localhost", True),
        ("http://studio.local", True),
        ("https://api.openai.com", False),
        ("http://8.8.8.8", False),
    ],
)
def test_proxies_are_only_for_what_is_not_local(url, local):
    assert is_local(url) is local


def test_a_key_is_sent_as_bearer_and_nothing_without_one():
    assert bearer("k") == {"Authorization": "Bearer k"}
    assert bearer("") == {}


async def test_a_proxy_in_the_environment_does_not_touch_local_servers(monkeypatch, free_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    async with running(lambda _: Answer(("{}",))) as stub:
        assert await get(stub.url) == Reply()


def test_only_this_module_knows_httpx():
    sources = [path for path in Path(http.__file__).parent.glob("*.py") if "import httpx" in path.read_text()]

    assert [path.name for path in sources] == ["http.py"]

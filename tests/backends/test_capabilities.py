import pytest

from backends.backend import Message, Usage
from backends.capabilities import BELIEVED_SECONDS, Capabilities, CapabilityFile, probe
from backends.config import BackendConfig
from backends.connect import connect
from backends.errors import BackendUnavailable
from backends.scripted import Answer, Rule, Script, ScriptedBackend
from backends.tokens import BYTES_PER_TOKEN, estimate_tokens, learn_bytes_per_token
from tests.servers import apis
from tests.servers.stub import running


async def probed(answering, kind="openai") -> tuple[Capabilities, int]:
    async with running(answering) as stub:
        backend = connect(BackendConfig("lab", kind, url=stub.url), {})
        try:
            return await probe(backend, apis.MODEL), len(stub.seen)
        finally:
            await backend.aclose()


async def test_a_real_llama_server_is_found_to_keep_to_schemas_and_to_tell_probabilities(llama_server):
    config = BackendConfig("llama", "openai", url=llama_server.url, api_key_env="KEY")
    backend = connect(config, {"KEY": llama_server.api_key})

    found = await probe(backend, llama_server.model)

    assert found == Capabilities(schema=True, logprobs=True, context_tokens=2048)
    await backend.aclose()


async def test_a_server_that_ignores_schemas_is_found_out():
    found, questions = await probed(apis.openai((("hello", "hello"),)))

    assert found == Capabilities(schema=False, logprobs=False, context_tokens=8192)
    assert questions == 3


async def test_json_in_a_fence_is_no_grammar():
    found, _ = await probed(apis.openai((("hello", '```json\n{"number": 3}\n```'),)))

    assert found.schema is False


async def test_an_answer_without_an_end_says_nothing():
    found, _ = await probed(apis.openai((("hello", "hello " * 1000),)))

    assert found == Capabilities(context_tokens=8192)


async def test_a_server_that_cannot_be_asked_is_not_judged():
    script = Script(Answer(), (Rule("hello", (Answer(failure="unavailable"),)),))

    with pytest.raises(BackendUnavailable):
        await probe(ScriptedBackend("lab", {"m": script}), "m")


FOUND = Capabilities(schema=True, logprobs=False, context_tokens=8192)


def test_what_was_found_is_known_to_the_next_process_until_it_is_old_or_the_server_new(tmp_path):
    path = tmp_path / "home" / "capabilities.json"
    CapabilityFile(path).keep("http://lab", "m", "1", FOUND, now=0.0)
    CapabilityFile(path).keep("http://lab", "other", "1", Capabilities(), now=0.0)

    known = CapabilityFile(path)

    assert known.find("http://lab", "m", "1", now=BELIEVED_SECONDS) == FOUND
    assert known.find("http://lab", "m", "1", now=BELIEVED_SECONDS + 1) is None
    assert known.find("http://lab", "m", "2", now=0.0) is None
    assert known.find("http://elsewhere", "m", "1", now=0.0) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}'])
def test_a_file_that_cannot_be_read_knows_nothing_and_is_written_anew(content, tmp_path):
    path = tmp_path / "capabilities.json"
    path.write_text(content)
    known = CapabilityFile(path)

    assert known.find("http://lab", "m", "", now=0.0) is None
    known.keep("http://lab", "m", "", FOUND, now=0.0)

    assert known.find("http://lab", "m", "", now=0.0) == FOUND


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").touch()
    known = CapabilityFile(tmp_path / "file" / "capabilities.json")

    known.keep("http://lab", "m", "", FOUND, now=0.0)

    assert known.find("http://lab", "m", "", now=0.0) is None


PROMPT = (Message("user", "x" * 7000),)


@pytest.mark.parametrize(
    ("known", "tokens_in", "learned"),
    [
        (BYTES_PER_TOKEN, 3508, pytest.approx(1.9)),  # denser than thought: believed at once
        (1.9, 1758, pytest.approx(1.9 + 0.1 * (3.8 - 1.9), abs=0.01)),  # lighter: a step towards it
        (BYTES_PER_TOKEN, 0, BYTES_PER_TOKEN),  # the server does not count
        (BYTES_PER_TOKEN, 300, BYTES_PER_TOKEN),  # the prompt was cut, or its cached part not counted
        (BYTES_PER_TOKEN, 99_999, 1.0),
    ],
)
def test_the_estimate_of_a_prompt_follows_what_the_server_counted(known, tokens_in, learned):
    assert learn_bytes_per_token(known, PROMPT, Usage(tokens_in)) == learned


def test_short_prompts_teach_nothing():
    assert learn_bytes_per_token(3.5, (Message("user", "hi"),), Usage(500)) == 3.5


def test_a_corrected_estimate_covers_what_was_counted():
    rate = learn_bytes_per_token(BYTES_PER_TOKEN, PROMPT, Usage(3508))

    assert estimate_tokens(PROMPT, rate) >= 3508

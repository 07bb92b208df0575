import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.backend import Message, ModelInfo, Usage
from backends.matching import resolve, same_model
from backends.tokens import estimate_tokens, prompt_was_cut

NAMES = st.text(alphabet="abAB-:/.0", min_size=1, max_size=8)
MODELS = st.lists(st.builds(ModelInfo, NAMES, loaded=st.sampled_from([None, True, False])), max_size=6)


@pytest.mark.parametrize(
    ("pattern", "names", "found"),
    [
        ("a", ["a", "b"], "a"),
        ("Qwen3-8B", ["qwen3-8b"], "qwen3-8b"),
        ("qwen3*", ["lmstudio-community/Qwen3-8B-GGUF"], "lmstudio-community/Qwen3-8B-GGUF"),
        ("qwen3", ["qwen3:8b", "qwen3:latest"], "qwen3:latest"),
        ("qwen*", ["qwen3-30b-a3b", "qwen3-8b"], "qwen3-8b"),
        ("*/qwen*", ["qwen3-8b", "x/qwen3"], "x/qwen3"),
        ("mistral*", ["qwen3-8b"], None),
        ("qwen3", ["qwen3-8b"], None),
    ],
)
def test_a_name_or_pattern_finds_its_model(pattern, names, found):
    model = resolve(pattern, [ModelInfo(name) for name in names])

    assert (model.name if model else None) == found


def test_a_loaded_model_comes_before_a_shorter_name():
    models = [ModelInfo("qwen3", loaded=False), ModelInfo("qwen3-coder-30b", loaded=True)]

    assert resolve("qwen*", models) == models[1]


def test_the_exact_name_comes_before_a_loaded_one_that_fits():
    models = [ModelInfo("QWEN", loaded=True), ModelInfo("qwen", loaded=False)]

    assert resolve("qwen", models) == models[1]


@given(MODELS)
def test_every_name_finds_itself_and_a_star_finds_something(models):
    assert all(resolve(model.name, models).name == model.name for model in models)
    assert (resolve("*", models) is None) == (models == [])


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("m", "m", True),
        ("qwen3", "qwen3:latest", True),
        ("Models/Gemini", "gemini", True),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001", True),
        ("gpt-6", "gpt-6-2026-08-12", True),
        ("gpt-6", "gpt-6-mini", False),
        ("qwen3:8b", "qwen3:30b", False),
    ],
)
def test_an_alias_may_answer_under_its_dated_name(asked, answered, same):
    assert same_model(asked, answered) is same


@given(st.lists(st.builds(Message, st.just("user"), st.text()), max_size=4))
def test_an_estimate_grows_with_the_prompt_and_is_never_called_cut(messages):
    estimate = estimate_tokens(messages)

    assert estimate >= sum(len(message.content) for message in messages) / 3.5
    assert not prompt_was_cut(messages, Usage(tokens_in=estimate))


@pytest.mark.parametrize(("read", "cut"), [(0, False), (499, True), (500, False)])
def test_a_prompt_is_called_cut_only_when_it_must_be(read, cut):
    assert prompt_was_cut([Message("user", "x" * 5000)], Usage(tokens_in=read)) is cut

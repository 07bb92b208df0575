"""Write a tiny language model by hand: a keyword in the prompt chooses the answer, in any llama.cpp server.

It is a transformer of one layer whose weights are set, not trained. Each token has its own dimension. One
attention head looks for the keywords and adds a dimension for the strongest; the output matrix maps that to
the first token of the answer, and every token of an answer to its next. So a real server, its real tokenizer,
grammar and streaming can be run through without downloading weights.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from backends.gguf import Tensor, Value, ones, write_gguf, zeros

DEFAULT_ANSWER = "I do not know this task."
MAX_RULES = 60
MIN_KEYWORD_CHARACTERS = 5
CONTEXT_TOKENS = 32768

_HEAD = 64
_STEADY = _HEAD - 2
"""The dimension of the head that rotary embedding hardly turns."""
_FEED_FORWARD = 32
_PIECE_CHARACTERS = 4
_MOST_PIECES = 500
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
_CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_END = 2
_START = "assistant\n"
_ROPE_BASE = 1e9

# Logits before the final scale; only their order and distance count.
_BABBLE, _BABBLE_SPREAD, _BABBLE_CLOSE = 0.15, 0.02, 0.12
_DEFAULT_FIRST, _ANSWER_FIRST, _NEXT = 1.0, 4.0, 16.0
_KEYWORD_SCORE, _SCORE_STEP = 24, 8

_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def write_model(path: str | Path, rules: Sequence[tuple[str, str]], default: str = DEFAULT_ANSWER) -> None:
    """Write the model as a GGUF file of about 2 MB.

    Args:
        path: The file; its name without the ending names the model.
        rules: Keyword and answer. Keywords must stand verbatim in the prompt; of several, the last rule wins.
        default: The answer where no keyword stands in the prompt.

    Raises:
        ValueError: Too many rules, or a keyword that is too short or used twice.
    """
    _check(rules)
    target = Path(path)
    answers = [default, *(answer for _, answer in rules)]
    vocabulary = _Vocabulary(max(_PIECE_CHARACTERS, sum(map(len, answers)) // _MOST_PIECES))
    keywords = [vocabulary.add(keyword) for keyword, _ in rules]
    # The shortest first: they have the fewest ways to be cut into tokens of their own.
    chain_of = {answer: vocabulary.chain(answer) for answer in sorted(set(answers), key=_by_length)}
    width = math.ceil((len(vocabulary.texts) + len(rules) + 1) / 64) * 64
    write_gguf(
        target,
        _metadata(target.stem, vocabulary, width),
        {
            "token_embd.weight": _embedding(len(vocabulary.texts), width),
            "output_norm.weight": ones(width),
            "output.weight": _output([chain_of[answer] for answer in answers], vocabulary, width),
            **_attention(keywords, len(vocabulary.texts), width),
            **_idle_feed_forward(width),
        },
    )


def _check(rules: Sequence[tuple[str, str]]) -> None:
    keywords = [keyword for keyword, _ in rules]
    if len(rules) > MAX_RULES:
        raise ValueError(f"{len(rules)} rules are too many for one model. Write at most {MAX_RULES}.")
    for keyword in keywords:
        if len(keyword) < MIN_KEYWORD_CHARACTERS or keywords.count(keyword) > 1:
            raise ValueError(
                f"keyword {keyword!r} is too short or used twice. Take one of its own with at least"
                f" {MIN_KEYWORD_CHARACTERS} characters."
            )


class _Vocabulary:
    """Tokens in order. No two have the same text, so that each token of an answer has one successor."""

    def __init__(self, piece_characters: int) -> None:
        self.texts: list[str] = []
        self.kinds: list[int] = []
        self._taken: set[str] = set()
        self._piece_characters = piece_characters
        for text in _CONTROL_TOKENS:
            self.add(text, _CONTROL)
        self.start = self.add(_START)
        self.first_byte = len(self.texts)
        for text in [*_byte_texts(), _byte_texts()[ord(" ")] * 2]:
            self.add(text, _NORMAL)

    def add(self, text: str, kind: int = _USER_DEFINED) -> int:
        self.texts.append(text)
        self.kinds.append(kind)
        self._taken.add(text)
        return len(self.texts) - 1

    def chain(self, answer: str) -> list[int]:
        """Cut an answer into tokens of its own."""
        if len(answer) == 1 and answer.isascii():
            return [self.first_byte + ord(answer)]
        return [self.add(piece) for piece in self._pieces(answer)]

    def _pieces(self, answer: str) -> list[str]:
        pieces, taken, rest = [], set(self._taken), answer
        while rest:
            size = self._piece_characters
            while rest[:size] in taken and size < len(rest):
                size += 1
            pieces.append(rest[:size])
            rest = rest[size:]
            if rest:
                taken.add(pieces[-1])
        # Only the tail can have the text of another token: it joins the piece before.
        while len(pieces) > 1 and pieces[-1] in taken:
            pieces[-2:] = [pieces[-2] + pieces[-1]]
        return self._halves(answer) if answer in self._taken else pieces

    def _halves(self, answer: str) -> list[str]:
        for cut in range(1, len(answer)):
            halves = [answer[:cut], answer[cut:]]
            if halves[0] != halves[1] and not self._taken.intersection(halves):
                return halves
        raise ValueError(f"answer {answer!r} cannot be told apart from another. Make it longer.")


def _by_length(answer: str) -> tuple[int, str]:
    return len(answer), answer


def _byte_texts() -> list[str]:
    """Return what stands for each byte in GPT-2's vocabulary, where every token is printable."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (chr(256 + count) for count in range(256))
    return [chr(byte) if byte in printable else next(others) for byte in range(256)]


def _metadata(name: str, vocabulary: _Vocabulary, width: int) -> dict[str, Value]:
    return {
        "general.architecture": "llama",
        "general.name": name,
        "llama.context_length": CONTEXT_TOKENS,
        "llama.embedding_length": width,
        "llama.block_count": 1,
        "llama.feed_forward_length": _FEED_FORWARD,
        "llama.attention.head_count": 1,
        "llama.attention.head_count_kv": 1,
        "llama.attention.key_length": _HEAD,
        "llama.attention.value_length": _HEAD,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": _ROPE_BASE,
        "llama.rope.dimension_count": _HEAD,
        "llama.vocab_size": len(vocabulary.texts),
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": vocabulary.texts,
        "tokenizer.ggml.token_type": vocabulary.kinds,
        "tokenizer.ggml.merges": [" ".join([_byte_texts()[ord(" ")]] * 2)],
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": _END,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": _TEMPLATE,
    }


def _embedding(tokens: int, width: int) -> Tensor:
    """Give each token its own dimension."""
    matrix = zeros(tokens, width)
    for token in range(tokens):
        matrix.values[token * width + token] = 1.0
    return matrix


def _attention(keywords: Sequence[int], tokens: int, width: int) -> dict[str, Tensor]:
    """Look for keywords from every position; the later rule has the higher score."""
    query, key, value = zeros(_HEAD, width), zeros(_HEAD, width), zeros(_HEAD, width)
    output = zeros(width, _HEAD)
    for token in range(tokens):
        query.values[_STEADY * width + token] = 1.0
    for rule, token in enumerate(keywords):
        score = _KEYWORD_SCORE + _SCORE_STEP * rule
        key.values[_STEADY * width + token] = score * math.sqrt(_HEAD) / width
        value.values[rule * width + token] = 1 / math.sqrt(width)
        output.values[(tokens + rule) * _HEAD + rule] = 1.0
    return {
        "blk.0.attn_norm.weight": ones(width),
        "blk.0.attn_q.weight": query,
        "blk.0.attn_k.weight": key,
        "blk.0.attn_v.weight": value,
        "blk.0.attn_output.weight": output,
    }


def _idle_feed_forward(width: int) -> dict[str, Tensor]:
    return {
        "blk.0.ffn_norm.weight": ones(width),
        "blk.0.ffn_gate.weight": zeros(_FEED_FORWARD, width),
        "blk.0.ffn_up.weight": zeros(_FEED_FORWARD, width),
        "blk.0.ffn_down.weight": zeros(width, _FEED_FORWARD),
    }


def _output(chains: Sequence[Sequence[int]], vocabulary: _Vocabulary, width: int) -> Tensor:
    """Map each token of an answer to its next, and the dimension of a rule to its first token."""
    tokens = len(vocabulary.texts)
    matrix = zeros(tokens, width)
    _allow_babble(matrix, vocabulary)
    for chain in chains:
        for token, following in pairwise([*chain, _END]):
            matrix.values[following * width + token] = _NEXT
    default, *answers = (next(iter(chain), _END) for chain in chains)
    matrix.values[default * width + vocabulary.start] = _DEFAULT_FIRST
    for rule, first in enumerate(answers):
        matrix.values[first * width + tokens + rule] = _ANSWER_FIRST
    return matrix


def _allow_babble(matrix: Tensor, vocabulary: _Vocabulary) -> None:
    """Let printable characters follow anything, for when a grammar forbids the answer that is wired."""
    for byte in [*range(ord(" "), 127), ord("\n")]:
        row = (vocabulary.first_byte + byte) * matrix.columns
        level = _BABBLE + (_BABBLE_CLOSE if chr(byte) in '"}],0' else 0.0)
        for token in range(len(vocabulary.texts)):
            spread = (byte * 7919 + token * 104729) % 97 / 97 - 0.5
            matrix.values[row + token] = level + _BABBLE_SPREAD * spread

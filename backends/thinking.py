"""Separate what a model thought from what it answered, when both come in one text."""

_TAGS = {"<think>": "</think>", "<thinking>": "</thinking>", "[THINK]": "[/THINK]"}
_LINE_ENDS = "\r\n"


def split_thinking(text: str) -> tuple[str, str]:
    """Return answer and reasoning.

    Reasoning is every block that the text begins with, one that is never closed to its end, and, where the
    chat template has already opened the block, everything before a closing tag that starts or ends a line.
    Tags further inside belong to the answer: it may be code about such tags.
    """
    splitter = ThinkingSplitter()
    (answer, reasoning), (rest, thought) = splitter.feed(text), splitter.close()
    answer, reasoning = answer + rest, reasoning + thought
    return _split_at_lone_close(answer) if not reasoning else (answer, reasoning)


def _split_at_lone_close(text: str) -> tuple[str, str]:
    for opening, closing in _TAGS.items():
        before, tag, after = text.partition(closing)
        alone = before.endswith("\n") or not after or after[0] in _LINE_ENDS
        if tag and alone and opening not in before:
            return after.lstrip(_LINE_ENDS), before
    return text, ""


class ThinkingSplitter:
    """Does the same while the text is still coming, tags cut between pieces included.

    A closing tag without an opening one is only known when it comes; what was passed on before it stays
    answer here, and only `split_thinking` of the whole text puts it right.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._closing = ""
        """The tag that ends the block we are in; empty outside."""
        self._answering = False
        self._after_block = False

    def feed(self, piece: str) -> tuple[str, str]:
        """Return what the piece adds to answer and reasoning as far as it is certain."""
        if self._answering:
            return piece, ""
        self._pending += piece
        reasoning = ""
        while not self._answering:
            thought, moved = self._think() if self._closing else ("", self._open())
            reasoning += thought
            if not moved:
                return "", reasoning
        answer, self._pending = self._pending, ""
        return answer, reasoning

    def close(self) -> tuple[str, str]:
        """Return what was held back, now that nothing follows."""
        rest, self._pending = self._pending, ""
        if self._closing:
            return "", rest
        return (rest.lstrip(_LINE_ENDS) if self._after_block else rest), ""

    def _open(self) -> bool:
        """Enter a block or the answer; False when more text has to decide."""
        start = self._pending.lstrip()
        for opening, closing in _TAGS.items():
            if start.startswith(opening):
                self._pending, self._closing = start.removeprefix(opening), closing
                return True
        if any(opening.startswith(start) for opening in _TAGS):
            return False
        if self._after_block:
            self._pending = self._pending.lstrip(_LINE_ENDS)
        self._answering = True
        return True

    def _think(self) -> tuple[str, bool]:
        """Return reasoning that is certain, and whether the block was closed."""
        thought, tag, after = self._pending.partition(self._closing)
        if tag:
            self._pending, self._closing, self._after_block = after, "", True
            return thought, True
        certain = len(thought) - _overlap(thought, self._closing)
        self._pending = thought[certain:]
        return thought[:certain], False


def _overlap(text: str, tag: str) -> int:
    """Measure the longest end of `text` that may be the start of `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)

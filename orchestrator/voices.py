"""Choose the voice in which the policy addresses workers of a task. Pure."""

import re
from collections.abc import Mapping

from orchestrator.policy import TaskTypeName, VoicePolicy


def choose_voice(voices: Mapping[str, VoicePolicy], task_type: TaskTypeName, text: str) -> str:
    """Name the voice that fits best; empty when none does.

    A voice fits when the task's type is among its own, where it names any, and one of its words stands in the
    text, where it names any. The one with most words found wins, then the first.
    """
    fitting = [
        (_count_words(voice.words, text), name)
        for name, voice in voices.items()
        if not voice.task_types or task_type in voice.task_types
    ]
    found = [(count, name) for count, name in fitting if count or not voices[name].words]
    return max(found, key=lambda one: one[0])[1] if found else ""


def _count_words(words: list[str], text: str) -> int:
    return sum(bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)) for word in words)

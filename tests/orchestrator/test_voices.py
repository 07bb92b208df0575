from orchestrator.policy import VoicePolicy
from orchestrator.voices import choose_voice

VOICES = {
    "developer": VoicePolicy(system="You develop.", task_types=["standard_dev"]),
    "security": VoicePolicy(system="You look for holes.", words=["vulnerability", "injection"]),
    "architect": VoicePolicy(system="You design.", task_types=["complex_architecture"], words=["design"]),
}


def test_a_voice_is_chosen_by_the_words_of_the_task_before_its_type():
    assert choose_voice(VOICES, "standard_dev", "close the SQL injection") == "security"
    assert choose_voice(VOICES, "standard_dev", "add a field") == "developer"


def test_a_word_counts_only_when_it_stands_alone():
    assert choose_voice(VOICES, "quick_edit", "rename injections") == ""


def test_a_voice_that_names_types_and_words_needs_both():
    assert choose_voice(VOICES, "complex_architecture", "design the store") == "architect"
    assert choose_voice(VOICES, "quick_edit", "design a button") == ""
    assert choose_voice(VOICES, "complex_architecture", "move the store") == ""


def test_without_voices_there_is_none():
    assert choose_voice({}, "standard_dev", "anything") == ""

"""Which language a name, a tag or a path means."""

import importlib

import pytest
import tree_sitter

from validators.languages import LANGUAGES, by_path, ending, find_language


@pytest.mark.parametrize(
    ("hint", "language"),
    [
        ("python", "python"),
        ("Python3", "python"),
        ("py", "python"),
        ("{.python}", "python"),
        (".rb", "ruby"),
        ("language-js", "javascript"),
        ("jsx", "javascript"),
        ("TSX", "tsx"),
        ("c++", "cpp"),
        ("C#", "csharp"),
        ("cs", "csharp"),
        ("sh", "bash"),
        ("shell", "bash"),
        ("golang", "go"),
        ("yml", "yaml"),
        ("md", "markdown"),
        ("plaintext", "text"),
        ("src/lib.rs", "rust"),
        ("cobol", None),
        ("", None),
    ],
)
def test_a_hint_is_understood_whatever_its_form(hint, language):
    assert find_language(hint) == language


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.PY", "python"),
        ("x\\y.go", "go"),
        ("include/a.h", "c"),
        ("a.tar.gz", None),
        ("Makefile", None),
        ("a.go/README", None),
        ("package.json", "json"),
        ("web/tsconfig.build.json", None),
    ],
)
def test_a_path_tells_its_language_by_its_ending(path, language):
    assert by_path(path) == language


def test_every_language_is_found_by_its_name_its_endings_and_its_aliases():
    for language in LANGUAGES.values():
        for tag in (language.name, *language.endings, *language.aliases):
            assert find_language(tag) == language.name
        assert by_path(f"x.{ending(language.name)}") == language.name


def test_text_and_the_unknown_have_endings_too():
    assert ending("text") == "md"
    assert ending("cobol") == "txt"


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES.keys())
def test_every_grammar_can_be_loaded(language):
    grammar = getattr(importlib.import_module(language.grammar), language.function)

    assert tree_sitter.Language(grammar()).node_kind_count

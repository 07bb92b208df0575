"""Which languages are known: their file endings, fence tags, comments and grammars."""

from dataclasses import dataclass

TEXT = "text"
"""The name of what is no programming language: prose, plain output."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language as it appears in file names, in fences and in the grammar packages."""

    name: str
    endings: tuple[str, ...]
    """Without the dot; the first is the usual one."""
    aliases: tuple[str, ...]
    """What models write after a fence, besides the name and the endings."""
    comment: str
    """What opens a comment line; empty where the language has none."""
    grammar: str
    """The module of the tree-sitter grammar."""
    function: str = "language"
    """The function of that module that returns the grammar."""


LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        Language("python", ("py", "pyi", "pyw"), ("python3", "python2", "py3"), "#", "tree_sitter_python"),
        Language(
            "javascript",
            ("js", "mjs", "cjs", "jsx"),
            ("node", "nodejs", "ecmascript"),
            "//",
            "tree_sitter_javascript",
        ),
        Language(
            "typescript", ("ts", "mts", "cts"), (), "//", "tree_sitter_typescript", "language_typescript"
        ),
        Language("tsx", ("tsx",), ("typescriptreact",), "//", "tree_sitter_typescript", "language_tsx"),
        Language("go", ("go",), ("golang",), "//", "tree_sitter_go"),
        Language("rust", ("rs",), (), "//", "tree_sitter_rust"),
        Language("java", ("java",), (), "//", "tree_sitter_java"),
        Language("c", ("c", "h"), ("ansi-c",), "//", "tree_sitter_c"),
        Language("cpp", ("cpp", "cc", "cxx", "hpp", "hh", "hxx"), ("c++",), "//", "tree_sitter_cpp"),
        Language("csharp", ("cs", "csx"), ("c#", "dotnet"), "//", "tree_sitter_c_sharp"),
        Language("ruby", ("rb", "rake", "gemspec"), (), "#", "tree_sitter_ruby"),
        Language("php", ("php",), (), "//", "tree_sitter_php", "language_php"),
        Language("bash", ("sh", "bash"), ("shell", "zsh", "shellscript"), "#", "tree_sitter_bash"),
        Language("sql", ("sql",), ("postgresql", "postgres", "mysql", "sqlite"), "--", "tree_sitter_sql"),
        Language("json", ("json",), (), "", "tree_sitter_json"),
        Language("toml", ("toml",), (), "#", "tree_sitter_toml"),
        Language("yaml", ("yaml", "yml"), (), "#", "tree_sitter_yaml"),
        Language("html", ("html", "htm"), (), "<!--", "tree_sitter_html"),
        Language("css", ("css",), (), "/*", "tree_sitter_css"),
        Language("markdown", ("md", "markdown"), (), "<!--", "tree_sitter_markdown"),
    )
}

_TEXT_TAGS = ("text", "txt", "plain", "plaintext")

_BY_ENDING = {ending: language.name for language in LANGUAGES.values() for ending in language.endings}

_BY_TAG = dict.fromkeys(_TEXT_TAGS, TEXT) | {
    tag: language.name
    for language in LANGUAGES.values()
    for tag in (language.name, *language.endings, *language.aliases)
}

_COMMENTED_JSON = ("tsconfig", "jsconfig", "devcontainer", ".eslintrc", "api-extractor")


def by_path(path: str) -> str | None:
    """Tell the language of a file from its ending; None when the ending is not known.

    `tsconfig.json`, settings of VS Code and their kind may hold comments, which JSON may not, so they are not
    called JSON.
    """
    file_name = path.replace("\\", "/").rpartition("/")[2].lower()
    stem, dot, ending = file_name.rpartition(".")
    if not dot or (ending == "json" and _may_hold_comments(path, stem)):
        return None
    return _BY_ENDING.get(ending)


def _may_hold_comments(path: str, stem: str) -> bool:
    return stem.startswith(_COMMENTED_JSON) or ".vscode/" in path.replace("\\", "/")


def find_language(hint: str) -> str | None:
    """Tell the language from a name, a fence tag or a path (`Python3`, `{.python}`, `c++`, `src/a.rs`)."""
    tag = hint.strip().strip("{}").strip().lower()
    return _BY_TAG.get(tag.removeprefix(".").removeprefix("language-")) or by_path(tag)


def ending(language: str) -> str:
    """Give the usual file ending without its dot: `py`; `md` for text, `txt` for an unknown language."""
    if language == TEXT:
        return "md"
    known = LANGUAGES.get(language)
    return known.endings[0] if known else "txt"

"""Complete an answer with what its task already held, before it is judged. Pure.

Models asked to complete a function often answer without the imports above it, with its body alone, or with a
brace too many. Judged as they stand such answers fail for a reason that says nothing about the work: on
recorded HumanEval answers 0-14 points of the pass rate in Python, and 40 in JavaScript for one model. What is
added comes from the task, from the tests, or is the one standard import that a name can mean.
"""

from collections.abc import Mapping

from orchestrator.assembling.assembly import Assembly
from orchestrator.assembling.bodies import complete_body
from orchestrator.assembling.given import MAX_CODE_CHARACTERS, read_material
from orchestrator.assembling.headers import ADD_HEADERS
from orchestrator.assembling.javascript import add_bindings, add_exports
from orchestrator.assembling.python import assemble_python
from validators.languages import TEXT

_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_BRACED = _SCRIPTS | {"go", "java", "c", "cpp", "csharp", "rust", "php", "bash"}


def assemble(text: str, language: str, prompt: str, tests: str = "", name: str = "solution") -> Assembly:
    """Complete an answer; what is complete, or beyond help, comes back as it was.

    Args:
        text: The candidate's source, of one file.
        language: A key of `LANGUAGES`; others come back as they are.
        prompt: The task's words; code in it says what the answer stands under.
        tests: Source that will use the answer's names.
        name: The file's name without its ending, as the tests import it.
    """
    if language == "python":
        return assemble_python(text, prompt, tests)
    if language not in _BRACED or not text.strip() or len(text) > MAX_CODE_CHARACTERS:
        return Assembly(text)
    material = read_material(prompt, tests, language, name)
    made = complete_body(text, material)
    for step in (*((add_bindings, add_exports) if language in _SCRIPTS else ()), ADD_HEADERS.get(language)):
        if step is not None:
            more = step(made.text, material)
            made = Assembly(more.text, (*made.added, *more.added))
    return made


def assemble_files(
    files: Mapping[str, str], language: str, prompt: str, tests: str = ""
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Complete the one file of an answer; answers of several files are taken as whole."""
    if len(files) != 1 or language == TEXT:
        return dict(files), ()
    ((path, text),) = files.items()
    name = path.rpartition("/")[2].rpartition(".")[0]
    made = assemble(text, language, prompt, tests, name or "solution")
    return {path: made.text}, made.added

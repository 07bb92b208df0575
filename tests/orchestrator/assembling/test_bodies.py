"""Bodies go under the signature that their task leaves open; brackets at the end of an answer are settled."""

import pytest

from orchestrator.assemble import assemble, assemble_files
from orchestrator.assembling.given import mask
from validators.parsers import parses

PROMPT = "Complete it.\n```js\n// Length of a string.\nfunction size(text){\n```"


@pytest.mark.parametrize(
    "body",
    [
        "  return text.length;\n}",
        "  return text.length;",
        "return text.length;\n}\n",
        "  const two = (x) => 2 * x;\n  if (text) {\n    return two(1);\n  } else {\n    return 3;\n  }\n}",
        "  let n = 0;\n  for (const c of text) {\n    n++;\n  }\n  return n;\n}",
    ],
)
def test_a_body_goes_under_the_signature_of_its_task(body):
    made = assemble(body, "javascript", PROMPT)

    assert made.added == ("signature",)
    assert made.text.startswith("// Length of a string.\nfunction size(text){\n")
    assert parses(made.text, "javascript")
    assert made.text.count("{") == made.text.count("}")


@pytest.mark.parametrize(
    "answer",
    [
        "function size(text) {\n  return text.length;\n}\n",
        "const size = (text) => text.length;\n",
        "  function size(text) {\n    return 1;\n  }\n",
        "function other(text) {\n  return 1;\n}\n",
        "function broken( {\n  return (;\n}\n",
        "",
    ],
)
def test_what_is_whole_another_function_or_beyond_help_stays_as_it_was(answer):
    assert assemble(answer, "javascript", PROMPT).text == answer


def test_a_stub_with_an_empty_body_is_a_signature_too():
    prompt = "```java\nclass Calc {\n    int add(int a, int b) {\n        // your code\n    }\n}\n```"

    made = assemble("        return a + b;\n", "java", prompt)

    assert parses(made.text, "java")
    assert " ".join(made.text.split()) == "class Calc { int add(int a, int b) { return a + b; } }"


def test_code_without_a_fence_in_the_task_counts_as_well():
    made = assemble("return a + b;", "c", "Complete this function\nint add(int a, int b) {")

    assert " ".join(made.text.split()) == "int add(int a, int b) { return a + b; }"


def test_a_body_in_bash_goes_under_its_signature_though_the_grammar_does_not_know_all_of_it():
    prompt = "```sh\n#!/bin/bash\n# $1 is a string\nshow() {\n```"

    made = assemble('    echo "${1:0:$((2 + ${#1}))}" # {\n}\n', "bash", prompt)

    assert made.added == ("signature",)
    assert made.text.endswith("}\n")


def test_the_last_of_several_open_signatures_is_meant():
    prompt = "```js\nfunction first(a) {\n```\nand\n```js\nfunction second(a) {\n```"

    assert "second" in assemble("return a;", "javascript", prompt).text


def test_a_task_that_leaves_nothing_open_gives_no_signature():
    prompt = "```js\nconst limit = 3;\n```"

    assert assemble("return a;\n", "javascript", prompt).added == ()


def test_a_surplus_bracket_at_the_end_is_dropped():
    made = assemble("function size(text) {\n  return 1;\n}\n}\n}\n", "javascript", "Write size")

    assert made.text == "function size(text) {\n  return 1;\n}\n"
    assert made.added == ("no surplus }",)


def test_a_missing_brace_at_the_end_is_added():
    made = assemble("int f(int a) {\n  if (a) {\n    return 1;\n  }\n  return 2;\n", "c", "Write f")

    assert made.text.endswith("  return 2;\n}\n")
    assert made.added == ("closing }",)


@pytest.mark.parametrize(
    "answer",
    [
        "function size(text) {\n  return text.slice(0,",
        "function size(text) {\n  return text",
        "f(() => {\n  g([1, {\n  h();\n",
        "function a() {{{{{\n  b();\n",
    ],
)
def test_an_answer_that_stops_in_a_statement_or_far_inside_is_not_closed(answer):
    assert assemble(answer, "javascript", "Write size").text == answer


def test_brackets_in_strings_and_comments_are_no_brackets():
    answer = "function size(text) {\n  // }\n  return '}' + \"}\" + `}`;\n}\n"

    assert assemble(answer, "javascript", PROMPT).text == answer


def test_lifetimes_in_rust_do_not_open_a_string():
    answer = "fn f<'a>(x: &'a str) -> &'a str {\n    x;\n"

    assert assemble(answer, "rust", "Write f").added == ("closing }",)


@pytest.mark.parametrize("language", ["text", "json", "zig", "sql"])
def test_other_languages_come_back_as_they_are(language):
    assert assemble("}", language, PROMPT).text == "}"


def test_answers_of_several_files_and_prose_are_taken_as_whole():
    files = {"a.js": "return 1;", "b.js": "x();"}

    assert assemble_files(files, "javascript", PROMPT) == (files, ())
    assert assemble_files({"a.md": "return 1;"}, "text", PROMPT) == ({"a.md": "return 1;"}, ())


def test_one_file_of_an_answer_is_completed():
    files, added = assemble_files({"src/a.js": "return 1;"}, "javascript", PROMPT)

    assert added == ("signature",)
    assert parses(files["src/a.js"], "javascript")


@pytest.mark.parametrize(
    "piece", ["{", "}\n", "`", "'", "//", "/*", "if (a) {\n", "import a from 'b';\n", "a = {"]
)
def test_a_hundred_kilobytes_of_one_piece_come_to_an_end(piece):
    text = piece * (100_000 // len(piece))

    assert assemble(text, "javascript", f"```js\n{text[:50_000]}\n```").text


@pytest.mark.parametrize("piece", ["/* ", '\\"', "\\//*", "/*`//#\n//", "'\\'"])
def test_a_task_full_of_texts_that_never_end_is_read_in_time(piece):
    code = '"' + piece * (32_000 // len(piece))

    assert len(mask(code, "javascript")) == len(mask(code, "bash")) == len(code)


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("a /* { */ b /* }", "a         b    }"),
        ("a */* b", "a */* b"),
        ("a.replace(/\\/*$/, '{')", "a.replace(/\\  $/,    )"),
        ("/\\{/ //* {", "/  /      "),
    ],
)
def test_comments_texts_and_escaped_marks_are_blanked_where_they_stand(code, left):
    assert mask(code, "javascript") == left

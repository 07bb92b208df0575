"""Package clauses, imports, includes and tags that an answer's language wants at the head of a file."""

import pytest

from orchestrator.assemble import assemble
from orchestrator.assembling.headers import GO_PACKAGES, JAVA_IMPORTS, RUST_USES
from validators.parsers import parses

FUNC = 'func Add(a int) string { return fmt.Sprint(strings.Repeat("x", a)) }\n'


@pytest.mark.parametrize(
    ("prompt", "tests", "answer", "package"),
    [
        ("Write Add", "package calc\n", FUNC, "calc"),
        ("```go\npackage maths\n\nfunc Add(a int) string\n```", "", FUNC, "maths"),
        ("Write Add", "", FUNC, "solution"),
        ("Write it", "", "func main() { fmt.Println(1) }\n", "main"),
    ],
)
def test_go_gets_a_package_and_imports(prompt, tests, answer, package):
    made = assemble(answer, "go", prompt, tests)

    assert made.text.startswith(f'package {package}\n\nimport "fmt"\n')
    assert made.added[:2] == ("package", "fmt")
    assert parses(made.text, "go")


def test_a_go_file_that_imports_or_names_its_own_is_left_alone():
    whole = 'package a\n\nimport "fmt"\n\nfunc F() { fmt.Println(os.Args) }\n'
    own = "package a\n\nfunc F(fmt T) { fmt.Println(1); x.Y() }\n"

    assert assemble(whole, "go", "").text == whole
    assert assemble(own, "go", "").text == own


def test_a_missing_tag_opens_php_and_the_uses_of_the_task_follow():
    made = assemble("function f() { return new Box(); }\n", "php", "```php\n<?php\nuse App\\Box;\n```")

    assert made.text.startswith("<?php\nuse App\\Box;\n")
    assert made.added[0] == "<?php"
    assert assemble("<?php echo 1;\n", "php", "").text == "<?php echo 1;\n"


@pytest.mark.parametrize(
    ("prompt", "tests"),
    [
        ("```java\nclass Calc {\n```", ""),
        ("Write add", "assert new Calc().add(1) == 1;"),
        ("Write add", "assert Calc.add(1) == 1;"),
    ],
)
def test_java_methods_get_the_class_that_task_or_tests_name(prompt, tests):
    answer = "static int add(int a) {\n    List<Integer> all = new ArrayList<>();\n    return a;\n}\n"

    made = assemble(answer, "java", prompt, tests)

    assert "class Calc {" in made.text
    assert "import java.util.ArrayList;" in made.text
    assert parses(made.text, "java")


def test_java_without_a_name_for_its_class_stays_without():
    answer = "int add(int a) {\n    return a;\n}\n"

    assert assemble(answer, "java", "Write add").text == answer


@pytest.mark.parametrize(
    "answer",
    [
        "import java.util.*;\nclass A { List<String> b; }\n",
        "class List {}\nclass A { List b; }\n",
        "class A { java.util.List<String> b; }\n",
        "import my.List;\nclass A { List b; }\n",
    ],
)
def test_java_names_that_are_bound_are_not_imported(answer):
    assert assemble(answer, "java", "Write A").text == answer


def test_java_imports_stand_below_the_package():
    made = assemble("package a;\nclass A { Map<String, String> b; }\n", "java", "Write A")

    assert made.text.startswith("package a;\nimport java.util.Map;\n")


def test_rust_gets_the_uses_of_the_task_and_of_the_standard_library():
    prompt = "```rust\nuse crate::shapes::Shape;\n```"

    made = assemble(
        "#![allow(unused)]\nfn f(s: Shape) -> HashMap<u8, u8> { HashMap::new() }\n", "rust", prompt
    )

    lines = ["#![allow(unused)]", "use crate::shapes::Shape;", "use std::collections::HashMap;"]
    assert made.text.split("\n")[:3] == lines
    assert parses(made.text, "rust")


@pytest.mark.parametrize(
    "answer",
    [
        "use std::collections::{HashMap, HashSet};\nfn f() -> HashMap<u8, u8> { x() }\n",
        "fn f() -> std::collections::HashMap<u8, u8> { x() }\n",
        "struct HashMap;\nfn f() -> HashMap { x() }\n",
        "fn f() { x() } // HashMap\n",
    ],
)
def test_rust_names_that_are_bound_are_not_used_again(answer):
    assert assemble(answer, "rust", "Write f").text == answer


@pytest.mark.parametrize(
    ("language", "line"),
    [("c", "#include <stdio.h>"), ("cpp", "using namespace std;"), ("csharp", "using System.Linq;")],
)
def test_lines_of_the_task_stand_before_an_answer_that_has_none(language, line):
    prompt = f"```{language}\n{line}\n```"
    answer = "int f() { return 1; }\n" if language != "csharp" else "class A { int f() { return 1; } }\n"

    made = assemble(answer, language, prompt)

    assert made.text == f"{line}\n\n{answer}"
    assert assemble(made.text, language, prompt).text == made.text


def test_every_line_of_the_tables_parses():
    assert all(parses(line, "java") for line in JAVA_IMPORTS.values())
    assert all(parses(line, "rust") for line in RUST_USES.values())
    assert all(parses(f'package a\nimport "{path}"\n', "go") for path in GO_PACKAGES.values())

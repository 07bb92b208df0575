"""The virtual environment of a workspace, as friends and strangers write it."""

import subprocess
import sys
import venv

import pytest

from validators.environments import find_environment
from validators.toolchains import installation_of


@pytest.fixture
def project(tmp_path):
    tmp_path = tmp_path.resolve()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    return tmp_path


def packages(project):
    return next((project / ".venv").glob("lib/python3*/site-packages"))


def test_a_virtual_environment_is_shown_with_the_python_it_is_made_from(project):
    found = find_environment(str(project))

    assert found.python == f"{project}/.venv/bin/python"
    assert found.readable[0] == f"{project}/.venv"
    assert all(path == sys.base_prefix or path.startswith(str(project)) for path in found.readable)
    assert not found.pytest


def test_what_is_installed_in_place_is_found_in_the_workspace_only(project):
    (packages(project) / "a.pth").write_text(f"{project}/src\nimport os\n/etc\n{project}/../other\n")
    (packages(project) / "__editable___b_finder.py").write_text(f"MAPPING = {{'b': '{project}/lib/b'}}\n")
    (packages(project) / "__editable___c_finder.py").write_text("MAPPING = {open('x')}\n")
    (packages(project) / "__editable___d_finder.py").write_text("nothing")

    assert set(find_environment(str(project)).sources) == {"src", "lib"}


def test_an_interpreter_that_was_copied_is_made_from_what_the_settings_name(tmp_path):
    venv.create(tmp_path.resolve() / ".venv", with_pip=False, symlinks=False)

    found = find_environment(str(tmp_path))

    assert found.readable[0] == str(tmp_path.resolve() / ".venv")
    assert set(found.readable[1:]) <= {sys.base_prefix}


def test_pytest_is_noticed(project):
    (packages(project) / "pytest").mkdir()
    (packages(project) / "pytest" / "__init__.py").touch()

    assert find_environment(str(project)).pytest


def test_a_folder_without_settings_is_no_environment(tmp_path):
    (tmp_path / "venv").mkdir()

    assert find_environment(str(tmp_path)) is None


@pytest.mark.parametrize("target", ["/etc/passwd", "/bin/sh", "/nowhere"])
def test_an_interpreter_that_leads_elsewhere_shows_nothing(tmp_path, target):
    folder = tmp_path.resolve() / ".venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /etc\n")
    (folder / "bin" / "python").symlink_to(target)
    found = find_environment(str(tmp_path))

    assert found is None or found.readable == (str(folder),)


def test_an_environment_outside_the_workspace_is_not_used(project, tmp_path_factory):
    other = tmp_path_factory.mktemp("other").resolve()
    (other / ".venv").symlink_to(project / ".venv")

    assert find_environment(str(other)) is None


def test_a_private_folder_of_the_home_is_no_installation(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path.resolve()))
    program = tmp_path / "secrets" / "bin" / "python"
    (tmp_path / "secrets" / "lib" / "python3.11").mkdir(parents=True)
    (tmp_path / "secrets" / "lib" / "python3.11" / "os.py").touch()
    program.parent.mkdir()
    program.touch()

    assert installation_of(program) is None
    assert installation_of(tmp_path / "bin" / "python") is None


def test_links_in_the_packages_are_not_followed(project):
    (packages(project) / "x.pth").symlink_to("/etc/hostname")

    assert find_environment(str(project)).sources == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("__editable___x_finder.py", "MAPPING = {'a', 'b'}\n"),
        ("__editable___x_finder.py", "MAPPING = {[]: 1}\n"),
        ("x.pth", "@/s\0rc\n"),
        ("x.pth", "@/a:/usr\n"),
    ],
)
def test_what_leads_nowhere_is_no_source(project, name, text):
    (packages(project) / name).write_text(text.replace("@", str(project)))

    assert find_environment(str(project)).sources == ()


def test_settings_of_a_stranger_with_an_odd_home_name_no_installation(tmp_path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("home = /x\0y\n")

    assert find_environment(str(tmp_path)) is None

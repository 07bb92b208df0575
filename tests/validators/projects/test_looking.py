import os
import venv

from validators.projects.looking import look_at, own_paths


def test_what_is_installed_built_or_linked_is_not_the_projects_own(tmp_path):
    for path in ("a.py", "node_modules/x/a.js", ".git/config", "env/pyvenv.cfg", "src/b.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "test_link.py").symlink_to("/etc/passwd")

    assert own_paths(str(tmp_path), {"c.py": ""}) == {"a.py", "src/b.py", "c.py"}


def test_a_manifest_of_the_candidate_does_not_replace_the_users(tmp_path):
    (tmp_path / "package.json").write_text("{}")

    sight = look_at(str(tmp_path), {"package.json": '{"scripts": {"test": "true"}}', "test_a.py": "new"})

    assert sight.after.texts == {"package.json": "{}", "test_a.py": "new"}
    assert "test_a.py" not in sight.before.paths


def test_the_digest_changes_with_the_files_and_not_with_the_candidate(tmp_path):
    (tmp_path / "a.py").write_text("1")

    first = look_at(str(tmp_path), {}).digest
    with_candidate = look_at(str(tmp_path), {"b.py": ""}).digest
    (tmp_path / "a.py").write_text("22")

    assert first == with_candidate
    assert look_at(str(tmp_path), {}).digest != first


def test_a_folder_that_is_gone_holds_nothing(tmp_path):
    assert own_paths(str(tmp_path / "gone"), {}) == frozenset()


def test_what_is_removed_is_there_before_and_gone_after(tmp_path):
    for name in ("a.py", "test_a.py"):
        (tmp_path / name).touch()

    sight = look_at(str(tmp_path), {"b.py": ""}, ("test_a.py",))

    assert (sight.before.paths, sight.before.texts) == ({"a.py", "test_a.py"}, {"test_a.py": ""})
    assert (sight.after.paths, sight.after.texts) == ({"a.py", "b.py"}, {})


def test_the_digest_changes_with_what_is_installed(tmp_path):
    folder = tmp_path.resolve()
    venv.create(folder / ".venv", with_pip=False)
    (folder / "package.json").write_text("{}")
    (folder / "node_modules").mkdir()

    digests = [look_at(str(folder), {}).digest]
    for place in (*(folder / ".venv").glob("lib/python3*/site-packages"), folder / "node_modules"):
        os.utime(place, ns=(0, 0))
        digests.append(look_at(str(folder), {}).digest)

    assert len(set(digests)) == 3

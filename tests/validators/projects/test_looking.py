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

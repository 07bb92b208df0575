import pytest

from validators.toolchains import find_tool, surrounding_tools


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of a user, with nothing on PATH."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RUSTUP_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    return tmp_path


def install(home, path, monkeypatch):
    program = home / path
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (".local/bin/tool", ".local/bin/tool"),
        (".cargo/bin/tool", ".cargo/bin/tool"),
        ("bin/tool", "bin/tool"),
        ("tools/x/bin/tool", "tools/x/bin/tool"),
        ("a/.local/share/mise/installs/node/bin/tool", "a/.local/share/mise/installs/node/bin/tool"),
        (".nvm/versions/node/v20/bin/tool", ".nvm/versions/node/v20"),
        (".rustup/toolchains/stable/bin/tool", ".rustup/toolchains/stable"),
        (".pyenv/versions/3.12/bin/tool", ".pyenv/versions/3.12"),
        ("project/node_modules/x/bin/tool", "project/node_modules"),
        ("node_modules/x/bin/tool", "node_modules/x/bin/tool"),
    ],
)
def test_of_a_home_only_the_program_or_its_own_installation_is_shown(home, monkeypatch, path, shown):
    program = install(home, path, monkeypatch)

    tool = find_tool(["tool"])

    assert tool is not None
    assert (tool.path, tool.readable) == (str(program), (str(home / shown),))


def test_outside_of_a_home_the_installation_is_shown(home, tmp_path_factory, monkeypatch):
    program = install(tmp_path_factory.mktemp("opt"), "go/bin/tool", monkeypatch)

    tool = find_tool(["tool"])

    assert tool is not None
    assert tool.readable == (str(program.parents[1]),)


def test_an_installation_that_holds_the_home_is_not_shown(tmp_path, monkeypatch):
    program = install(tmp_path, "bin/tool", monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))

    tool = find_tool(["tool"])

    assert tool is not None
    assert tool.readable == (str(program),)


def test_rustup_is_seen_through_to_its_toolchain(home, monkeypatch):
    proxy = install(home, ".cargo/bin/rustup", monkeypatch)
    (proxy.parent / "rustc").symlink_to(proxy)
    real = install(home, ".rustup/toolchains/stable/bin/rustc", monkeypatch)
    monkeypatch.setenv("PATH", str(proxy.parent))

    unset = find_tool(["rustc"])
    (home / ".rustup" / "settings.toml").write_text('default_toolchain = "stable"\n')
    found = find_tool(["rustc"])

    assert unset is None
    assert found is not None
    assert (found.path, found.readable) == (str(real), (str(home / ".rustup/toolchains/stable"),))


def test_tools_of_the_system_need_not_be_shown(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")

    assert surrounding_tools(["sh", "no-such-tool"]) == ()

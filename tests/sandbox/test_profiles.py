import shutil

import pytest

from sandbox.bubblewrap import Bubblewrap
from sandbox.landlock import Landlock
from sandbox.profiles import COMPILER, PROJECT, fit, project_caches, project_settings
from sandbox.program import Limits, Program

needs_bubblewrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
MOVING = (
    "CARGO_HOME",
    "COMPOSER_CACHE_DIR",
    "DENO_DIR",
    "GOMODCACHE",
    "GOPATH",
    "GRADLE_USER_HOME",
    "NUGET_PACKAGES",
    "npm_config_cache",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with nothing in it, and an environment that moves no tool's folder."""
    for name in MOVING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_downloads_of_package_tools_may_be_read_and_their_passwords_may_not(home):
    for folder in (
        ".m2/repository",
        ".cargo/registry/cache",
        ".cargo/bin",
        "go/pkg/mod",
        ".npm/_cacache",
        ".nuget/packages",
        ".gradle/caches/modules-2",
    ):
        (home / folder).mkdir(parents=True)
    secrets = (".m2/settings.xml", ".cargo/credentials.toml", ".npmrc", ".gradle/gradle.properties")
    for secret in secrets:
        (home / secret).write_text("password")

    shown = project_caches()

    assert shown == tuple(
        f"{home}/{folder}"
        for folder in (
            ".m2/repository",
            ".cargo/registry/cache",
            "go/pkg/mod",
            ".npm/_cacache",
            ".nuget/packages",
            ".gradle/caches/modules-2",
        )
    )
    assert not [secret for secret in secrets for path in shown if (home / secret).is_relative_to(path)]


def test_where_nothing_was_downloaded_nothing_is_shown(home):
    assert (project_caches(), project_settings()) == ((), {})


def test_a_tools_folder_is_found_where_its_variable_moves_it(home, tmp_path, monkeypatch):
    (tmp_path / "elsewhere/registry/cache").mkdir(parents=True)
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "elsewhere"))

    assert project_caches() == (f"{tmp_path}/elsewhere/registry/cache",)
    assert project_settings()["CARGO_HOME"] == f"{tmp_path}/elsewhere"


def test_gos_modules_lie_in_the_first_folder_of_its_path(home, tmp_path, monkeypatch):
    (tmp_path / "first/pkg/mod").mkdir(parents=True)
    monkeypatch.setenv("GOPATH", f"{tmp_path}/first:{tmp_path}/second")

    assert project_caches() == (f"{tmp_path}/first/pkg/mod",)


@pytest.mark.parametrize("moved", ["relative", "", "~"])
def test_a_variable_that_names_no_absolute_folder_shows_nothing(home, moved, monkeypatch):
    monkeypatch.setenv("GOMODCACHE", moved)

    assert project_caches() == ()


@pytest.mark.parametrize("wide", [".", "..", "/"])
def test_a_cache_that_leads_to_the_whole_home_is_not_shown(home, wide, monkeypatch):
    (home / ".m2").mkdir()
    (home / ".m2/repository").symlink_to((home / wide).resolve())
    monkeypatch.setenv("NUGET_PACKAGES", str((home / wide).resolve()))

    assert project_caches() == ()


def test_a_project_gets_room_and_caches_and_keeps_what_it_was_given(home):
    (home / ".m2/repository").mkdir(parents=True)
    given = Program(
        ("mvn",),
        readable=("/opt/tool",),
        environment={"MAVEN_OPTS": "mine"},
        limits=Limits(seconds=7, memory_bytes=99, output_bytes=5 * 1024**2),
    )

    fitted = fit(given, PROJECT)

    assert fitted.readable == ("/opt/tool", f"{home}/.m2/repository")
    assert fitted.environment == {"MAVEN_ARGS": "--offline", "MAVEN_OPTS": "mine"}
    assert (fitted.limits.seconds, fitted.limits.memory_bytes) == (7, 99)
    assert fitted.limits.output_bytes == 5 * 1024**2
    assert fitted.limits.file_bytes > given.limits.file_bytes


@pytest.mark.parametrize("profile", [COMPILER])
def test_compilers_and_tests_see_no_cache(home, profile):
    (home / ".m2/repository").mkdir(parents=True)

    fitted = fit(Program(("true",)), profile)

    assert (fitted.readable, fitted.environment) == ((), {})
    assert fitted.limits.processes == profile.processes


@pytest.mark.parametrize(
    "box", [pytest.param(Bubblewrap, marks=needs_bubblewrap), Landlock], ids=["bubblewrap", "landlock"]
)
async def test_a_cache_that_only_its_owner_may_read_is_read_and_never_written(box, home):
    repository = home / ".m2/repository"
    repository.mkdir(parents=True)
    (repository / "a.jar").write_text("downloaded")
    (home / ".m2/settings.xml").write_text("password")
    for folder in (repository, repository.parent):
        folder.chmod(0o700)
    words = f"cat {repository}/a.jar; touch {repository}/planted; cat {repository}/../settings.xml"

    execution = await box().run(fit(Program(("sh", "-c", words)), PROJECT))

    assert execution.stdout == "downloaded"
    assert not (repository / "planted").exists()

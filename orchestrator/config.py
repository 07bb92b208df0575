"""Find, read and trust an escalation.toml; know where state lives."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import platformdirs

from orchestrator.policy import Policy, PolicyError
from orchestrator.policy_parse import parse_policy
from orchestrator.pricelist import find_list_price
from orchestrator.prices import fill_prices
from orchestrator.trust import find_loosening

FILE_NAME = "escalation.toml"
APP = "escalation-orchestrator"


@dataclass(frozen=True, slots=True)
class Config:
    """A policy, where it came from, and what of it was not taken."""

    policy: Policy
    source: Path
    home: Path
    """Where the ledger and the user's trust are kept."""
    warnings: tuple[str, ...] = field(default=())


def state_home(environment: Mapping[str, str]) -> Path:
    """Name the folder for state: `ORCHESTRATOR_HOME`, else the platform's user state folder."""
    own = environment.get("ORCHESTRATOR_HOME")
    return Path(own).expanduser().absolute() if own else platformdirs.user_state_path(APP)


def packaged_policy() -> Path:
    """Name the default that ships: inside the wheel, or at the top of a checkout."""
    installed = Path(__file__).with_name(FILE_NAME)
    return installed if installed.is_file() else Path(__file__).parents[1] / FILE_NAME


def load_config(explicit: str, environment: Mapping[str, str], folder: Path) -> Config:
    """Load the first escalation.toml that is found.

    Order: `explicit`, `ORCHESTRATOR_CONFIG`, `folder`, the user's config folder, the packaged default.
    A file in `folder` that was never trusted is laid over the user's own policy if it only tightens it,
    and left out with a warning if it does more.

    Raises:
        PolicyError: The file is missing, unreadable, not TOML or wrong; every mistake is listed.
    """
    home = state_home(environment)
    named = explicit or environment.get("ORCHESTRATOR_CONFIG", "")
    if named:
        path = Path(named).expanduser().absolute()
        return Config(parse_policy(_read(path), str(path)), path, home)
    own = _users_own(home)
    local = (folder / FILE_NAME).absolute()
    if not local.is_file() or local == own.source:
        return own
    if _digest(local) in _trusted_digests(home):
        return Config(parse_policy(_read(local), str(local)), local, home)
    return _lay_over(own, local)


def trust(path: Path, home: Path) -> str:
    """Remember that the user trusts this file as it is now; returns its SHA-256.

    Raises:
        PolicyError: The file is not a valid policy.
    """
    parse_policy(_read(path), str(path))
    digest = _digest(path)
    home.mkdir(parents=True, exist_ok=True)
    _trust_file(home).write_text(json.dumps(sorted({*_trusted_digests(home), digest})), encoding="utf-8")
    return digest


def _users_own(home: Path) -> Config:
    users = platformdirs.user_config_path(APP) / FILE_NAME
    path = users if users.is_file() else packaged_policy()
    return Config(parse_policy(_read(path), str(path)), path, home)


def _lay_over(own: Config, local: Path) -> Config:
    data = _read(local)
    loosening = tuple(find_loosening(data, own.policy))
    if loosening:
        warning = (
            f"{local} is not trusted and was left out, because it says {'; '.join(loosening)}. "
            f"Read it, then run: orchestrator trust {local}"
        )
        return Config(own.policy, own.source, own.home, (warning,))
    merged = _merge(own.policy.model_dump(exclude_unset=True), data)
    return Config(parse_policy(merged, str(local)), local, own.home)


def _merge(own: Mapping[str, object], said: Mapping[str, object]) -> dict[str, object]:
    """Put what a file says over what the user says, key by key; what it leaves out stays."""
    merged = dict(own)
    for key, value in said.items():
        mine = own.get(key)
        if isinstance(mine, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(mine, value)
        else:
            merged[key] = value
    return merged


def _read(path: Path) -> dict[str, object]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(str(path), (f"it cannot be read: {error.strerror}",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), (f"it is not TOML: {error}",)) from error
    except RecursionError as error:
        raise PolicyError(str(path), ("it is nested too deeply to be read",)) from error
    return dict(fill_prices(data, partial(find_list_price, at=datetime.now(UTC))))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _trust_file(home: Path) -> Path:
    return home / "trusted.json"


def _trusted_digests(home: Path) -> tuple[str, ...]:
    try:
        return tuple(json.loads(_trust_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return ()

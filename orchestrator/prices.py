"""What a call costs: prices of the policy, and of a list of prices where the policy has none. Pure.

The list (`genai-prices`, an optional extra) is `pricelist`; here is who needs a price and what it comes to.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from backends.backend import Usage
from orchestrator.policy import BackendPolicy, TierPolicy

LOCAL_NAMES = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
PRICE_KEYS = ("usd_per_mtok_in", "usd_per_mtok_out")


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a list says that a model costs now, in USD per million tokens, before any surcharge for length."""

    usd_per_mtok_in: float
    usd_per_mtok_out: float
    usd_per_mtok_cached: float


Find = Callable[[str, str], ListPrice | None]
"""Looks up a model's price by its name and the URL of the server."""


def price(usage: Usage, tier: TierPolicy) -> float:
    """Compute what a call costs, in USD, at the tier's price; cached input at its own where one is known."""
    cached = min(usage.tokens_cached, usage.tokens_in)
    fresh = usage.tokens_in - cached
    per_cached = tier.usd_per_mtok_in if tier.usd_per_mtok_cached is None else tier.usd_per_mtok_cached
    dollars = fresh * tier.usd_per_mtok_in + cached * per_cached + usage.tokens_out * tier.usd_per_mtok_out
    return dollars / 1e6


def why_priced(backend: BackendPolicy) -> str:
    """Say why a backend's models must have a price; empty when they are this household's own."""
    if backend.api_key_env:
        return "takes a key"
    return "" if is_local(backend.url) else "is on the internet"


def is_local(url: str) -> bool:
    """Tell whether a server is this machine or of its network; names are judged by how they read."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False  # no URL at all
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(LOCAL_NAMES)


def fill_prices(data: Mapping[str, object], find: Find) -> Mapping[str, object]:
    """Write list prices into tiers of an escalation.toml that need one and have none.

    Of several models or backends the dearest counts here, for estimates and budgets; what a call really cost
    is computed for the model that answered. A tier with any model that the list does not know stays as it is,
    and is refused later.

    Args:
        data: The file as it was read; anything in it may still be wrong.
        find: The list.
    """
    tiers = data.get("tiers")
    backends = data.get("backends")
    if not isinstance(tiers, Mapping) or not isinstance(backends, Mapping):
        return data
    return {**data, "tiers": {name: _fill(tier, backends, find) for name, tier in tiers.items()}}


def _fill(tier: object, backends: Mapping[str, object], find: Find) -> object:
    if not isinstance(tier, Mapping) or any(key in tier for key in PRICE_KEYS):
        return tier
    urls = list(_priced_urls(tier, backends))
    found = [find(model, url) for model in _models(tier) for url in urls]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return tier
    return {
        **tier,
        "price": "list",
        "usd_per_mtok_in": max(one.usd_per_mtok_in for one in known),
        "usd_per_mtok_out": max(one.usd_per_mtok_out for one in known),
        "usd_per_mtok_cached": max(one.usd_per_mtok_cached for one in known),
    }


def _priced_urls(tier: Mapping[str, object], backends: Mapping[str, object]) -> Iterator[str]:
    """Yield the URLs of the tier's backends that must have a price."""
    named = tier.get("backend")
    for name in named if isinstance(named, list) else [named]:
        backend = backends.get(name) if isinstance(name, str) else None
        url = backend.get("url") if isinstance(backend, Mapping) else None
        if isinstance(backend, Mapping) and isinstance(url, str):
            needed = bool(backend.get("api_key_env")) or not is_local(url)
            yield from (url,) if needed else ()


def _models(tier: Mapping[str, object]) -> Iterator[str]:
    models = tier.get("models")
    named = list(models.values()) if isinstance(models, Mapping) else models
    for model in [tier.get("model"), *(named if isinstance(named, list) else [])]:
        if isinstance(model, str) and model:
            yield model

"""List prices of hosted models, from the optional package `genai-prices`.

It knows prices by length of the prompt, by date and time of day, and of cached input; nothing is fetched.
Importing it takes a tenth of a second and more, so that happens when a policy has a tier without a price.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from backends.backend import Usage
from orchestrator.prices import ListPrice

ENOUGH_TOKENS = 1000
"""Asked for, to read a price before any surcharge for length."""


def find_list_price(model: str, url: str, at: datetime) -> ListPrice | None:
    """Look up what a model costs at a server; `None` when it is not on the list, or there is no list."""
    cost = partial(list_cost, model, url, at=at)
    fresh = cost(Usage(ENOUGH_TOKENS, 0))
    written = cost(Usage(0, ENOUGH_TOKENS))
    cached = cost(Usage(ENOUGH_TOKENS, 0, ENOUGH_TOKENS))
    if fresh is None or written is None or cached is None:
        return None
    scale = 1e6 / ENOUGH_TOKENS
    return ListPrice(fresh * scale, written * scale, cached * scale)


def list_cost(model: str, url: str, usage: Usage, at: datetime) -> float | None:
    """Compute what a call cost at list price, in USD; `None` when the model is not on the list.

    Args:
        model: As the server names it.
        url: Of the server: the same model costs something else elsewhere.
        usage: What the call took.
        at: When, with its time zone; prices have dates.
    """
    calculate, count = _load()
    if calculate is None:
        return None
    counted = count(
        input_tokens=usage.tokens_in,
        output_tokens=usage.tokens_out,
        cache_read_tokens=min(usage.tokens_cached, usage.tokens_in),
    )
    try:
        found = calculate(counted, model, provider_api_url=url, genai_request_timestamp=at)
    except LookupError:
        return None
    return float(found.total_price)


@lru_cache(maxsize=1)
def _load() -> tuple[Callable[..., Any] | None, Callable[..., Any]]:
    """Import the package, if it is installed."""
    try:
        package = import_module("genai_prices")
    except ImportError:
        return None, dict
    return package.calc_price, package.Usage

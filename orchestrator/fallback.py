"""Decide when another backend is asked, and for which model. Pure."""

from backends.backend import ModelInfo
from backends.errors import BackendError, BackendTimeout, BackendUnavailable, ModelNotFound, RequestRefused
from backends.matching import resolve
from orchestrator.policy import TierPolicy

STOOD_IN = "another backend answered"
"""How the warning begins of an answer that is not the asked backend's."""


def falls_back(error: BackendError, *, paid: bool) -> bool:
    """Tell whether another backend may be asked after this: the server is the trouble, not the request.

    Where money is paid, a request that may have been worked on is not asked again elsewhere.
    """
    if paid and error.worked_on:
        return False
    return isinstance(error, BackendUnavailable | BackendTimeout | ModelNotFound)


def passes_on(error: BackendError, *, paid: bool) -> bool:
    """Tell whether the next one may be asked after a backend that stood in: its own refusal ends nothing."""
    refused = isinstance(error, RequestRefused) and not (paid and error.worked_on)
    return refused or falls_back(error, paid=paid)


def patterns_of(tier: TierPolicy, model: str) -> tuple[str, ...]:
    """Return those of a tier's patterns that find `model`: a shared tier stays with the choice it made."""
    named = tier.models.values() if isinstance(tier.models, dict) else tier.models
    patterns = tuple(dict.fromkeys([*named, *([tier.model] if tier.model else [])]))
    fitting = tuple(pattern for pattern in patterns if resolve(pattern, [ModelInfo(model)]))
    return fitting or patterns

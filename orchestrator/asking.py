"""Ask models on behalf of one task: remembered, priced, inside the budget."""

from dataclasses import dataclass

from backends.backend import Completion, Request, Usage
from backends.errors import (
    BackendError,
    BackendUnavailable,
    ConnectionLost,
    ContextTooLong,
    ModelNotFound,
    RequestRefused,
)
from backends.tokens import estimate_tokens
from orchestrator.policy import TierPolicy
from orchestrator.records import Records, Reservation
from orchestrator.rlm.errors import Spent
from orchestrator.route import Served
from orchestrator.servers import Servers
from orchestrator.steps import Steps


@dataclass(frozen=True, slots=True)
class Purse:
    """What one task may cost."""

    task_usd: float
    day_usd: float
    approved: bool
    """A person, or the policy, said yes to money for this task."""


def price(usage: Usage, tier: TierPolicy) -> float:
    """Compute what a call cost, in USD, at the tier's price."""
    return (usage.tokens_in * tier.usd_per_mtok_in + usage.tokens_out * tier.usd_per_mtok_out) / 1e6


def price_at_worst(request: Request, tier: TierPolicy) -> float:
    """Compute what a call costs when the answer fills its room."""
    return price(Usage(estimate_tokens(request.messages), request.max_tokens), tier)


@dataclass(slots=True)
class Asking:
    """The models as one task sees them; keeps count of what it consumed."""

    task_id: str
    purse: Purse
    servers: Servers
    records: Records
    steps: Steps

    async def ask(self, key: str, served: Served, request: Request) -> Completion:
        """Ask `served` once; a step that was taken before is answered from the ledger.

        Raises:
            ContextTooLong: The prompt and the answer's room do not fit; nothing was sent.
            Spent: The money is used up; nothing was sent.
            BackendError: The model could not be asked.
        """
        return await self.steps.take(key, Completion, lambda: self._buy(key, served, request))

    async def _buy(self, key: str, served: Served, request: Request) -> Completion:
        needed = estimate_tokens(request.messages) + request.max_tokens
        if needed > served.context_tokens:
            raise ContextTooLong(
                f"Prompt and answer need about {needed} tokens, {served.model} has {served.context_tokens}. "
                "Give fewer context files, load the model with a larger context, or name a larger tier.",
                backend=served.backend,
                model=served.model,
            )
        if not served.paid:
            return await self.servers.backend(served.backend).complete(request)
        return await self._pay(key, served, request)

    async def _pay(self, key: str, served: Served, request: Request) -> Completion:
        if not self.purse.approved:
            raise Spent(f"{served.tier} costs money and nobody has approved that")
        tier = self.servers.policy.tiers[served.tier]
        worst = price_at_worst(request, tier)
        wish = Reservation(self.task_id, key, served.tier, worst, self.purse.task_usd, self.purse.day_usd)
        reservation = await self.records.reserve(wish)
        if reservation is None:
            raise Spent(
                f"a call to {served.tier} may cost ${worst:.4f}, more than what is left of "
                f"${self.purse.task_usd:.2f} for the task or ${self.purse.day_usd:.2f} for the day"
            )
        try:
            completion = await self.servers.backend(served.backend).complete(request)
        except BackendError as error:
            if _is_free(error):
                await self.records.settle(reservation, 0.0)
            raise
        await self.records.settle(reservation, price(completion.usage, tier))
        return completion


def _is_free(error: BackendError) -> bool:
    """Tell whether a call that failed cost nothing for certain; else its reservation stays as spent."""
    return isinstance(error, _NEVER_BILLED) and not isinstance(error, ConnectionLost)


_NEVER_BILLED = (BackendUnavailable, ContextTooLong, ModelNotFound, RequestRefused)

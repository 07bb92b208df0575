"""Ask models on behalf of one task: remembered, priced, inside the budget."""

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import anyio

from backends.backend import Completion, Message, Request, Usage
from backends.errors import BackendError, ContextTooLong
from backends.telling import Tell as SayWaiting
from backends.telling import tell_nobody
from backends.tokens import LEAST_BYTES_PER_TOKEN, estimate_tokens
from orchestrator.budgets import limit_of_task, limit_of_type
from orchestrator.cache import Cache, is_repeatable, key_of
from orchestrator.money import Refusal, Reservation, settle
from orchestrator.policy import Policy, TaskTypeName, TierPolicy
from orchestrator.pricelist import list_cost
from orchestrator.prices import price
from orchestrator.records import Records, Tell
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
    task_type: str = ""
    type_usd: float | None = None
    """What all tasks of this type may cost in one day."""
    approved_by: str = ""
    """`person` or `policy`; kept in the audit trail."""


def open_purse(
    policy: Policy, task_type: TaskTypeName | None, cap_usd: float | None, *, approved_by_person: bool
) -> Purse:
    """Say what a task may cost: the smallest of what guards, task type and caller allow.

    Args:
        policy: Whose guards hold.
        task_type: Of the task; `None` for an analysis.
        cap_usd: What the caller allows at most.
        approved_by_person: Whether somebody said yes to money for this task.
    """
    by_policy = "" if policy.guards.ask_before_paid else "policy"
    approved_by = "person" if approved_by_person else by_policy
    return Purse(
        task_usd=limit_of_task(policy, task_type, cap_usd),
        day_usd=policy.guards.usd_per_day,
        approved=bool(approved_by),
        task_type=task_type or "",
        type_usd=limit_of_type(policy, task_type),
        approved_by=approved_by,
    )


def price_at_worst(request: Request, tier: TierPolicy) -> float:
    """Compute what a call costs when the answer fills its room."""
    return price(_usage_at_worst(request), tier)


@dataclass(slots=True)
class Asking:
    """The models as one task sees them; keeps count of what it consumed."""

    task_id: str
    purse: Purse
    servers: Servers
    records: Records
    steps: Steps
    cache: Cache
    tell: SayWaiting = tell_nobody
    """Hears what an answer waits for: a model that is loaded, a server that is busy."""

    _locks: defaultdict[str, anyio.Lock] = field(default_factory=lambda: defaultdict(anyio.Lock))

    async def ask(self, key: str, served: Served, request: Request, sample: int = 0) -> Completion:
        """Ask `served` once; a step that was taken before is answered from the ledger, or from the cache.

        A paid answer and its price are written together, so whatever is paid for is never asked again. Each
        `sample` of one prompt has an answer of its own.

        Raises:
            ContextTooLong: The prompt and the answer's room do not fit; nothing was sent.
            Spent: The money is used up; nothing was sent.
            BackendError: The model could not be asked.
        """
        async with self._locks[key]:  # samples at once may want the same plan or tests
            return await self._ask_once(key, served, request, sample)

    async def _ask_once(self, key: str, served: Served, request: Request, sample: int) -> Completion:
        known = await self.steps.recall(key, Completion)
        if known is not None:
            return known
        place = self._place(served, request, sample)
        kept = await self.cache.find(place) if place else None
        if kept is not None:
            await self.steps.remember(key, kept)
            return kept
        completion, also = await self._buy(key, served, request)
        await self.steps.remember(key, completion, also)
        if place and is_repeatable(request, sample):
            await self.cache.keep(place, completion)
        return completion

    async def praise(self, served: Served, request: Request, sample: int, completion: Completion) -> None:
        """Keep an answer that was drawn at random, now that its work has passed all its own gates."""
        place = self._place(served, request, sample)
        if place and not is_repeatable(request, sample):
            await self.cache.keep(place, completion)

    def _place(self, served: Served, request: Request, sample: int) -> str:
        """Name the place of an answer in the cache; empty for a script, which answers in turn."""
        config = self.servers.policy.backends[served.backend]
        return "" if config.kind == "scripted" else key_of(config, request, sample)

    def cost(self, served: Served, usage: Usage) -> float:
        """Compute what a call cost, in USD: by the policy, or by the list for the model, time and length."""
        policy = self.servers.policy
        tier = policy.tiers[served.tier]
        if tier.price == "list":
            url = policy.backends[served.backend].url
            listed = list_cost(served.model, url, usage, datetime.now(UTC))
            if listed is not None:
                return listed
        return price(usage, tier)

    async def _buy(self, key: str, served: Served, request: Request) -> tuple[Completion, Tell | None]:
        """Get the answer, and what must be written together with it."""
        needed = self.servers.estimate(served, request.messages) + request.max_tokens
        if needed > served.context_tokens:
            raise ContextTooLong(
                f"Prompt and answer need about {needed} tokens, {served.model} has {served.context_tokens}. "
                "Give fewer context files, load the model with a larger context, or name a larger tier.",
                backend=served.backend,
                model=served.model,
            )
        if not served.paid:
            return await self.servers.complete(served, request, self.tell), None
        reservation = await self._reserve(key, served, request)
        try:
            completion = await self.servers.complete(served, request, self.tell)
        except BackendError as error:
            if not error.worked_on:  # else it stays reserved: it counts as spent
                await self.records.money.release(reservation, type(error).__name__)
            raise
        completion = replace(completion, usage=billed_usage(request, completion))
        usd = self.cost(served, completion.usage)
        return completion, partial(settle, reservation=reservation, usd=usd)

    async def _reserve(self, key: str, served: Served, request: Request) -> int:
        """Set aside what the call costs when the answer fills its room.

        Raises:
            Spent: Nobody approved it, or a budget has no room for it.
        """
        purse, money = self.purse, self.records.money
        if not purse.approved:
            await money.refuse(self.task_id, served.tier, "nobody approved it")
            raise Spent(f"{served.tier} costs money and nobody has approved that")
        tier = self.servers.policy.tiers[served.tier]
        listed = self.cost(served, _usage_at_worst(request))
        worst = max(listed, price_at_worst(request, tier))  # of several models the tier names the dearest
        wish = Reservation(
            task_id=self.task_id,
            step=key,
            tier=served.tier,
            usd=worst,
            task_limit_usd=purse.task_usd,
            day_limit_usd=purse.day_usd,
            task_type=purse.task_type,
            type_limit_usd=purse.type_usd,
            approved_by=purse.approved_by,
        )
        reserved = await money.reserve(wish)
        if isinstance(reserved, Refusal):
            whose = f"{purse.task_type} tasks per day" if reserved.scope == "task type" else reserved.scope
            raise Spent(
                f"a call to {served.tier} may cost ${worst:.4f}, more than what is left of "
                f"${reserved.limit_usd:.2f} for the {whose}; ${reserved.spent_usd:.4f} are spent"
            )
        return reserved


def _usage_at_worst(request: Request) -> Usage:
    """Count a token for each byte: numbers and rare scripts come to that, and no tokenizer makes more."""
    schema = [Message("system", json.dumps(dict(request.schema)))] if request.schema else []  # some prompt it
    return Usage(estimate_tokens([*request.messages, *schema], LEAST_BYTES_PER_TOKEN), request.max_tokens)


def billed_usage(request: Request, completion: Completion) -> Usage:
    """Take the server's count, or an estimate from above where it counts nothing: paid is never free."""
    usage = completion.usage
    if not usage.tokens_in:
        usage = replace(usage, tokens_in=estimate_tokens(request.messages))
    if not usage.tokens_out:
        written = Message("assistant", completion.text + completion.reasoning)
        usage = replace(usage, tokens_out=estimate_tokens([written]))
    return usage

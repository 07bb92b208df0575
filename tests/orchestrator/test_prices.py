import copy
import tomllib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.backend import Usage
from orchestrator.policy import BackendPolicy, PolicyError, TierPolicy
from orchestrator.policy_parse import parse_policy
from orchestrator.pricelist import find_list_price, list_cost
from orchestrator.prices import ListPrice, fill_prices, is_local, price, why_priced

HAIKU = TierPolicy(rank=1, backend="b", model="m", usd_per_mtok_in=1.0, usd_per_mtok_out=5.0)
FILE = """
[backends.host]
kind = "openai"
url = "https://models.example.com/v1"
api_key_env = "KEY"
[backends.open]
kind = "openai"
url = "https://open.example.com/v1"
[backends.here]
kind = "lmstudio"
url = "http://127.0.0.1:1234"
[tiers.paid]
rank = 1
backend = "host"
model = "big"
[task_types.quick_edit]
complexity = [0, 10]
route = ["paid"]
validators = ["syntax"]
"""


def policy_with(**tier):
    data = tomllib.loads(FILE)
    data["tiers"]["paid"].update(tier)
    return data


def know(prices):
    return lambda model, url: prices.get((model, url))


HOST, OPEN = "https://models.example.com/v1", "https://open.example.com/v1"


def test_a_call_costs_what_it_read_and_wrote():
    assert price(Usage(1_000_000, 100_000), HAIKU) == pytest.approx(1.5)


def test_cached_input_has_its_own_price_where_one_is_known():
    cheaper = HAIKU.model_copy(update={"usd_per_mtok_cached": 0.1})

    assert price(Usage(1_000_000, 0, 400_000), HAIKU) == pytest.approx(1.0)
    assert price(Usage(1_000_000, 0, 400_000), cheaper) == pytest.approx(0.64)


@given(st.builds(Usage, st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7)))
def test_a_price_is_never_negative_and_cached_tokens_never_cost_more(usage):
    cheaper = HAIKU.model_copy(update={"usd_per_mtok_cached": 0.1})

    assert 0 <= price(usage, cheaper) <= price(usage, HAIKU)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:1234",
        "http://localhost:11434",
        "http://[::1]:8080",
        "http://192.168.1.20:8000/v1",
        "http://10.1.2.3",
        "http://gpu-box:8000",
        "http://gpu.local:8000",
        "http://host.docker.internal:1234",
        "http://100.101.102.103:8000",
    ],
)
def test_servers_of_this_machine_and_its_network_need_no_price(url):
    assert is_local(url)
    assert why_priced(BackendPolicy(kind="openai", url=url)) == ""


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "http://8.8.8.8:80", "https://x.lan.example.com", "http://[::1"]
)
def test_servers_on_the_internet_need_a_price_even_without_a_key(url):
    assert not is_local(url)
    assert why_priced(BackendPolicy(kind="openai", url=url)) == "is on the internet"


def test_a_key_makes_a_price_needed_wherever_the_server_is():
    backend = BackendPolicy(kind="openai", url="http://127.0.0.1:9", api_key_env="KEY")

    assert why_priced(backend) == "takes a key"


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        ({}, "tiers.paid.usd_per_mtok_in: is missing; backend 'host' takes a key"),
        ({"backend": "open"}, "tiers.paid.usd_per_mtok_in: is missing; backend 'open' is on the internet"),
        ({"usd_per_mtok_in": 1.0}, "tiers.paid.usd_per_mtok_out: is missing; backend 'host' takes a key"),
        (
            {"backend": "here", "usd_per_mtok_in": 1.0},
            "tiers.paid.usd_per_mtok_out: is missing; the other price is above 0",
        ),
    ],
)
def test_a_tier_that_may_cost_money_is_refused_without_a_price(tier, message):
    with pytest.raises(PolicyError) as refused:
        parse_policy(policy_with(**tier))

    assert len(refused.value.mistakes) == 1
    assert message in refused.value.mistakes[0]
    assert "its price must be known before money is spent" in refused.value.mistakes[0]


@pytest.mark.parametrize("usd", [0.0, 0])
def test_a_price_of_zero_is_believed_when_it_is_written(usd):
    policy = parse_policy(policy_with(usd_per_mtok_in=usd, usd_per_mtok_out=usd))

    assert not policy.tiers["paid"].paid


def test_a_local_server_needs_no_price():
    assert not parse_policy(policy_with(backend="here")).tiers["paid"].paid


def test_a_missing_price_is_taken_from_the_list():
    filled = fill_prices(policy_with(), know({("big", HOST): ListPrice(1.0, 2.0, 0.1)}))

    tier = parse_policy(filled).tiers["paid"]

    assert (tier.usd_per_mtok_in, tier.usd_per_mtok_out, tier.usd_per_mtok_cached) == (1.0, 2.0, 0.1)
    assert (tier.paid, tier.price) == (True, "list")


def test_a_price_of_the_policy_goes_before_the_list():
    data = policy_with(usd_per_mtok_in=9.0, usd_per_mtok_out=9.0)

    filled = fill_prices(data, know({("big", HOST): ListPrice(1.0, 2.0, 0.1)}))

    assert filled["tiers"]["paid"]["usd_per_mtok_in"] == 9.0


def test_of_several_models_and_servers_the_dearest_counts():
    data = policy_with(backend=["host", "open", "here"], models={"code": "big", "general": "small"})
    del data["tiers"]["paid"]["model"]
    prices = {
        ("big", HOST): ListPrice(1.0, 2.0, 0.1),
        ("small", HOST): ListPrice(0.5, 9.0, 0.1),
        ("big", OPEN): ListPrice(3.0, 2.0, 0.1),
        ("small", OPEN): ListPrice(0.5, 1.0, 0.4),
    }

    tier = parse_policy(fill_prices(data, know(prices))).tiers["paid"]

    assert (tier.usd_per_mtok_in, tier.usd_per_mtok_out, tier.usd_per_mtok_cached) == (3.0, 9.0, 0.4)


def test_one_model_that_the_list_does_not_know_leaves_the_tier_without_a_price():
    data = policy_with(models=["big", "unheard"])
    del data["tiers"]["paid"]["model"]

    filled = fill_prices(data, know({("big", HOST): ListPrice(1.0, 2.0, 0.1)}))

    with pytest.raises(PolicyError, match="its price must be known"):
        parse_policy(filled)


def test_local_tiers_are_not_looked_up():
    asked = []

    fill_prices(policy_with(backend="here"), lambda model, url: asked.append((model, url)))

    assert asked == []


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "place", ["tiers", "backends", "tiers.paid", "tiers.paid.backend", "backends.host.url"]
)
@given(value=junk)
def test_whatever_a_file_holds_it_reaches_the_parser_as_it_is(place, value):
    data = policy_with()
    *parents, last = place.split(".")
    spot = data
    for parent in parents:
        spot = spot[parent]
    spot[last] = value
    before = copy.deepcopy(data)

    assert fill_prices(data, lambda _model, _url: None) == before


ANTHROPIC = "https://api.anthropic.com"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"


def test_the_list_knows_prices_by_length_date_and_cache():
    pytest.importorskip("genai_prices", reason="the optional extra `prices` is not installed")
    new_year, old_year = datetime(2027, 1, 2, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)

    short = list_cost("claude-haiku-5-5", ANTHROPIC, Usage(50_000, 0), old_year)
    long = list_cost("claude-haiku-5-5", ANTHROPIC, Usage(150_000, 0), old_year)
    cached = list_cost("claude-haiku-5-5", ANTHROPIC, Usage(50_000, 0, 50_000), old_year)
    promotion = list_cost("gemini-3.8-flash", GOOGLE, Usage(1000, 1000), old_year)
    after_it = list_cost("gemini-3.8-flash", GOOGLE, Usage(1000, 1000), new_year)

    assert long > 3 * short > 3 * cached > 0
    assert after_it > promotion


def test_a_model_or_a_server_that_the_list_does_not_know_has_no_price():
    at = datetime(2026, 11, 1, tzinfo=UTC)

    assert find_list_price("no-such-model-anywhere", ANTHROPIC, at) is None
    assert find_list_price("claude-haiku-5-5", "https://gateway.example.com/v1", at) is None


def test_a_list_price_is_per_million_tokens():
    pytest.importorskip("genai_prices", reason="the optional extra `prices` is not installed")

    found = find_list_price("claude-haiku-5-5", ANTHROPIC, datetime(2026, 11, 1, tzinfo=UTC))

    assert found == ListPrice(pytest.approx(0.1), pytest.approx(0.5), pytest.approx(0.01))

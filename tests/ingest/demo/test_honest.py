"""The innocent look-alikes share with attackers what evidence looks at."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from tests.ingest.demo.contract import moment
from tests.ingest.demo.test_campaigns import carried_over, share_on_the_newest

POPULATIONS = (
    "hobbyist",
    "developer",
    "round_the_clock_agent",
    "startup",
    "white_label_agency",
    "campus",
    "student_lab",
    "corporate_vpn",
    "family",
    "reseller",
    "evaluator",
    "licensed_distiller",
    "red_team",
    "batch_enterprise",
    "hackathon",
    "enthusiast",
    "shared_chat",
    "relay_resale",
)


def account_values(told, population, name):
    return [told.accounts[i].get(name) for i in told.members(population)]


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_population_is_there_and_is_no_campaign(told, population):
    rows = [r for r in told.world.truth() if r["population"] == population]
    assert rows
    assert all(row["campaign"] is None for row in rows)
    assert told.of(population)


def test_most_accounts_are_hobbyists_with_little_traffic(told):
    hobbyists = told.members("hobbyist")
    counts = Counter(r["account_id"] for r in told.of("hobbyist"))
    assert len(hobbyists) > 0.45 * len(told.world.truth())
    small = sum(1 for member in hobbyists if counts[member] < 20)
    assert small > 0.6 * len(hobbyists)


def test_a_campus_sits_behind_a_few_addresses(told):
    first = Counter(r["client_ip"] for r in told.of("campus")).most_common(3)
    assert sum(count for _, count in first) > 0.5 * len(told.of("campus"))
    assert {ip.rsplit(".", 1)[0] for ip, _ in first} == {"198.51.100"}


def test_a_class_signs_up_within_the_hour_and_pastes_one_assignment(told):
    pools = {k: v for k, v in told.by_pool("campus").items() if k != "campus"}
    for members in pools.values():
        born = sorted(
            datetime.fromisoformat(told.accounts[i]["created_at"]) for i in members
        )
        assert born[-1] - born[0] < timedelta(hours=1)
        opened = Counter(
            r["prompt"][:60] for r in told.requests if r["account_id"] in members
        )
        assert opened.most_common(1)[0][1] >= len(members) / 2


def test_a_hackathon_signs_up_in_two_hours_with_one_code_and_one_tool_schema(told):
    born = sorted(
        datetime.fromisoformat(at)
        for at in account_values(told, "hackathon", "created_at")
    )
    assert born[-1] - born[0] <= timedelta(hours=2)
    assert len(set(account_values(told, "hackathon", "referrer"))) == 1
    assert len({r["tools_hash"] for r in told.of("hackathon")}) == 1


def test_families_share_a_card_and_a_router(told):
    cards = Counter(account_values(told, "family", "payment_fingerprint"))
    assert min(cards.values()) >= 2 and max(cards.values()) <= 5


def test_an_agency_shows_one_card_and_tool_schema_under_many_organisations(told):
    assert (
        len(set(account_values(told, "white_label_agency", "payment_fingerprint"))) == 1
    )
    organisations = account_values(told, "white_label_agency", "organization_id")
    assert len(set(organisations)) == len(organisations) > 3
    assert len({r["tools_hash"] for r in told.of("white_label_agency")}) == 1


def test_a_lab_is_one_device(told):
    assert len(set(account_values(told, "student_lab", "signup_device_id"))) == 1


def test_the_reseller_hands_conversations_over_inside_one_organisation(told):
    assert set(account_values(told, "reseller", "contract")) == {"reseller"}
    assert len(set(account_values(told, "reseller", "organization_id"))) == 1
    assert len(carried_over(told, "reseller")) > 20


def test_strangers_go_on_from_a_published_conversation(told):
    assert carried_over(told, "shared_chat")


def test_enthusiasts_and_evaluators_pivot_at_once(told):
    release = next(r for r in told.records if r.get("model") == "aster-3-large")
    since = datetime.fromisoformat(release["released_at"]) + timedelta(hours=12)
    for population in ("enthusiast", "evaluator"):
        later = [r for r in told.of(population) if moment(r) > since]
        assert share_on_the_newest(later) > 0.8


def test_a_licensed_customer_may_distil(told):
    contracts = account_values(told, "licensed_distiller", "contract")
    assert set(contracts) == {"distillation_licensed"}


def test_agents_around_the_clock_do_not_sleep(told):
    quarters = Counter(moment(r).hour // 6 for r in told.of("round_the_clock_agent"))
    assert min(quarters.values()) > 0.5 * quarters.total() / 4
    office = Counter(moment(r).hour // 6 for r in told.of("corporate_vpn"))
    assert min(office.values()) < 0.5 * office.total() / 4


def test_startups_split_over_organisations_share_a_card(told):
    by_card: dict[str, set[str]] = {}
    for member in told.members("startup"):
        account = told.accounts[member]
        card = account["payment_fingerprint"]
        by_card.setdefault(card, set()).add(account["organization_id"])
    assert any(len(organisations) > 1 for organisations in by_card.values())

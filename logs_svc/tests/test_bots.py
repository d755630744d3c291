import pytest
from conftest import NOW

from logs.domain import BotDetector, is_known_bot
from logs.services import Days, Visitor

TODAY = Days(NOW.date(), NOW.date())


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 AppleWebKit/537.36 (compatible; GPTBot/1.2)",
        "Baiduspider-render/2.0",
    ],
)
def test_named_bots_are_detected(agent):
    assert is_known_bot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "curl/8.5.0",
        "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) Chrome/120 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    ],
)
def test_people_and_libraries_are_not_bots(agent):
    assert not is_known_bot(agent)


def test_a_visitor_gets_a_burst_and_then_a_rate():
    now = [0.0]
    bots = BotDetector(lambda: now[0], rate=2, burst=10, daily=100, repeats=100)

    at_once = bots.classify("v", [("view", None)] * 12)
    now[0] = 3.0
    later = bots.classify("v", [("view", None)] * 8)
    other = bots.classify("w", [("view", None)] * 8)

    assert at_once == [""] * 10 + ["too many"] * 2
    assert later == [""] * 6 + ["too many"] * 2
    assert other == [""] * 8


def test_repeats_about_one_product_are_limited_per_day():
    now = [0.0]
    bots = BotDetector(lambda: now[0], repeats=3)

    today = bots.classify("v", [("view", "p1")] * 4 + [("view", "p2"), ("click", "p1")])
    now[0] = 86_400.0
    tomorrow = bots.classify("v", [("view", "p1")])

    assert today == ["", "", "", "repeats", "", ""]
    assert tomorrow == [""]


def top(world):
    return world.parts.stats.top_products(TODAY, type="view", limit=3)


def test_a_bot_with_100_000_events_does_not_change_the_figures(world):
    for number in range(60):
        world.parts.intake.events_accept(
            [{"type": "view", "product_id": "liked"}], Visitor(session=f"s{number}")
        )
    noise = [{"type": "view", "product_id": f"pushed-{number % 5}"} for number in range(100)]

    for _ in range(1000):
        world.parts.intake.events_accept(noise, Visitor(session="bot"))

    overview = world.parts.stats.range_figures(TODAY).overview
    assert top(world)[0] == ("liked", 60)
    assert sum(count for product, count in top(world)[1:]) <= 100
    assert sum(overview.bots.values()) + overview.events == 100_060
    assert len(world.all_events()) == overview.events < 700


def test_a_named_bot_is_counted_separately_and_not_stored(world):
    answer = world.parts.intake.events_accept([{"type": "view"}] * 3, Visitor(agent="Googlebot/2.1"))

    overview = world.parts.stats.range_figures(TODAY).overview
    assert answer.accepted == 3
    assert (overview.events, overview.bots) == (0, {"known": 3})
    assert world.all_events() == []


def test_an_address_without_a_session_is_limited_like_an_office(world):
    for _ in range(200):
        world.parts.intake.events_accept([{"type": "view"}] * 100, Visitor(address="203.0.113.7"))

    overview = world.parts.stats.range_figures(TODAY).overview
    assert 12_000 <= overview.events < 12_500
    assert overview.events + overview.bots["too many"] == 20_000


def test_changing_sessions_of_an_address_are_limited_like_an_office(world):
    for turn in range(200):
        world.parts.intake.events_accept(
            [{"type": "view"}] * 100, Visitor(session=f"s{turn}", address="203.0.113.7")
        )

    overview = world.parts.stats.range_figures(TODAY).overview
    assert 12_000 <= overview.events < 12_500
    assert overview.events + overview.bots["too many"] == 20_000


def test_accounts_behind_one_address_are_limited_separately(world):
    def send(**who):
        world.parts.intake.events_accept([{"type": "view"}] * 100, Visitor(address="203.0.113.7", **who))

    for turn in range(130):
        send(session=f"s{turn}")
    full = world.parts.stats.range_figures(TODAY).overview
    send(session="at-work", user="ann")

    assert full.bots["too many"] > 900
    assert world.parts.stats.range_figures(TODAY).overview.events == full.events + 100

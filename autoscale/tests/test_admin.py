"""The page: what it shows, and what people may tell."""

import threading

import pytest
from benches import STACK, FakeBench
from django.test import Client

from autoscaling import container
from autoscaling.clients.docker import Docker
from autoscaling.clients.peers import NoPeer, Peers
from autoscaling.engine import HttpEngine
from autoscaling.services import Telling
from autoscaling.serving import Server
from chassis.admin.sso import SignOn, use
from chassis.testing.identity import make_token

HELD = {
    "admin": ["autoscale.service.read", "autoscale.service.write"],
    "manager": ["autoscale.service.read"],
    "support": ["catalog.product.read"],
}


def exchange(session):
    if session not in HELD:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture(autouse=True)
def signed_on():
    use(SignOn(exchange))
    yield
    use(None)


class World:
    """A loop with its address, a fake Swarm, and the page's parts."""

    def __init__(self, bench) -> None:
        self.bench = bench
        self.made = bench.make(None)
        self.server = Server(
            ("127.0.0.1", 0), self.made.loop, self.made.loop._measuring, self.made.faults.now
        )
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.audit = []
        docker = Docker(lambda: [HttpEngine(bench.address, timeout=20)])
        self.parts = container.Dependencies(
            telling=Telling(kept=docker, audit=self.audit.append),
            peers=Peers([f"127.0.0.1:{self.server.server_port}"]),
        )
        self.round()

    def round(self):
        self.server.after(self.made.loop.round())


@pytest.fixture
def world(tmp_path):
    with FakeBench(tmp_path).running() as bench:
        made = World(bench)
        with container.container.override(made.parts):
            yield made
        made.server.shutdown()
        made.server.server_close()


def client(session="admin"):
    made = Client()
    made.cookies["staff_session"] = session
    return made


def post(session="admin", **data):
    return client(session).post("/admin/autoscale/change/", data)


def told(world):
    return dict(world.bench.docker().overrides().told)


def test_the_page_shows_the_mode_and_every_service(world):
    html = client().get("/admin/autoscale/").content.decode()

    for text in (
        "Acting",
        'data-service="web"',
        "Hold everything",
        "autoscaling/board.js",
        "Decisions",
        "Nodes",
    ):
        assert text in html


def test_who_may_only_read_sees_no_buttons_and_may_not_press_them(world):
    html = client("manager").get("/admin/autoscale/").content.decode()

    assert 'data-service="web"' in html
    assert "Hold everything" not in html
    assert post("manager", action="hold").status_code == 403
    assert told(world) == {}


def test_others_see_nothing(world):
    assert client("support").get("/admin/autoscale/").status_code == 403
    assert client("support").get("/admin/autoscale/state/").status_code == 403
    assert Client().get("/admin/autoscale/state/").status_code == 302


def test_the_state_has_points_decisions_and_nodes_and_only_what_is_new(world):
    world.made.policy.replicas = 4
    world.round()

    state = client().get("/admin/autoscale/state/").json()
    later = client().get("/admin/autoscale/state/", {"since": state["points"]["web"][-1][0]}).json()

    assert state["mode"] == "act"
    assert [(point[1], point[2]) for point in state["points"]["web"]] == [(2, 2), (2, 2)]
    assert [(made["from"], made["to"], made["outcome"]) for made in state["decisions"]] == [(2, 4, "applied")]
    assert [(node["name"], node["leader"]) for node in state["nodes"]] == [
        ("host-n1", True),
        ("host-n2", False),
    ]
    assert later["points"]["web"] == []


@pytest.mark.parametrize(
    ("data", "kept", "action"),
    [
        ({"action": "hold"}, {"hold": "true"}, "hold"),
        ({"action": "pause", "service": "web"}, {"web:paused": "true"}, "pause"),
        (
            {"action": "limit", "service": "web", "min": "2", "max": "6"},
            {"web:min": "2", "web:max": "6"},
            "limit",
        ),
        ({"action": "limit", "service": "web", "min": "", "max": "6"}, {"web:max": "6"}, "limit"),
    ],
)
def test_what_people_tell_is_kept_and_recorded(world, data, kept, action):
    response = post(**data)

    assert response.status_code == 302
    assert told(world) == kept
    (fact,) = world.audit
    assert (fact["actor"], fact["actor_name"], fact["action"]) == ("s1", "Ada", action)


def test_what_was_told_can_be_taken_back(world):
    for data in ({"action": "hold"}, {"action": "pause", "service": "web"}):
        post(**data)

    for data in ({"action": "release"}, {"action": "resume", "service": "web"}):
        post(**data)

    assert told(world) == {}
    assert [fact["action"] for fact in world.audit] == ["hold", "pause", "release", "resume"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"action": "explode", "service": "web"},
        {"action": "pause", "service": "nobody"},
        {"action": "limit", "service": "web", "min": "5", "max": "2"},
        {"action": "limit", "service": "web", "min": "0"},
        {"action": "limit", "service": "web", "max": "many"},
        {"action": "limit", "service": "web", "max": "99999"},
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(world, data):
    response = post(**data)

    assert response.status_code == 302
    assert (told(world), world.audit) == ({}, [])


def labelled(world, **labels):
    spec = world.bench.world.services[f"id-{STACK}_web"]["Spec"]
    spec["Labels"] = {
        "autoscale.enabled": "true",
        **{f"autoscale.{name}": text for name, text in labels.items()},
    }
    world.round()


def test_a_minimum_above_a_maximum_that_no_label_tells_leaves_the_service_in_care(world):
    labelled(world)

    post(action="limit", service="web", min="12", max="")
    world.round()

    (row,) = client().get("/admin/autoscale/state/").json()["services"]
    assert (row["service"], row["min"], row["max"], row["rule"]) == ("web", 12, 12, "told")
    assert world.made.faults.now == {}


def test_a_service_with_labels_that_say_nothing_is_on_the_page_with_its_fault_and_can_be_mended(world):
    labelled(world, max="many")

    html = client().get("/admin/autoscale/").content.decode()
    (row,) = client().get("/admin/autoscale/state/").json()["services"]
    post(action="limit", service="web", min="", max="6")
    world.round()
    (mended,) = client().get("/admin/autoscale/state/").json()["services"]

    assert 'data-service="web"' in html
    assert "autoscale.max: &#x27;many&#x27; is not a number" in html
    assert (row["from"], row["ready"], row["min"], row["max"], row["paused"]) == (2, 2, "", "", False)
    assert "autoscale.max: 'many' is not a number" in row["reason"]
    assert (mended["max"], mended["rule"]) == (6, "told")


def test_what_was_told_can_be_taken_back_though_the_loop_sees_no_such_service(world):
    post(action="pause", service="web")
    world.bench.remove()
    world.round()

    post(action="resume", service="web")

    assert told(world) == {}


def test_another_sites_page_changes_nothing(world):
    response = client().post(
        "/admin/autoscale/change/", {"action": "hold"}, headers={"origin": "https://evil.example"}
    )

    assert response.status_code == 403
    assert told(world) == {}


def test_looking_changes_nothing(world):
    assert client().get("/admin/autoscale/change/", {"action": "hold"}).status_code == 405


def test_with_docker_away_people_are_told_so(world):
    world.bench.world.faults["/configs"] = "error"

    someone = client()

    someone.post("/admin/autoscale/change/", {"action": "hold"})

    assert "Docker does not answer" in someone.get("/admin/autoscale/").content.decode()


def test_without_a_loop_the_page_says_so(world):
    world.server.shutdown()
    world.server.server_close()

    html = client().get("/admin/autoscale/").content.decode()

    assert "does not answer: services stay as they are" in html
    with pytest.raises(NoPeer):
        world.parts.peers.newest()


def test_of_several_loops_the_one_that_acts_is_shown():
    states = {"a": {"mode": "follow", "at": 9}, "b": {"mode": "act", "at": 5}, "c": None}
    peers = Peers(["any"], find=lambda _: list(states))
    peers._one = lambda place, since: states[place]

    assert peers.newest() == states["b"]


def figures(world):
    from autoscaling.clients.scraping import Scraper

    (found,) = Scraper([f"127.0.0.1:{world.server.server_port}"]).rows().values()
    return found


def test_a_service_that_is_gone_leaves_no_figures_behind_and_its_decisions_stay_counted(world):
    shown = figures(world)
    world.bench.world.faults["/services"] = "error"
    world.round()
    blind = figures(world)
    world.bench.world.faults.clear()
    world.bench.remove()
    world.round()
    after = figures(world)

    per_service = {name for name in shown if name.startswith("autoscale_service_")}
    assert "autoscale_service_wanted" in per_service
    assert per_service <= blind.keys()  # what is held is what was seen last
    assert not per_service & after.keys()
    assert after["autoscale_decisions_total"][0].labels["service"] == "web"


def test_the_loops_own_figures(world):
    from autoscaling.clients.scraping import Scraper

    rows = Scraper([f"127.0.0.1:{world.server.server_port}"]).rows()

    (found,) = rows.values()
    assert found["autoscale_acting"][0].value == 1
    assert found["autoscale_service_wanted"][0].labels == {"service": "web"}
    assert found["autoscale_decisions_total"][0].labels == {
        "service": "web",
        "rule": "told",
        "outcome": "none",
    }
    assert STACK not in str(found)

"""What requests cost is known again after a restart."""

import json

import pytest
from looks import COST, Service, look

from autoscaling.policy import as_plain, of_plain
from autoscaling.services.learned import EVERY, OLDEST, Learned


@pytest.fixture
def path(tmp_path):
    return tmp_path / "costs.json"


def busy():
    service = Service()
    service.see(60, seconds=300)
    return service


def resumed(memory, **first):
    """Return a service after a restart, that knows what is kept of it."""
    service = Service()
    service.state = memory.begin("web", look(0.0, **first))
    return service


def test_what_is_kept_is_what_was_known():
    state = busy().state

    again = of_plain(json.loads(json.dumps(as_plain(state))))

    assert again == state.costs
    assert again.means["all"] == pytest.approx(COST, rel=0.01)


def test_after_a_restart_requests_alone_prove_a_step_whose_cpu_is_not_known_yet(path):
    Learned(path).keep(0.0, {"web": busy().state})

    knows, knows_not = resumed(Learned(path)), resumed(Learned(path.with_name("none")))
    for service in (knows, knows_not):
        service.see(4, seconds=40)
        service.see(320, seconds=4, agents=False, in_flight=400)

    assert knows.wanted > 6
    assert knows_not.wanted == 2


def test_while_a_service_never_was_busy_nothing_is_kept(path):
    service = Service()
    service.see(0.1, seconds=100)

    Learned(path).keep(0.0, {"web": service.state, "other": None})

    assert json.loads(path.read_text())["costs"] == {}


def test_it_is_written_once_a_minute_and_what_was_not_asked_for_stays(path):
    Learned(path).keep(0.0, {"web": busy().state, "cart": busy().state})
    memory = Learned(path)
    memory.begin("web", look(2.0))

    for at in range(2, 2 + 2 * int(EVERY), 2):
        memory.keep(float(at), {"web": busy().state if at > EVERY else None})

    written = json.loads(path.read_text())
    assert (written["at"], sorted(written["costs"])) == (2 + EVERY, ["cart", "web"])


def test_who_only_looks_writes_nothing(path):
    Learned(path, writes=False).keep(0.0, {"web": busy().state})

    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"at": "x", "costs": {}}',
        '{"at": 0, "costs": {"web": 7}}',
        '{"at": 0, "costs": {"web": {"means": {"all": -1}, "covariance": [["all", "all", 1]]}}}',
        '{"at": 0, "costs": {"web": {"means": {"all": 1e9}, "covariance": [["all", "all", 1]]}}}',
        '{"at": 0, "costs": {"web": {"means": {"all": 1}, "covariance": []}}}',
        '{"at": 0, "costs": {"web": {"means": {"all": 1}, "covariance": [["all", "all", NaN]]}}}',
        '{"at": 0, "costs": {"web": {"means": {}, "covariance": []}}}',
    ],
)
def test_a_damaged_file_is_said_and_all_is_learned_anew(path, text, caplog):
    path.write_text(text)

    assert Learned(path).begin("web", look(0.0)) is None
    assert caplog.text.count("learned anew") == 1


@pytest.mark.parametrize("later", [OLDEST + 1, -OLDEST - 1])
def test_what_is_a_day_old_is_learned_anew(path, later):
    Learned(path).keep(0.0, {"web": busy().state})

    assert Learned(path).begin("web", look(later)) is None


def test_a_file_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, caplog):
    memory = Learned(tmp_path / "nowhere" / "costs.json")

    for at in (0.0, EVERY, 2 * EVERY):
        memory.keep(at, {})

    assert caplog.text.count("what requests cost cannot be kept") == 1

"""Labels of a service, and what they mean."""

from __future__ import annotations

import pytest

from autoscaling.policy import BadLabel, Config, config_from_labels


def test_labels_become_a_config():
    labels = {
        "autoscale.enabled": "true", "autoscale.min": "2", "autoscale.max": "24",
        "autoscale.cpu-target": "60%", "autoscale.step": "0.5", "autoscale.cooldown": "180s",
        "autoscale.trend": "8", "autoscale.paused": "yes",
        "com.docker.stack.namespace": "hivemart",
    }  # fmt: skip

    assert config_from_labels(labels) == Config(
        min=2, max=24, cpu_target=0.6, step=0.5, cooldown=180.0, trend=8.0, paused=True
    )


def test_what_no_label_tells_is_the_default():
    assert config_from_labels({"autoscale.enabled": " Yes "}) == Config()


def test_a_service_without_the_label_is_not_scaled():
    assert config_from_labels({"autoscale.min": "2"}) is None
    assert config_from_labels({"autoscale.enabled": "false"}) is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("enabled", "perhaps", "neither true nor false"),
        ("min", "0", "a whole number from 1 to 1000"),
        ("min", "2.5", "a whole number"),
        ("max", "many", "not a number"),
        ("max", "nan", "a whole number"),
        ("cpu-target", "-1", "from 0.05 to 64"),
        ("cooldown", "1s", "from 10 to 3600"),
        ("maximum", "3", "no such label"),
    ],
)
def test_a_label_that_says_nothing_usable_is_named(name, value, says):
    with pytest.raises(BadLabel, match=rf"autoscale\.{name}: .*{says}"):
        config_from_labels({"autoscale.enabled": "true", f"autoscale.{name}": value})


def test_a_minimum_above_the_maximum_is_refused():
    with pytest.raises(BadLabel, match=r"autoscale\.min: 5 is above autoscale\.max, 3"):
        config_from_labels({"autoscale.enabled": "true", "autoscale.min": "5", "autoscale.max": "3"})

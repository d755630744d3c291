from chassis.testing.django import setup

setup(__file__)

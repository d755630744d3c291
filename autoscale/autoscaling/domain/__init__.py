"""What the autoscaler knows of a Swarm, and its own rules. Standard library only."""

from autoscaling.domain.capacity import room_for
from autoscaling.domain.overrides import BadOverride, Overrides
from autoscaling.domain.swarm import Cluster, Node, Placement, Service, Task

__all__ = ["BadOverride", "Cluster", "Node", "Overrides", "Placement", "Service", "Task", "room_for"]

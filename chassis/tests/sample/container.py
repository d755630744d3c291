"""The sample service's parts: nothing but what a test puts in."""

from chassis.background import Job
from chassis.messaging.inbox import Handler
from chassis.testing.fruits import FRUITS

COLLECTIONS = (FRUITS,)
HANDLERS: dict[str, Handler] = {}
BACKGROUND: list[Job] = []

"""The use cases: measure, decide, apply, remember; and what people may tell the autoscaler."""

from autoscaling.services.history import History
from autoscaling.services.journal import Journal
from autoscaling.services.learned import Learned
from autoscaling.services.loop import Autoscaler
from autoscaling.services.measuring import Measuring
from autoscaling.services.telling import Telling

__all__ = ["Autoscaler", "History", "Journal", "Learned", "Measuring", "Telling"]

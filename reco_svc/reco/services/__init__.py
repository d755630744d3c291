"""The use cases of reco_svc: training models, serving lists, hearing what is for sale."""

from reco.services.forgetting import Forgetting
from reco.services.keeping import Keeping
from reco.services.reading import Reading
from reco.services.recommending import Recommendations
from reco.services.shelf import Shelf
from reco.services.training import Trainings

__all__ = ["Forgetting", "Keeping", "Reading", "Recommendations", "Shelf", "Trainings"]

"""The training engine: scikit-surprise's KNN on sparse similarities.

Only the training task imports this package: numpy, scipy and surprise cost 60 MB that serving does not need.
"""

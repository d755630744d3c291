"""Evaluation of the engine beside others: `manage.py evaluate`, `make evaluate`, `make bench-reco`.

Needs requirements/science.txt; the service itself never imports this package.
"""

"""Presentation of the services' responses; standard library only, no I/O.

Each function takes a response of docs/api.md and returns a plain dictionary that a template reads:
dictionaries, because Django's templates look there first and a list page has 24 cards to render.
"""

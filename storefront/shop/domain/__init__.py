"""What the pages show, made from what the services answer. Standard library only, no I/O.

Each function takes an answer of `api.md` and returns a plain dictionary that a template reads: dictionaries,
because Django's templates look there first and a list page has 24 cards to render.
"""

"""A Django database backend with no database: transactions succeed over nothing, queries fail loudly.

Django's admin opens `transaction.atomic()` around every POST, so `DATABASES = {}` is not enough.
"""

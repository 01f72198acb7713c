"""guards.py: the guards of the schema, each disabled in turn: CHECK, UNIQUE, RAISE, and the conditions of the statements."""


def of_sql(options, tree):
    raise NotImplementedError

"""All SQL of the API, one module per table or group of tables.

In: a session and plain values. Out: rows. No other package writes statements.
"""

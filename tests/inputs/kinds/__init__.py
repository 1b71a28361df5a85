"""The rows of the inputs table by the cause that they have in common. Out: tuples of recipes."""

"""Shows: compilations that are made again and again by a schedule.

In: the spec of a show, the current time, candidates that a discover task found. Out: the times of
episodes, selected clips with a reason for each that was not taken, and the spec of a Compilation.
"""

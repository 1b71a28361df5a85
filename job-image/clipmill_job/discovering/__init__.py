"""The discover task: query the sources of a show, each in a guarded process of its own.

In: sources with the credentials that they need, and a window of time. Out: candidates of clips,
and a report of each source. A source is a module with a function `read`, named in
`clipmill_job.discovering.source_process.READERS`.
"""

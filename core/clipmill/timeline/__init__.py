"""From a spec and media facts to an exact timeline and its segments.

In: a `CompilationSpec` and the facts of its media. Out: positions in frames of the output rate,
segments named by their content, and the limits that apply to them.
"""

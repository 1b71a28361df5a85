"""From a spec and the facts of its media to an exact timeline and its segments.

In: a `CompilationSpec`, an output, and the facts of the media. Out: positions in frames of the
output rate, segments named by the hash of their content, and encoding profiles within the limits.
"""

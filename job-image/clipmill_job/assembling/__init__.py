"""The assemble task: join segments, mix and encode audio, produce stills and text files.

In: an output's segments. Out: the finished video and its companion files, uploaded.
"""

"""Odd media as generated test inputs, each with what a player shows of it.

In: nothing but ffmpeg and numpy; every file is generated. Out: `recipes.RECIPES`, the table that
the tests assert and that docs/inputs.md is generated from.

cards, colorimetry   the test card and the test tone as raw pictures and samples
recipe, kinds        the table: how a file is made, what it is, what a player shows of it
making, inspection   the file itself, and the properties that it really has
rendering            the rendered result
measuring, hearing   the facts measured in its pictures and in its samples
"""

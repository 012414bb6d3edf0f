"""Turns a frame of results into text for people: HTML, Markdown and tables for a terminal.

`rows` reads the frame; `results`, `ratios`, `provenance` and `ceilings` make tables of it,
`summary` and `legend` sentences, `panels`, `charts` and `forest` drawings; `html`, `markdown` and
`terminal` only lay these out.
"""

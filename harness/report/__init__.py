"""Turns a frame of results into text for people: HTML, Markdown and tables for a terminal.

`rows` reads the frame; `results`, `ratios` and `provenance` make tables of it, `summary`
sentences, `panels` and `charts` drawings; `html`, `markdown` and `terminal` only lay these out.
"""

"""Turns a frame of results into text for people: HTML, Markdown and tables for a terminal.

`rows` reads the frame; `results`, `ratios`, `provenance` and `ceilings` make tables of it,
`verdict`, `summary` and `legend` sentences, `panels`, `charts` and `forest` drawings, `sparks`
the small ones of which a page holds thousands; `layers`, `comparisons` and the packages bring
together what a page of the HTML file holds, `facets` says what it can be narrowed by, and
`downloads` puts the data into it. `html`, `markdown` and `terminal` only lay these out.
"""

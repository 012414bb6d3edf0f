"""Where a sparse or linear attention beats dense attention: charts and tables over the length.

`study` selects what can be compared, `crossovers`, `advice` and `heatmap` are what it comes to, and
`charts` draws it. All are functions of rows.
"""

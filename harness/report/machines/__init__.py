"""Results of several machines, or of one at several times, for whoever has to choose between them.

`harness.compare.machines` and `harness.compare.lines` do the arithmetic. Here `wording` puts it
into sentences, `reasons` says why a layer may defy what the ceilings let expect, `tables`,
`drawings` and `section` hold what every layout shows, and `document` is the page of
`layerbench compare --out`.
"""

"""The report that people open: one self-contained HTML file, drawn from plain values.

model.py says what a report can show; a run without some of it leaves those fields out. write.py makes the file.
All that is not ours enters the page as JSON in one way (island.py); the template has no place for markup from
elsewhere, and the page's script only ever makes elements and text nodes.
"""

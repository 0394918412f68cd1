"""The HTML report: one self-contained file, made from plain values.

model.py defines the content of a report; a run that lacks some of it leaves those fields out. write.py makes the file.
All foreign content enters the page as JSON in one way (island.py); the template has no place for foreign markup, and
the page's script only ever makes elements and text nodes.
"""

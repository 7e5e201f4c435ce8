"""What browsers get: the page, rendered here and kept alive by its scripts, and the files of it.

`Page` (page.py) makes the HTML; `files` (files.py) are the scripts and styles beside it. What a
card says is in view.py and, the same in JavaScript, in static/view.js.
"""

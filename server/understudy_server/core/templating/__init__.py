"""A language for templates that strangers may write: Jinja's, run in counted steps over plain data.

The engine that is usual for this (minijinja) counts the steps of its machine, but not what one step may cost: a list
that holds itself twice, twenty times over, takes it seconds and gigabytes to print before it notices. Here everything
that a template can do pays for its size before it is done (`values.py`), so that 100000 steps are some 10 ms and a few
megabytes, whatever the template and whatever the request. It is also the quicker one for what templates mostly are:
text with a few values in it.

`scanning` finds the tags and their tokens, `parsing` makes `nodes` of them, and `building` makes functions of those.
"""

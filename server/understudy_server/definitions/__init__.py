"""From messages of the contract to the core's own structures.

What the data plane needs is made here, once, when a mock or an environment changes; and what cannot be made is refused
here, with the path to the fault, when somebody sends it: so what was accepted can be compiled.
"""

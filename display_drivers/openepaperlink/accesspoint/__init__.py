"""A simulated OpenEPaperLink access point with its tags: the judge that the driver is tested against.

It shares no code with the driver, so that one misunderstanding cannot hide in both. What it does follows the numbered
rules of the behaviour document (U1, P6, X10, …), which the comments name; of the firmware it has nothing but facts.
"""

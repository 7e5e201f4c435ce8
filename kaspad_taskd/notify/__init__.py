"""The place of the program that tells people: its rules pure (what is told to whom and when).

Nothing is here yet. It follows the socket like any stranger (kaspad_taskd/client/), with the words
of kaspad_taskd/words/, and knows nothing of core and engine.
"""

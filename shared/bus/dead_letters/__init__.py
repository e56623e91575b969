"""What becomes of letters that were buried (`shared/bus/burial.py`): they are read, tried again, or given up.

post_mortem  what died, of what, with which others
closings     what may be chosen, and what waits behind it
replays      an order: a frozen set of letters, who wants it, why
replayer     carries orders out, letter by letter
ways_back    how a letter is tried again, by where it died
discards     giving up, with a reason
"""

"""What we are measured against, each as its own documentation tells users to write it.

All that take messages write the rows that our ledger writes, into the same tables under the same constraints and
triggers.
"""

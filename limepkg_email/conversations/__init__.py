"""What users change about conversations: who follows them, and which messages belong to them.

Every change is one transaction that locks in the order of the import: signs of the thread index
(sorted), conversations (ascending ids), then the rest.
"""

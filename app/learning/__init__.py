"""Learns all that the judge weighs with: texts to numbers, marks to a sentence reader, both to coefficients."""

#!/usr/bin/env python3
"""Build the index of the catalogue's views; the same as ``originality index build``."""

from __future__ import annotations

import sys

from app.cli import main

if __name__ == "__main__":
    main(["index", "build", *sys.argv[1:]])

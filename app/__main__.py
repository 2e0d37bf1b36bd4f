"""Lets ``python -m app`` stand for the console script."""

from app.cli import main

main()

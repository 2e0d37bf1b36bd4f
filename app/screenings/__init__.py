"""Screens many projects as a job that survives its worker: kept in a database, judged in groups, exported."""

"""SQL for the fixed tables; takes a connection, returns frozen records, begins and commits nothing."""

"""Files and folders that are whole or not there, logs, tables. Nothing here knows what is in them."""

"""The command line: a file for each command, flags and code together; main.py has the table of them."""

"""What leaves the program as a file: streamed a page at a time, safe to open in a spreadsheet."""

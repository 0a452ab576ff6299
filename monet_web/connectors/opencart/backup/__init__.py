"""Orders out of the file that the shop's own backup page exports, where no bridge may be: read line by line."""

"""A page of orders on its way: collected, prepared, booked, counted, under one claim."""

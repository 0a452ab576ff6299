"""What a month and a quarter come to for the accountant: reads other rooms, and closes a month when it is clean."""

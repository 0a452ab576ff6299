"""WooCommerce: signing in, paging that loses nothing, and its orders read to the cent."""

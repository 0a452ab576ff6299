"""How a store speaks: requests in, `domain.orders.Order` out. Knows no database and no web page."""

"""A shop that answers /wp-json/wc/v3 as a real WooCommerce 11.0.1 does, and fails as real hosts do."""

"""What you see: a form in, a service called, a template out. The loader of a page is its guard."""

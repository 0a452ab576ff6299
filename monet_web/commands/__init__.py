"""What `monet` does, a module a noun: arguments in, a service called, sentences out."""

"""Complete answers with what their tasks already held, one language a module."""

"""The walk through the whole product, and one runnable story per flow."""

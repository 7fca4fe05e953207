"""Front doors: foreign model files come in, a verified `Graph` goes out."""

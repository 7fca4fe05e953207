"""Ready networks, one file each: find the weights, check them, return a `Graph`."""

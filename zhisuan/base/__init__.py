"""Ground floor: what every other room stands on; knows neither networks nor machines."""

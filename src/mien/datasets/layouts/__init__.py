"""The records, by kind of set; `mien.datasets.registry` lists them all."""

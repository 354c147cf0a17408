"""From an archive to clean, split tables: registry, download, readers, synthetic, clean, split."""

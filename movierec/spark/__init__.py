"""The pipeline's heavy steps on Apache Spark, with the local engine's bytes; pyspark is imported only to start it."""

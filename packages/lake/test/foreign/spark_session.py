"""A Spark session on a catalog, of the name and with the settings that it is given: statements as JSON lines on standard input, their rows as JSON lines on standard output."""

import json
import os
import sys

from pyspark.sql import SparkSession

NAME = sys.argv[1]
CATALOG = f"spark.sql.catalog.{NAME}"
CONF = {
    CATALOG: "org.apache.iceberg.spark.SparkCatalog",
    **{f"{CATALOG}.{name}": value for name, value in json.loads(sys.argv[2]).items()},
    f"{CATALOG}.cache-enabled": "false",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.defaultCatalog": NAME,
    "spark.jars": os.environ["SPARK_ICEBERG_JARS"],
    "spark.driver.memory": os.environ.get("SPARK_HEAP", "1g"),
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.local.dir": os.environ.get("SPARK_LOCAL", "/tmp"),
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}


def main():
    builder = SparkSession.builder.master("local[2]").appName("frazil")
    for name, value in CONF.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    for line in sys.stdin:
        try:
            rows = [row.asDict(True) for row in session.sql(json.loads(line)).collect()]
            answer = {"rows": rows}
        except Exception as error:  # whatever it is, the test wants to know
            answer = {"error": str(error)}
        print(json.dumps(answer, default=str), flush=True)
    session.stop()


if __name__ == "__main__":
    main()

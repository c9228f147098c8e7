# Fabric notebook source

# METADATA ********************

# META {
# META   "kernel_info": {
# META     "name": "synapse_pyspark"
# META   }
# META }

# MARKDOWN ********************

# # Clean sales
# One row for each line of a receipt: typed, in euros, without the receipts that tills sent twice.

# CELL ********************

from pyspark.sql import functions as F

raw = spark.read.table("BRONZE_Sales_Lakehouse.till_lines")
rates = spark.read.table("BRONZE_Sales_Lakehouse.exchange_rates")

# METADATA ********************

# META {
# META   "language": "python",
# META   "language_group": "synapse_pyspark"
# META }

# CELL ********************

lines = (
    raw.dropDuplicates(["shop_id", "receipt_id", "line_number"])
    .withColumn("sold_at", F.to_timestamp("sold_at"))
    .withColumn("quantity", F.col("quantity").cast("int"))
    .join(rates, ["currency", "rate_date"])
    .withColumn("amount_eur", F.round(F.col("amount") * F.col("rate"), 2))
    .drop("rate")
)
lines.write.mode("overwrite").saveAsTable("SILVER_Sales_Lakehouse.sales_lines")

# METADATA ********************

# META {
# META   "language": "python",
# META   "language_group": "synapse_pyspark"
# META }

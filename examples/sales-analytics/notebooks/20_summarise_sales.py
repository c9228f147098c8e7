# Fabric notebook source

# METADATA ********************

# META {
# META   "kernel_info": {
# META     "name": "synapse_pyspark"
# META   }
# META }

# MARKDOWN ********************

# # Summarise sales
# Sums by day, shop and product, which the monthly report reads.

# CELL ********************

from pyspark.sql import functions as F

lines = spark.read.table("SILVER_Sales_Lakehouse.sales_lines")
daily = lines.groupBy(F.to_date("sold_at").alias("day"), "shop_id", "product_id").agg(
    F.sum("quantity").alias("quantity"),
    F.sum("amount_eur").alias("amount_eur"),
    F.countDistinct("receipt_id").alias("receipts"),
)
daily.write.mode("overwrite").saveAsTable("GOLD_Sales_Lakehouse.daily_sales")

# METADATA ********************

# META {
# META   "language": "python",
# META   "language_group": "synapse_pyspark"
# META }

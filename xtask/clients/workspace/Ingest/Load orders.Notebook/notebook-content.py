# Fabric notebook source

# METADATA ********************

# META {
# META   "kernel_info": {
# META     "name": "synapse_pyspark"
# META   },
# META   "dependencies": {
# META     "lakehouse": {
# META       "default_lakehouse": "5a1e5000-0000-4000-8000-000000000002",
# META       "default_lakehouse_name": "sales",
# META       "default_lakehouse_workspace_id": "00000000-0000-0000-0000-000000000000",
# META       "known_lakehouses": [
# META         {
# META           "id": "5a1e5000-0000-4000-8000-000000000002"
# META         },
# META         {
# META           "id": "5a1e5000-0000-4000-8000-000000000001"
# META         }
# META       ]
# META     },
# META     "environment": {
# META       "environmentId": "5a1e5000-0000-4000-8000-000000000004",
# META       "workspaceId": "00000000-0000-0000-0000-000000000000"
# META     }
# META   }
# META }

# MARKDOWN ********************

# # Orders of the last days
# Late orders are read again, and the newest line of an order wins.

# CELL ********************

orders = spark.read.option("header", True).csv("Files/orders")
clean = orders.dropDuplicates(["order_id"]).where("quantity > 0")

# METADATA ********************

# META {
# META   "language": "python",
# META   "language_group": "synapse_pyspark"
# META }

# CELL ********************

clean.write.mode("overwrite").saveAsTable("orders")

# METADATA ********************

# META {
# META   "language": "python",
# META   "language_group": "synapse_pyspark"
# META }

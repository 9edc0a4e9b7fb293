import "../components/market_list.js";
import "../components/market_spark.js";

package db

// MigrateTo lets tests make databases as earlier programs left them.
var MigrateTo = migrateTo

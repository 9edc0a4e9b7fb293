package static

// Percent shows a price as pages do.
func Percent(price string) (string, error) { return percent(price) }

// Credits shows an amount as pages do.
func Credits(amount string) (string, error) { return credits(amount) }

// Label is an outcome as people write it.
func Label(outcome string) string { return label(outcome) }

package audit

// State is what a database says its book is, read in the same snapshot as the tape. Numbers are
// decimals as Postgres writes them: credits and shares with up to 6 decimals, prices up to 12.
type State struct {
	House     HouseState
	Accounts  []AccountState
	Markets   []MarketState
	Positions []PositionState
}

// HouseState is where the house's stream stands.
type HouseState struct {
	Version int64
	Head    string // hash of the last event, 64 hex digits; of zeros before the first
	Balance string
}

// AccountState is a person's account.
type AccountState struct {
	Account string // handle
	Balance string
}

// MarketState is a market, its numbers in the order of its outcomes.
type MarketState struct {
	Market      string // slug
	Status      string
	Version     int64
	Head        string
	Outcomes    []string
	Outstanding []string
	Prices      []string
	Volume      string
	Trades      int64
	Proposal    []string // nil: none
	Payout      []string // nil: not paid out
	Escrow      string   // balance
}

// PositionState is what an account holds of one outcome. Positions of 0 may be left out.
type PositionState struct {
	Account string
	Market  string
	Outcome string
	Shares  string
}

package db

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is what an account may do besides trade.
type Role string

// The roles, each with the rights of the one before: operators run markets, admins give roles.
const (
	Trader   Role = "trader"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// Has tells whether a role has the rights of another.
func (r Role) Has(other Role) bool {
	return r == other || r == Admin || r == Operator && other == Trader
}

// Account is somebody who trades. Balance is in credits.
type Account struct {
	ID        int64     `json:"-"`
	Handle    string    `json:"handle"`
	Balance   Decimal   `json:"balance"`
	CreatedAt time.Time `json:"created_at"`
	Role      Role      `json:"role"`
}

const accountColumns = "handle, balance::text, created_at, role, id"

// Ref names the account to the database, wherever that takes a handle. It stays this account's: a
// handle becomes somebody else's when its owner has left.
func (a Account) Ref() string { return "#" + strconv.FormatInt(a.ID, 10) }

// CreateAccount opens an account with a balance, or with the usual one if opening is empty.
// Errors: AlreadyExists, InvalidRequest, NotPermitted.
func (d *DB) CreateAccount(ctx context.Context, handle string, opening Decimal) (Account, error) {
	return one[Account](ctx, d,
		"select "+accountColumns+" from pgtape.create_account($1, $2::text::numeric)", handle, opening.arg())
}

// Account finds an account.
// Errors: NotFound.
func (d *DB) Account(ctx context.Context, handle string) (Account, error) {
	account, err := one[Account](ctx, d,
		"with named as (select pgtape.name_of_account($1) as handle) select "+accountColumns+` from pgtape.accounts a
		where lower(a.handle collate "C") = (select lower(n.handle collate "C") from named n)
			and a.handle = (select n.handle from named n) and a.kind = 'person'`, handle)
	if errors.Is(err, pgx.ErrNoRows) {
		return account, Errorf(NotFound, "there is no account %.70s", Printable(handle))
	}
	return account, err
}

// SetRole gives an account a role, for an admin; admin is empty for a login that is an operator.
// Errors: NotFound, NotPermitted, InvalidRequest.
func (d *DB) SetRole(ctx context.Context, account string, role Role, admin string) (Account, error) {
	return one[Account](proven(as(ctx, operating)), d,
		"select "+accountColumns+" from pgtape.set_role($1, $2, $3)", account, role, nullable(admin))
}

// MapLogin lets an SQL login trade as an account.
// Errors: NotFound, NotPermitted.
func (d *DB) MapLogin(ctx context.Context, login, account string) error {
	_, err := d.pool.Exec(ctx, "select pgtape.map_login($1, $2)", login, account)
	return refusal(err)
}

// Position is what an account holds of one outcome. Cost is what it has paid for it less what
// sales have brought; Value is what selling all of it would bring now, or what it has paid out.
type Position struct {
	Market   string  `json:"market"`
	Question string  `json:"question"`
	Status   string  `json:"status"`
	Outcome  string  `json:"outcome"`
	Shares   Decimal `json:"shares"`
	Cost     Decimal `json:"cost"`
	Price    Decimal `json:"price"`
	Value    Decimal `json:"value"`
}

// Positions lists what an account holds, markets that trade first.
func (d *DB) Positions(ctx context.Context, account string) ([]Position, error) {
	return all[Position](ctx, d, `
		select market, question, status, outcome, shares::text, cost::text, price::text, value::text
		from pgtape.positions
		where account = $1 and shares > 0
		order by status in ('resolved', 'void'), market, outcome`, account)
}

// Standing is a line of the leaderboard. Profit counts positions at what selling them would bring.
type Standing struct {
	Account        string  `json:"account"`
	Balance        Decimal `json:"balance"`
	PositionsValue Decimal `json:"positions_value"`
	Profit         Decimal `json:"profit"`
	Counted        Decimal `json:"counted"` // of the profit, without what accounts lost that lose nowhere else
	Markets        int64   `json:"markets"` // that it has traded in
}

// Leaderboard lists the accounts that have gained most, by what is counted of it.
func (d *DB) Leaderboard(ctx context.Context, limit int) ([]Standing, error) {
	return all[Standing](as(ctx, reporting), d, `
		select account, balance::text, positions_value::text, profit::text, counted::text, markets
		from pgtape.leaderboard order by leaderboard.counted desc, account limit $1`, limit)
}

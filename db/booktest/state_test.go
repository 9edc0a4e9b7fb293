package booktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgtape/pgtape/db"
)

// stateOf reads what a program can have changed, as book.state has it. It reads the tables, not
// the views: they hold many programs, of which it wants one.
const stateOf = `
	select 'sum of all balances', sum(balance)::text from pgtape_core.account
	union all
	select 'balance of ' || handle, balance::text from pgtape_core.account where lower(handle) = any ($1)
	union all
	select 'events of house', version::text from pgtape_core.house_tape
	union all
	select 'trades', count(*)::text from pgtape_core.trade
	union all
	select 'ledger entries', count(*)::text from pgtape_core.ledger_entry
	union all
	select 'market ' || m.slug, concat_ws(' ', b.status, b.version, b.outstanding, b.prices, b.volume, b.trades,
			(select count(distinct p.account_id) from pgtape_core.position p where p.market_id = m.id), m.subsidy, f.handle,
			m.void_payout, coalesce(b.proposal::text, 'null'), coalesce(b.payout::text, 'null'))
	from pgtape_core.market m
	join pgtape_core.book b on b.market_id = m.id
	join pgtape_core.account f on f.id = m.funder_id
	where m.slug = any ($2)
	union all
	select format('position of %s in %s of %s', a.handle, m.slug, m.outcomes[p.outcome]), p.shares::text
	from pgtape_core.market m
	join pgtape_core.position p on p.market_id = m.id
	join pgtape_core.account a on a.id = p.account_id
	where m.slug = any ($2)`

// pairs runs a query of two texts a row.
func pairs(ctx context.Context, d *db.DB, query string, args ...any) (map[string]string, error) {
	rows, err := d.Pool().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	list := map[string]string{}
	var key, value string
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		list[key] = value
		return nil
	})
	return list, err
}

// handles are the accounts of the program as the database finds them, the escrows and the house too.
func (b *book) handles() []string {
	list := []string{"house"}
	for _, a := range b.accounts {
		list = append(list, strings.ToLower(a.handle))
	}
	for _, m := range b.markets {
		list = append(list, "market:"+m.slug)
	}
	return list
}

func (b *book) slugs() []string {
	list := []string{}
	for _, m := range b.markets {
		list = append(list, m.slug)
	}
	return list
}

// differences are the lines in which what is and what should be differ.
func differences(got, want map[string]string) string {
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		is, exists := got[key]
		should, expected := want[key]
		switch {
		case !exists:
			lines = append(lines, fmt.Sprintf("%s: none, want %s", key, should))
		case !expected:
			lines = append(lines, fmt.Sprintf("%s: %s, want none", key, is))
		case is != should:
			lines = append(lines, fmt.Sprintf("%s:\n\t%s, want\n\t%s", key, is, should))
		}
	}
	return strings.Join(lines, "\n")
}

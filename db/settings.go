package db

import (
	"context"

	"github.com/pgtape/pgtape/db/connect"
)

// Setting is a rule of the site that the database holds, so that SQL obeys it too.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Settings lists the rules of the site by name.
func (d *DB) Settings(ctx context.Context) ([]Setting, error) {
	return all[Setting](ctx, d, "select name, value from pgtape.settings order by name")
}

// SetSetting changes a rule in the database of a URL, or finds it as it is to be.
// Errors: NotPermitted when it would have to be changed and the login is no operator; InvalidRequest.
func SetSetting(ctx context.Context, url, name, value string) error {
	conn, err := connect.Open(ctx, url, connect.Options{Unlimited: true})
	if err != nil {
		return connectError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var same bool
	err = conn.QueryRow(ctx, "select exists (select from pgtape.settings s where s.name = $1 and s.value = $2)", name, value).Scan(&same)
	if err != nil || same {
		return refusal(err)
	}
	_, err = conn.Exec(ctx, "select pgtape.set_setting($1, $2)", name, value)
	return refusal(err)
}

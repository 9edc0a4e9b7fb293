package connect

import (
	"context"
	"net"
	"strconv"
)

// Chosen is the URL for a program of others, narrowed to the server of it that we would connect to: libpq
// takes the first that answers, also a standby. It connects.
func Chosen(ctx context.Context, text string) (string, error) {
	conn, err := Open(ctx, text, Options{})
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	config := conn.Config()
	text = with(with(text, "host", config.Host), "port", strconv.Itoa(int(config.Port)))
	if tcp, ok := conn.PgConn().Conn().RemoteAddr().(*net.TCPAddr); ok { // of a name, this address
		text = with(text, "hostaddr", tcp.IP.String())
	}
	return text, nil
}

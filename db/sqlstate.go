package db

import "time"

// codes maps the SQLSTATEs of pgtape_core.sqlstate_of: what our own functions refuse.
var codes = map[string]Code{
	"TP001": StaleQuote,
	"TP002": MarketNotOpen,
	"TP003": InsufficientFunds,
	"TP004": InsufficientShares,
	"TP005": DeadlinePassed,
	"TP006": IdempotencyMismatch,
	"TP007": NotFound,
	"TP008": InvalidOrder,
	"TP009": NotPermitted,
	"TP010": AlreadyExists,
	"TP011": InvalidRequest,
	"TP012": TooManyRequests,
}

// Reasons of Unavailable, for programs, metrics and the log. They are part of the contract.
const (
	ReasonConflict    = "conflict"             // with transactions at the same time, also when tried again
	ReasonLocked      = "lock_timeout"         // another transaction holds what this needs
	ReasonCanceled    = "canceled"             // by a time limit of the database, or an administrator
	ReasonReadOnly    = "read_only"            // a standby, or default_transaction_read_only
	ReasonDiskFull    = "disk_full"            // or a quota
	ReasonMemory      = "out_of_memory"        // of the database
	ReasonConnections = "too_many_connections" // of the server, the database or the login
	ReasonLimit       = "database_limit"       // such as transaction ids that run out
	ReasonRestarting  = "restarting"           // the database starts, stops or was ended
	ReasonLogin       = "login_refused"        // password, pg_hba.conf
	ReasonNoDatabase  = "no_database"          // dropped, renamed, or closed for the moment
	ReasonUnreachable = "unreachable"          // no connection could be made
	ReasonLost        = "connection_lost"      // under a statement
	ReasonBusy        = "busy"                 // too many wait for a connection already
	ReasonTimeout     = "timeout"              // the database did not answer in time
)

// condition is what an SQLSTATE of Postgres' own means to a caller.
type condition struct {
	code    Code
	reason  string
	message string // what Postgres says besides, in its language, is Error.Said
	hint    string
	after   time.Duration // before it is worth to try again
	again   bool          // the transaction was certainly not committed, and may pass at once
	lasting bool          // it holds for writes until somebody mends it: Ready finds out
}

// conditions has each SQLSTATE that means try again, or not now. Anything else that is not a refusal of
// ours is Internal: a fault of the program, or of the schema.
var conditions = map[string]condition{
	"40001": {Unavailable, ReasonConflict, "too many change the same at this moment", "try again", time.Second, true, false},
	"40P01": {Unavailable, ReasonConflict, "too many change the same at this moment", "try again", time.Second, true, false},
	"0A000": {code: Internal, again: true}, // a prepared statement from before a migration
	"26000": {code: Internal, again: true}, // a prepared statement that a pooler, or DEALLOCATE, has dropped

	"55P03": {Unavailable, ReasonLocked, "another transaction holds what this needs for too long (lock_timeout)", "try again in a moment", time.Second, false, false},
	"55006": {Unavailable, ReasonLocked, "another session uses what this needs", "try again in a moment", time.Second, false, false},
	"57014": {Unavailable, ReasonCanceled, "the database broke this off (statement_timeout, or an administrator)", "try again in a moment; the operator can raise statement_timeout of the login or the database", time.Second, false, false},
	"25P03": {Unavailable, ReasonCanceled, "the database broke this off (idle_in_transaction_session_timeout)", "try again", time.Second, false, false},
	"25P04": {Unavailable, ReasonCanceled, "the database broke this off (transaction_timeout)", "try again", time.Second, false, false},

	"25006": {Unavailable, ReasonReadOnly, "the database takes no writes at the moment: it is read-only, or a standby", "try again later", 5 * time.Second, false, true},

	"53100": {Unavailable, ReasonDiskFull, "the database's disk is full", "try again later; the operator has to free space", 30 * time.Second, false, true},
	"53200": {Unavailable, ReasonMemory, "the database is out of memory", "try again in a moment", 5 * time.Second, false, false},
	"53300": {Unavailable, ReasonConnections, "the database has no connection left for this server", "try again in a moment; the operator can raise the login's connection limit, or max_connections", time.Second, false, false},
	"53400": {Unavailable, ReasonLimit, "the database has reached a limit that is configured", "try again later", 5 * time.Second, false, false},
	"54000": {Unavailable, ReasonLimit, "the database has reached a limit of its own", "try again later; the operator finds the cause in the log", 30 * time.Second, false, true},
	"58030": {Unavailable, ReasonDiskFull, "the database cannot read or write its disk", "try again later; the operator has to look at the disk", 30 * time.Second, false, true},

	"57P01": {Unavailable, ReasonRestarting, "the database ended the connection: what was asked for may or may not be done", "ask again; what has an idempotency key is done once", time.Second, false, false},
	"57P02": {Unavailable, ReasonRestarting, "the database crashed: what was asked for may or may not be done", "ask again; what has an idempotency key is done once", 2 * time.Second, false, false},
	"57P03": {Unavailable, ReasonRestarting, "the database is starting or stopping", "try again in a moment", 2 * time.Second, false, false},
	"57P04": {Unavailable, ReasonNoDatabase, "the database was dropped", "try again later", 5 * time.Second, false, false},
	"57P05": {Unavailable, ReasonRestarting, "the database ended a connection that rested (idle_session_timeout)", "try again", time.Second, false, false},

	"28000": {Unavailable, ReasonLogin, "the database refuses this server's login", "the operator has to look at the login, and at pg_hba.conf", 5 * time.Second, false, false},
	"28P01": {Unavailable, ReasonLogin, "the database refuses this server's password", "the operator has to look at the password", 5 * time.Second, false, false},
	"3D000": {Unavailable, ReasonNoDatabase, "there is no such database", "the operator has to look at the URL", 5 * time.Second, false, false},
}

// classes are for SQLSTATEs that conditions does not name, by their first two characters. Values that
// no column can hold (22, a NUL in a text, say) are the caller's.
var classes = map[string]condition{
	"08": {Unavailable, ReasonUnreachable, "the connection to the database failed", "try again", time.Second, false, false},
	"22": {code: InvalidRequest},
	"53": {Unavailable, ReasonLimit, "the database has not the means for this", "try again later", 5 * time.Second, false, false},
	"54": {code: InvalidRequest}, // too complex, too many columns, too deep
	"57": {Unavailable, ReasonCanceled, "the database broke this off", "try again", time.Second, false, false},
}

func conditionOf(sqlstate string) (condition, bool) {
	c, ok := conditions[sqlstate]
	if !ok && len(sqlstate) == 5 {
		c, ok = classes[sqlstate[:2]]
	}
	return c, ok
}

// repeatable says whether a statement certainly did nothing, and may do it when it is sent again.
func repeatable(err error) bool {
	pg := pgErrorOf(err)
	if pg == nil {
		return false
	}
	c, _ := conditionOf(pg.Code)
	return c.again
}

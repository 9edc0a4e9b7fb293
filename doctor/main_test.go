package doctor_test

import (
	"testing"

	"github.com/pgtape/pgtape/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

package tape

import "testing"

func TestWholeXIDIsTheNearest(t *testing.T) {
	t.Parallel()
	const turn = uint64(1) << 32
	for _, tt := range []struct {
		low        uint32
		near, want uint64
	}{
		{700, 700, 700},
		{705, 700, 705},
		{650, 700, 650},
		{3, 5*turn - 2, 5*turn + 3},
		{^uint32(0), 5*turn + 2, 5*turn - 1},
		{2_000_000_000, 7 * turn, 7*turn + 2_000_000_000},
		{3_000_000_000, 7 * turn, 6*turn + 3_000_000_000},
	} {
		if got := wholeXID(tt.low, tt.near); got != tt.want {
			t.Errorf("%d near %d is %d, want %d", tt.low, tt.near, got, tt.want)
		}
	}
}

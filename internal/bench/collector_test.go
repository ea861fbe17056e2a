package bench

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheCollectorIsOnAgainWhenAMeasurementIsAbandoned(t *testing.T) {
	before := debug.SetGCPercent(150)
	defer debug.SetGCPercent(before)
	percent := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	on := switchCollectorOff()
	assert.Equal(t, -1, percent())
	Abandon()
	assert.Equal(t, 150, percent())
	debug.SetGCPercent(160)
	on() // the measurement comes back after all
	assert.Equal(t, 160, percent())
}

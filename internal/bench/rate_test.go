package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRateIsWorkByTheMedianTime(t *testing.T) {
	r := &Result{MedianTime: 0.002, Metadata: map[string]any{}}
	r.SetRate("tokens_per_s", 500)
	r.SetRate("nothing", 0)
	assert.Equal(t, map[string]any{"tokens_per_s": 250000.0}, r.Metadata)
	r = &Result{Metadata: map[string]any{}}
	r.SetRate("tokens_per_s", 500)
	assert.Empty(t, r.Metadata)
}

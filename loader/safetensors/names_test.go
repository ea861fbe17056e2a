package safetensors

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNameSetRemembersAcrossGrowth(t *testing.T) {
	for _, again := range []int{0, 1, 60, 500, 999} {
		var s nameSet
		s.reset(0)
		for i := range 1000 {
			s.add([]byte(strconv.Itoa(i)))
		}
		assert.False(t, s.repeated)
		assert.Greater(t, len(s.table), 1000)
		s.add([]byte(strconv.Itoa(again)))
		assert.True(t, s.repeated, again)
		s.reset(0)
		s.add([]byte(strconv.Itoa(again)))
		assert.False(t, s.repeated, "after reset")
	}
}

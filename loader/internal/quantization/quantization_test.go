package quantization

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBitsOfMethodsAreNumbers(t *testing.T) {
	for method, m := range Methods() {
		if _, own, ok := strings.Cut(m.bits, "="); ok {
			bits, err := strconv.ParseFloat(own, 64)
			assert.True(t, err == nil && bits > 0 && bits <= 8, "quantization_methods.tsv: %s: %s", method, m.bits)
		}
	}
}

package suggest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOpposite(t *testing.T) {
	for _, pair := range [][2]string{
		{"the model is supported", "the model is not supported"},
		{"the model is suported", "the model is not supported"},
		{"the model is nto supported", "the model is supported"},
		{"the model isn't supported", "the model is supported"},
		{"the weights are complete", "the weights are incomplete"},
		{"the weights are incomplet", "the weights are complete"},
		{"incompletee", "complete"},
		{"unsuported", "supported"},
		{"notsupported", "supported"},
		{"the size is at least 5", "the size is at most 5"},
		{"the size is at leats 5", "the size is at most 5"},
		{"the latency is above 5 ms", "the latency is below 5 ms"},
		{"loading needs remote code", "loading needs no remote code"},
		{"the model has no talker", "the model has a talker"},
		{"the text is encoded", "the text is decoded"},
		{"the text is encoded without special tokens", "the text is encoded with special tokens"},
		{"--no-dry-run", "--dry-run"},
		{"max", "min"},
		{"the memory is under 16 GB", "the memory is at least 16 GB"},
		{"the memory is over 16 GB", "the memory is at most 16 GB"},
		{"the memory is below 16 GB", "the memory is more than 16 GB"},
		{"the memory is above 16 GB", "the memory is less than 16 GB"},
		{"there are fewer than 2 shards", "there are at least 2 shards"},
		{"unsupported", "supported"},
		{"no error is reported", "an error is reported"},
	} {
		assert.True(t, Opposite(pair[0], pair[1]), "%q and %q", pair[0], pair[1])
		assert.True(t, Opposite(pair[1], pair[0]), "%q and %q", pair[1], pair[0])
	}
}

func TestWordsThatAreNoOpposites(t *testing.T) {
	for _, pair := range [][2]string{
		{"the model is supported", "the model is suported"},
		{"the model is not supported", "the model is not suported"},
		{"the model is nto supported", "the model is not supported"},
		{"incomplete", "incomplet"},
		{"a note is reported", "a noet is reported"},
		{"at least", "at leats"},
		{"input", "put"},
		{"the model is unsupported", "the model is not supported"},
		{"the weights are incomplete", "the weights are not complete"},
		{"the memory is under 16 GB", "the memory is less than 16 GB"},
		{"at most 2", "fewer than 2"},
		{"--itertions", "--iterations"},
		{"tokeniser", "tokenizer"},
		{"no error is reported", "no eror is reported"},
		{"no-run-fil", "no-run-file"},
		{"red", "rd"},
	} {
		assert.False(t, Opposite(pair[0], pair[1]), "%q and %q", pair[0], pair[1])
		assert.False(t, Opposite(pair[1], pair[0]), "%q and %q", pair[1], pair[0])
	}
}

func TestNearestNeverOffersTheOpposite(t *testing.T) {
	for _, c := range []struct {
		typed string
		known []string
		want  string
	}{
		{"the model is not suported", []string{"the model is supported"}, ""},
		{"the model is not suported", []string{"the model is supported", "the model is not supported"}, "the model is not supported"},
		{"the weights are incomplet", []string{"the weights are complete"}, ""},
		{"the size is at leats 0", []string{"the size is at most 0"}, ""},
		{"no-dry-run", []string{"dry-run"}, ""},
		{"dry-rn", []string{"dry-run"}, "dry-run"},
		{"the key is at least 0", []string{"the key is absent"}, ""},
		{"the model is unsupported", []string{"the model is quantized", "the model is not supported"}, "the model is not supported"},
	} {
		got, _ := Nearest(c.typed, c.known)
		assert.Equal(t, c.want, got, c.typed)
	}
}

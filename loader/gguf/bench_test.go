package gguf_test

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"

	"omniloader/loader/gguf"
)

// BenchmarkRead reads the header of an 8-billion-parameter model: 150,000 tokens,
// as many merges, 291 tensors, and no data behind them.
func BenchmarkRead(b *testing.B) {
	w := newBuilder().number("llama.block_count", 4, uint32(32))
	words := make([]string, 150_000)
	for i := range words {
		words[i] = "tok" + strconv.Itoa(i)
	}
	w.texts("tokenizer.ggml.tokens", words...).texts("tokenizer.ggml.merges", words...)
	for i := range 291 {
		w.f32(fmt.Sprintf("blk.%d.attn_q.weight", i), 1)
	}
	data := w.build()
	for name, read := range map[string]func() (*gguf.File, error){
		"all":  func() (*gguf.File, error) { return gguf.Read(bytes.NewReader(data), int64(len(data)), "m.gguf") },
		"head": func() (*gguf.File, error) { return gguf.ReadHead(bytes.NewReader(data), int64(len(data)), "m.gguf") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var fetched int64
			for b.Loop() {
				f, err := read()
				if err != nil {
					b.Fatal(err)
				}
				fetched = f.Fetched
			}
			b.ReportMetric(float64(fetched), "fetched-B")
		})
	}
}

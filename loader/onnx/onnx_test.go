package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
)

// The functions up to model write the fields of protocol buffers.
func number64(field int, n uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3), n)
}

func message(field int, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.AppendUvarint(nil, uint64(field)<<3|2)
	return append(binary.AppendUvarint(b, uint64(len(body))), body...)
}

func text(field int, s string) []byte { return message(field, []byte(s)) }

func pair(key, value string) []byte { return message(13, text(1, key), text(2, value)) }

// tensor is a TensorProto's fields; dims are written packed or one by one.
func tensor(name string, typ uint64, packed bool, dims []uint64, more ...[]byte) []byte {
	var shape []byte
	if packed {
		var list []byte
		for _, d := range dims {
			list = binary.AppendUvarint(list, d)
		}
		shape = message(1, list)
	} else {
		for _, d := range dims {
			shape = append(shape, number64(1, d)...)
		}
	}
	return bytes.Join(append([][]byte{shape, number64(2, typ), text(8, name)}, more...), nil)
}

func raw(n int) []byte { return message(9, make([]byte, n)) }

func model(graph ...[]byte) []byte {
	return bytes.Join([][]byte{number64(1, 8), text(2, "a producer"), message(7, graph...), message(8, number64(2, 17))}, nil)
}

func read(data []byte) ([]Tensor, error) {
	return Read(bytes.NewReader(data), int64(len(data)), "m.onnx")
}

func whole() []byte {
	branch := message(5, text(1, "then_branch"), message(6, message(5, tensor("inner", 10, true, []uint64{4}, raw(8)))))
	constant := message(5, text(1, "value"), message(5, tensor("const", 7, true, []uint64{2}, message(7, []byte{1, 2}))))
	return model(
		text(2, "graph"),
		message(1, text(4, "Constant"), constant),
		message(1, text(4, "If"), branch),
		message(5, tensor("w", 1, true, []uint64{3, 4}, raw(48))),
		message(5, tensor("scalar", 1, false, nil, message(4, make([]byte, 4)))),
		message(5, tensor("far", 16, false, []uint64{5, 6}, pair("location", "m.onnx_data"), pair("offset", "4096"), pair("length", "60"), number64(14, 1))),
		message(5, tensor("none", 1, true, []uint64{0, 4})),
	)
}

func TestTensorsOfAModel(t *testing.T) {
	tensors, err := read(whole())
	require.NoError(t, err)
	assert.Equal(t, []Tensor{
		{Name: "const", DType: "I64", Shape: []int64{2}, Bytes: 2, Constant: true},
		{Name: "inner", DType: "F16", Shape: []int64{4}, Bytes: 8},
		{Name: "w", DType: "F32", Shape: []int64{3, 4}, Bytes: 48},
		{Name: "scalar", DType: "F32", Bytes: 4},
		{Name: "far", DType: "BF16", Shape: []int64{5, 6}, Bytes: 60, External: &External{"m.onnx_data", 4096, 60}},
		{Name: "none", DType: "F32", Shape: []int64{0, 4}},
	}, tensors)
	assert.EqualValues(t, 12, tensors[2].Elements())
	assert.EqualValues(t, 1, tensors[3].Elements())
}

func TestErrors(t *testing.T) {
	deep := message(5, tensor("x", 1, true, []uint64{1}, raw(4)))
	for range maxDepth + 2 {
		deep = message(1, message(5, message(6, deep)))
	}
	for name, c := range map[string]struct {
		data []byte
		kind fault.Kind
	}{
		"no bytes":           {nil, fault.Empty},
		"no graph":           {number64(1, 8), NotONNX},
		"cut":                {whole()[:60], fault.Truncated},
		"no field number":    {[]byte{0, 0}, fault.Malformed},
		"unknown wire type":  {[]byte{0x0c}, fault.Malformed},
		"a number too long":  {[]byte{8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2}, fault.Malformed},
		"a shape too large":  {model(message(5, tensor("w", 1, true, []uint64{math.MaxInt64, 3}, raw(4)))), fault.Malformed},
		"a negative shape":   {model(message(5, tensor("w", 1, true, []uint64{math.MaxUint64}, raw(4)))), fault.Malformed},
		"no data":            {model(message(5, tensor("w", 1, true, []uint64{2}))), fault.Truncated},
		"an offset no count": {model(message(5, tensor("w", 1, true, []uint64{2}, pair("offset", "-1"), number64(14, 1)))), fault.Malformed},
		"graphs in graphs":   {model(deep), fault.TooDeep},
	} {
		_, err := read(c.data)
		assert.Equal(t, c.kind, fault.KindOf(err), "%s: %v", name, err)
	}
}

func TestUnsafeExternalData(t *testing.T) {
	for file, unsafe := range map[string]bool{"w.data": false, "sub/w": false, "a/../w": false, "../w": true, "..": true, "/etc/passwd": true, `C:\w`: true, `..\w`: true} {
		assert.Equal(t, unsafe, (&External{File: file}).Unsafe(), file)
	}
}

// The data of the tensors is skipped.
func TestDataIsNotRead(t *testing.T) {
	const size = 64 << 20
	head := model(message(5, tensor("w", 1, true, []uint64{size / 4}, raw(size))))
	src := &counting{ReaderAt: bytes.NewReader(head)}
	tensors, err := Read(src, int64(len(head)), "m.onnx")
	require.NoError(t, err)
	assert.EqualValues(t, size, tensors[0].Bytes)
	assert.Less(t, src.read, int64(256<<10))
}

type counting struct {
	*bytes.Reader
	ReaderAt interface {
		ReadAt(p []byte, off int64) (int, error)
	}
	read int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read += int64(n)
	return n, err
}

func FuzzRead(f *testing.F) {
	data := whole()
	f.Add(data)
	for i := 0; i < len(data); i += 7 {
		f.Add(data[:i])
		flipped := bytes.Clone(data)
		flipped[i] ^= 0x81
		f.Add(flipped)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := read(data)
		var e *fault.Error
		if err != nil && (!errors.As(err, &e) || e.Path != "m.onnx") {
			t.Fatalf("not a fault.Error: %v", err)
		}
		named := 0
		for _, x := range tensors {
			named += len(x.Name) + len(x.Shape)
			if x.Elements() < 0 || x.Bytes < 0 || strings.ContainsRune(x.DType, ' ') {
				t.Fatalf("%+v", x)
			}
		}
		if named > 2*len(data)+16 {
			t.Fatalf("%d bytes of names and shapes out of %d", named, len(data))
		}
	})
}

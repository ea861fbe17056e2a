package npz_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/npz"
)

// The files of testdata were written by numpy 2.4: savez, savez_compressed, save,
// and format.write_array with version (2, 0).
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

func read(data []byte) ([]npz.Array, error) {
	return npz.Read(bytes.NewReader(data), int64(len(data)), "m.npz")
}

func readArray(data []byte) (npz.Array, error) {
	return npz.ReadArray(bytes.NewReader(data), int64(len(data)), "m.npy")
}

func show(a npz.Array) string {
	return fmt.Sprintf("%s %s %q %v %d fortran=%t big=%t pickled=%t", a.Name, a.Descr, a.DType, a.Shape, a.ItemBytes, a.Fortran, a.BigEndian, a.Pickled)
}

func TestArraysWrittenByNumpy(t *testing.T) {
	for _, name := range []string{"plain.npz", "packed.npz"} {
		arrays, err := read(sample(t, name))
		require.NoError(t, err)
		var got []string
		for _, a := range arrays {
			got = append(got, show(a))
			assert.Equal(t, name == "packed.npz", a.Compressed)
		}
		assert.Equal(t, []string{
			`W_enc <f4 "F32" [4 3] 4 fortran=false big=false pickled=false`,
			`b <f2 "F16" [3] 2 fortran=false big=false pickled=false`,
			`n <i8 "I64" [] 8 fortran=false big=false pickled=false`,
			`f <f8 "F64" [2 3] 8 fortran=true big=false pickled=false`,
			`big >i4 "I32" [3] 4 fortran=false big=true pickled=false`,
			`flag |b1 "BOOL" [1] 1 fortran=false big=false pickled=false`,
			`name <U3 "" [2] 12 fortran=false big=false pickled=false`,
			`empty |u1 "U8" [0 5] 1 fortran=false big=false pickled=false`,
			`c <c8 "C64" [2] 8 fortran=false big=false pickled=false`,
			`rec [('x', '<f4'), ('y', '<i2', (2,))] "" [2] 0 fortran=false big=false pickled=false`,
			`when <M8[D] "" [1] 8 fortran=false big=false pickled=false`,
		}, got)
		assert.EqualValues(t, 48, arrays[0].Bytes())
	}
}

func TestObjectArraysAreReported(t *testing.T) {
	arrays, err := read(sample(t, "objects.npz"))
	require.NoError(t, err)
	require.Len(t, arrays, 2)
	assert.True(t, arrays[0].Pickled)
	assert.False(t, arrays[1].Pickled)
	hidden, err := readArray(npy(1, "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }", 0))
	require.NoError(t, err)
	assert.True(t, hidden.Pickled)
}

func TestSingleArrays(t *testing.T) {
	a, err := readArray(sample(t, "single.npy"))
	require.NoError(t, err)
	assert.Equal(t, ` <f4 "F32" [2 2] 4 fortran=false big=false pickled=false`, show(a))
	a, err = readArray(sample(t, "version2.npy"))
	require.NoError(t, err)
	assert.Equal(t, ` |i1 "I8" [3] 1 fortran=false big=false pickled=false`, show(a))
	a, err = readArray(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 2L), }", 24))
	require.NoError(t, err)
	assert.Equal(t, []int64{3, 2}, a.Shape, "as Python 2 wrote it")
}

// npy builds a file according to numpy/lib/format.py.
func npy(version byte, header string, data int) []byte {
	b := append([]byte("\x93NUMPY"), version, 0, byte(len(header)), byte(len(header)>>8))
	if version > 1 {
		b = append(b, byte(len(header)>>16), byte(len(header)>>24))
	}
	return append(append(b, header...), make([]byte, data)...)
}

func archive(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		out, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: zip.Store})
		require.NoError(t, err)
		_, _ = out.Write([]byte(files[i+1]))
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestErrorsOfArrays(t *testing.T) {
	head := func(descr, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }"
	}
	for name, c := range map[string]struct {
		kind fault.Kind
		data []byte
	}{
		"Empty":               {fault.Empty, nil},
		"NotNPY":              {npz.NotNPY, []byte("not numpy at all")},
		"ZeroFilled":          {fault.ZeroFilled, make([]byte, 100)},
		"BadVersion":          {npz.BadVersion, npy(4, head("'<f4'", "()"), 4)},
		"BadVersion 0":        {npz.BadVersion, npy(0, head("'<f4'", "()"), 4)},
		"TooLarge":            {fault.TooLarge, []byte("\x93NUMPY\x02\x00\xff\xff\xff\x7f")},
		"Truncated magic":     {fault.Truncated, []byte("\x93NUM")},
		"Truncated header":    {fault.Truncated, npy(1, head("'<f4'", "()"), 0)[:30]},
		"Truncated data":      {fault.Truncated, npy(1, head("'<f4'", "(2,)"), 7)},
		"WrongSize":           {npz.WrongSize, npy(1, head("'<f4'", "(2,)"), 9)},
		"SizeOverflow":        {npz.SizeOverflow, npy(1, head("'<f4'", "(4294967296, 4294967296)"), 0)},
		"SizeOverflow bytes":  {npz.SizeOverflow, npy(1, head("'<f8'", "(2305843009213693952,)"), 0)},
		"BadDType":            {npz.BadDType, npy(1, head("'<q4'", "()"), 4)},
		"BadDType order":      {npz.BadDType, npy(1, head("'<<f4'", "()"), 4)},
		"BadDType no size":    {npz.BadDType, npy(1, head("'f'", "()"), 4)},
		"BadDType word":       {npz.BadDType, npy(1, head("eval", "()"), 4)},
		"BadHeader text":      {npz.BadHeader, npy(1, "__import__('os').system('ls')", 0)},
		"BadHeader key":       {npz.BadHeader, npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", 4)},
		"BadHeader missing":   {npz.BadHeader, npy(1, "{'descr': '<f4', 'shape': ()}", 4)},
		"BadHeader twice":     {npz.BadHeader, npy(1, "{'descr': '<f4', 'shape': (), 'shape': ()}", 4)},
		"BadHeader shape":     {npz.BadHeader, npy(1, head("'<f4'", "(-1,)"), 4)},
		"BadHeader dims":      {npz.BadHeader, npy(1, head("'<f4'", "("+strings.Repeat("1,", 65)+")"), 4)},
		"BadHeader boolean":   {npz.BadHeader, npy(1, "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", 4)},
		"BadHeader behind":    {npz.BadHeader, npy(1, head("'<f4'", "()")+"x", 4)},
		"BadHeader no end":    {npz.BadHeader, npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()", 4)},
		"BadHeader open text": {npz.BadHeader, npy(1, "{'descr", 4)},
		"BadHeader nested":    {npz.BadHeader, npy(1, head(strings.Repeat("[", 5000)+strings.Repeat("]", 5000), "()"), 4)},
	} {
		_, err := readArray(c.data)
		assert.ErrorIs(t, err, c.kind, name)
		assert.Equal(t, "m.npy", fault.PathOf(err), name)
	}
}

func TestErrorsOfArchives(t *testing.T) {
	good := string(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4))
	plain := sample(t, "plain.npz")
	for name, c := range map[string]struct {
		kind fault.Kind
		data []byte
	}{
		"Empty":         {fault.Empty, nil},
		"ZeroFilled":    {fault.ZeroFilled, make([]byte, 100)},
		"NotNPZ":        {npz.NotNPZ, []byte("hello world")},
		"NotNPZ array":  {npz.NotNPZ, sample(t, "single.npy")},
		"NotNPZ zip":    {npz.NotNPZ, archive(t, "a.txt", "x")},
		"Truncated":     {fault.Truncated, plain[:len(plain)-20]},
		"Duplicate":     {npz.Duplicate, archive(t, "a.npy", good, "a.npy", good)},
		"NotNPY inside": {npz.NotNPY, archive(t, "a.npy", "something else")},
	} {
		_, err := read(c.data)
		assert.ErrorIs(t, err, c.kind, name)
		assert.Equal(t, "m.npz", fault.PathOf(err), name)
	}
}

func TestOneBrokenArrayDoesNotHideTheOthers(t *testing.T) {
	good := string(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4))
	arrays, err := read(archive(t, "a.npy", good, "b.npy", good[:20], "c.npy", good, "note.txt", "x"))
	assert.ErrorIs(t, err, fault.Truncated)
	require.Len(t, arrays, 2)
	assert.Equal(t, "c", arrays[1].Name)
}

func TestOnlyHeadersAreDecompressed(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	out, err := w.Create("a.npy")
	require.NoError(t, err)
	_, _ = out.Write(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (8388608,), }", 32<<20))
	require.NoError(t, w.Close())
	used := allocation(func() {
		arrays, err := read(b.Bytes())
		require.NoError(t, err)
		assert.EqualValues(t, 32<<20, arrays[0].Bytes())
	})
	assert.Less(t, used, uint64(1<<20))
}

func allocation(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func checkError(t testing.TB, err error) {
	t.Helper()
	var e *fault.Error
	if err != nil && (!errors.As(err, &e) || e.Kind == "" || e.Path == "") {
		t.Errorf("not a fault.Error with kind and path: %v", err)
	}
}

func TestDamagedFilesGiveErrorsWithKind(t *testing.T) {
	for _, name := range []string{"plain.npz", "packed.npz", "objects.npz", "single.npy", "version2.npy"} {
		data := sample(t, name)
		one := strings.HasSuffix(name, ".npy")
		budget := uint64(64*len(data) + 1<<20)
		try := func(what string, i int, data []byte) error {
			var err error
			used := allocation(func() {
				if one {
					_, err = readArray(data)
				} else {
					_, err = read(data)
				}
			})
			if used > budget {
				t.Errorf("%s: %s at %d: %d bytes allocated for a file of %d", name, what, i, used, len(data))
			}
			checkError(t, err)
			return err
		}
		for i := 0; i < len(data); i += 7 {
			assert.Error(t, try("cut", i, data[:i]), "%s cut at %d", name, i)
			for _, flip := range []byte{0xFF, 0x01, 0x80} {
				b := bytes.Clone(data)
				b[i] ^= flip
				_ = try("flip", i, b)
			}
			b := bytes.Clone(data)
			clear(b[i:])
			if err := try("zero", i, b); i < 60 {
				assert.Error(t, err, "%s zero from %d", name, i)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"plain.npz", "packed.npz", "objects.npz"} {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		arrays, err := read(data)
		checkError(t, err)
		for i := range arrays {
			if arrays[i].Elements() < 0 || arrays[i].Bytes() < 0 {
				t.Fatalf("%+v", arrays[i])
			}
		}
	})
}

func FuzzReadArray(f *testing.F) {
	f.Add(sample(f, "single.npy"))
	f.Add(sample(f, "version2.npy"))
	f.Add(npy(1, "{'descr': [('a', '<f4', (2,)), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }", 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := readArray(data)
		checkError(t, err)
		if err == nil && a.ItemBytes > 0 && a.Bytes() > int64(len(data)) {
			t.Fatalf("%d bytes of data in a file of %d", a.Bytes(), len(data))
		}
	})
}

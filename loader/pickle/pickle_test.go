package pickle_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/pickle"
)

// The .pt files of testdata were made with Python's pickler from classes and functions
// with the names of torch's, and put into containers as torch/serialization.py writes
// them (zip entries stored, padded to 64 bytes by an FB extra field, with data
// descriptors; the legacy layout with its five pickles). The .pkl files are
// pickle.dumps of plain values and of numpy 2.4 arrays. None was made by torch.

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

func read(data []byte) (*pickle.File, error) {
	return pickle.Read(bytes.NewReader(data), int64(len(data)), "m.bin")
}

func mustRead(t testing.TB, data []byte) *pickle.File {
	t.Helper()
	f, err := read(data)
	require.NoError(t, err)
	return f
}

// list formats tensors as "in|name dtype shape storage+offset layout".
func list(f *pickle.File) (all []string) {
	for i := range f.Tensors {
		x := &f.Tensors[i]
		key := "-"
		if x.Storage >= 0 {
			key = f.Storages[x.Storage].Key
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s|%s %s %v %s+%d %s", x.In, x.Name, x.DType, x.Shape, key, x.Offset, x.Layout)))
	}
	return all
}

func names(f *pickle.File) (all []string) {
	for _, i := range f.Imports {
		all = append(all, i.String())
	}
	return all
}

var stateTensors = []string{
	"|embed.weight F32 [5 4] 0+0",
	"|layers.0.attn.weight F16 [3 4] 1+0",
	"|layers.0.attn.weight_t F16 [4 3] 1+0",
	"|layers.0.norm.weight BF16 [4] 2+4",
	"|steps I64 [] 3+0",
	"|mask BOOL [3] 4+0",
	"|lm_head.weight F32 [5 4] 0+0",
}

func TestStateDictionary(t *testing.T) {
	for name, want := range map[string]pickle.File{
		"state.pt":           {Container: pickle.Zip, Protocol: 2, Root: "archive", Version: "3", ByteOrder: "little", Pickles: 1},
		"state_protocol4.pt": {Container: pickle.Zip, Protocol: 4, Root: "model", Version: "3", ByteOrder: "little", Pickles: 1},
		"state_deflated.pt":  {Container: pickle.Zip, Protocol: 2, Root: "archive", Version: "3", ByteOrder: "little", Pickles: 1},
		"state_legacy.pt":    {Container: pickle.Legacy, Protocol: 2, ByteOrder: "little", Pickles: 5},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustRead(t, sample(t, name))
			assert.Equal(t, stateTensors, list(f))
			assert.Equal(t, want.Container, f.Container)
			assert.Equal(t, want.Protocol, f.Protocol)
			assert.Equal(t, want.Root, f.Root)
			assert.Equal(t, want.Version, f.Version)
			assert.Equal(t, want.ByteOrder, f.ByteOrder)
			assert.Equal(t, want.Pickles, f.Pickles)
			assert.EqualValues(t, -1, f.Trailing)
			assert.Empty(t, f.Class)
			assert.Empty(t, f.Problems)
			assert.Equal(t, pickle.Allowed, f.Worst())
			assert.Contains(t, names(f), "torch._utils._rebuild_tensor_v2")
			assert.EqualValues(t, 20+12+4+1+3, f.Parameters(), "tied weights, and a transposed view, count once")
			require.Len(t, f.Storages, 5)
			assert.Equal(t, pickle.Storage{Key: "2", DType: "BF16", Location: "cpu", Elements: 8, Bytes: 16}, f.Storages[2])
			assert.EqualValues(t, 80, f.Tensors[0].Bytes())
		})
	}
}

func TestTensorsInNestedMappings(t *testing.T) {
	f := mustRead(t, sample(t, "training.pt"))
	var want []string
	for _, s := range stateTensors {
		want = append(want, "state_dict"+s)
	}
	want = append(want,
		"optimizer.state.0|exp_avg F32 [2 3] 90+0",
		"optimizer.state.1|exp_avg F32 [6] 91+0",
		"list|0 U8 [7] 92+0")
	assert.Equal(t, want, list(f))
	assert.Empty(t, f.Problems)
}

func TestWholeModuleHasTheNamesOfItsStateDictionary(t *testing.T) {
	f := mustRead(t, sample(t, "module.pt"))
	assert.Equal(t, "torch.nn.modules.container.Sequential", f.Class)
	assert.ElementsMatch(t, []string{"|scale F16 [1] 2+0", "0|weight F32 [2 3] 0+0", "0|bias F32 [2] 1+0"}, list(f))
	assert.Equal(t, pickle.Suspicious, f.Worst(), "a class of torch runs code too")
	i := slices.IndexFunc(f.Imports, func(i pickle.Import) bool { return i.Name == "Sequential" })
	assert.True(t, f.Imports[i].Called)
}

func TestPlainPicklesOfEveryProtocol(t *testing.T) {
	for protocol := range 6 {
		f := mustRead(t, sample(t, fmt.Sprintf("plain%d.pkl", protocol)))
		assert.Equal(t, pickle.Bare, f.Container)
		if protocol > 1 {
			assert.Equal(t, protocol, f.Protocol)
		}
		assert.Contains(t, names(f), "collections.OrderedDict")
		assert.NotEqual(t, pickle.Dangerous, f.Worst(), names(f))
		assert.Empty(t, f.Tensors)
	}
}

func TestNumpyArrays(t *testing.T) {
	for _, protocol := range []int{2, 4, 5} {
		f := mustRead(t, sample(t, fmt.Sprintf("numpy%d.pkl", protocol)))
		assert.Equal(t, []string{"|w F32 [2 3] -+0 numpy", "|i I16 [4] -+0 numpy"}, list(f), protocol)
		assert.Equal(t, pickle.Allowed, f.Worst(), names(f))
	}
}

// u returns a SHORT_BINUNICODE.
func u(s string) string { return "\x8c" + string(rune(len(s))) + s }

// Each way to import os.system or something as dangerous. Python executes all of them.
func TestDangerousImports(t *testing.T) {
	for name, c := range map[string]struct{ data, want, opcode string }{
		"GLOBAL":                       {"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR.", "os.system", "GLOBAL"},
		"protocol 0":                   {"cposix\nsystem\n(S'ls'\ntR.", "posix.system", "GLOBAL"},
		"INST":                         {"(S'ls'\nios\nsystem\n.", "os.system", "INST"},
		"OBJ":                          {"(cos\nsystem\nS'ls'\no.", "os.system", "GLOBAL"},
		"STACK_GLOBAL":                 {"\x80\x04" + u("os") + u("system") + "\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"through the memo":             {"\x80\x04" + u("system") + "\x940" + u("os") + "\x940h\x01h\x00\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"through a sparse memo":        {"\x80\x04" + u("os") + "r\xff\xff\xff\x7f0" + u("system") + "q\x050j\xff\xff\xff\x7fh\x05\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"through escapes":              {"\x80\x04S'o\\x73'\nS'sys\\164em'\n\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"through unicode escapes":      {"\x80\x04V\\u006fs\nV\\U00000073ystem\n\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"as bytes of Python 2":         {"\x80\x04U\x02osU\x06system\x93" + u("ls") + "\x85R.", "os.system", "STACK_GLOBAL"},
		"eval":                         {"c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval", "GLOBAL"},
		"getattr":                      {"\x80\x02cbuiltins\ngetattr\n.", "builtins.getattr", "GLOBAL"},
		"subprocess":                   {"\x80\x02csubprocess\nPopen\n.", "subprocess.Popen", "GLOBAL"},
		"runpy":                        {"\x80\x02crunpy\n_run_code\n.", "runpy._run_code", "GLOBAL"},
		"a module's module":            {"\x80\x02casyncio.unix_events\nx\n.", "asyncio.unix_events.x", "GLOBAL"},
		"a path through torch":         {"\x80\x04" + u("torch") + u("serialization.os.system") + "\x93.", "torch.serialization.os.system", "STACK_GLOBAL"},
		"a path to a class's builtins": {"\x80\x04" + u("collections") + u("OrderedDict.__init__") + "\x93.", "collections.OrderedDict.__init__", "STACK_GLOBAL"},
		"a pickle in the pickle":       {"\x80\x02ctorch.storage\n_load_from_bytes\n.", "torch.storage._load_from_bytes", "GLOBAL"},
		"an extension":                 {"\x80\x02\x82\x07.", "extension 7", "EXT"},
		"a name made while unpickling": {"\x80\x04" + u("os") + "cbuiltins\nstr\n" + u("system") + "\x85R\x93.", "a name made while unpickling", "STACK_GLOBAL"},
		"a name too long to be one":    {"\x80\x04" + u("os") + "X\x88\x13\x00\x00" + strings.Repeat("x", 5000) + "\x93.", "a name made while unpickling", "STACK_GLOBAL"},
		"behind a second pickle":       {"\x80\x02N.\x80\x02cos\nsystem\n.", "os.system", "GLOBAL"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustRead(t, []byte(c.data))
			i := slices.IndexFunc(f.Imports, func(i pickle.Import) bool { return i.Risk == pickle.Dangerous })
			require.GreaterOrEqual(t, i, 0, names(f))
			assert.Equal(t, c.want, f.Imports[i].String())
			assert.Equal(t, c.opcode, f.Imports[i].Opcode)
			assert.NotEmpty(t, f.Imports[i].Why)
			assert.Equal(t, strings.Contains(c.data, "R.") && !strings.Contains(name, "made") || name == "INST" || name == "OBJ", f.Imports[i].Called)
		})
	}
}

func TestBrokenPickleReportsTheImportsBeforeTheError(t *testing.T) {
	for name, data := range map[string]string{
		"cut":       "\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R",
		"underflow": "\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R0000.",
		"opcode":    "\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R\xff",
	} {
		f, err := read([]byte(data))
		require.Error(t, err, name)
		require.NotNil(t, f, name)
		assert.Equal(t, pickle.Dangerous, f.Worst(), name)
		assert.True(t, f.Imports[0].Called, name)
	}
}

func TestImportsAreFoundInAllPicklesOfAZip(t *testing.T) {
	evil := "\x80\x02cos\nsystem\n."
	pack := func(method uint16, files ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for i := 0; i < len(files); i += 2 {
			out, err := w.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
			require.NoError(t, err)
			_, _ = out.Write([]byte(files[i+1]))
		}
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	harmless := "\x80\x02}."
	for name, data := range map[string][]byte{
		"stored":       pack(zip.Store, "a/data.pkl", evil),
		"deflated":     pack(zip.Deflate, "a/data.pkl", evil),
		"second":       pack(zip.Store, "a/data.pkl", harmless, "a/constants.pkl", evil),
		"another root": pack(zip.Store, "a/data.pkl", harmless, "b/data.pkl", evil),
		"same name":    pack(zip.Store, "a/data.pkl", harmless, "a/data.pkl", evil),
		"upper case":   pack(zip.Store, "a/data.pkl", harmless, "a/X.PKL", evil),
		"wrong checksum": bytes.Replace(pack(zip.Store, "a/data.pkl", "\x80\x02cxx\nsystem\n."),
			[]byte("cxx\n"), []byte("cos\n"), 1),
	} {
		f := mustRead(t, data)
		assert.Equal(t, pickle.Dangerous, f.Worst(), name)
		if name == "wrong checksum" {
			require.Len(t, f.Problems, 1)
			assert.ErrorIs(t, f.Problems[0], pickle.ChecksumMismatch)
		} else {
			assert.Empty(t, f.Problems, name)
		}
	}
	script := mustRead(t, pack(zip.Store, "m/data.pkl", "\x80\x02c__torch__.Net\nNet\n)\x81.", "m/code/__torch__/Net.py", "x"))
	assert.True(t, script.TorchScript)
	assert.Equal(t, pickle.Suspicious, script.Worst())
}

func TestErrors(t *testing.T) {
	state, legacy := sample(t, "state.pt"), sample(t, "state_legacy.pt")
	empty := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	for name, c := range map[string]struct {
		kind fault.Kind
		data []byte
	}{
		"Empty":               {fault.Empty, nil},
		"NotPickle":           {pickle.NotPickle, []byte("hello world")},
		"NotPickle gzip":      {pickle.NotPickle, []byte("\x1f\x8b\x08\x00")},
		"NotPickle gguf":      {pickle.NotPickle, []byte("GGUF\x03")},
		"Unsafe 7z":           {fault.Unsafe, []byte("7z\xbc\xaf\x27\x1c\x00\x04")},
		"LFSPointer":          {fault.LFSPointer, []byte("version https://git-lfs.github.com/spec/v1\n")},
		"HTMLPage":            {fault.HTMLPage, []byte("<!DOCTYPE html><html>")},
		"ZeroFilled":          {fault.ZeroFilled, make([]byte, 5000)},
		"Unsupported tar":     {fault.Unsupported, slices.Concat(bytes.Repeat([]byte("x"), 257), []byte("ustar\x0000"), make([]byte, 300))},
		"Unsupported version": {fault.Unsupported, []byte("\x80\x06N.")},
		"BadOpcode":           {pickle.BadOpcode, []byte("\x80\x02\xfe")},
		"BadStack":            {pickle.BadStack, []byte("\x80\x02.")},
		"BadStack mark":       {pickle.BadStack, []byte("\x80\x02Nt.")},
		"BadStack fence":      {pickle.BadStack, []byte("\x80\x02N(R.")},
		"BadStack tuple":      {pickle.BadStack, []byte("\x80\x02N\x86.")},
		"BadMemo":             {pickle.BadMemo, []byte("\x80\x02h\x00.")},
		"BadMemo text":        {pickle.BadMemo, []byte("\x80\x02gx\n.")},
		"Truncated":           {fault.Truncated, []byte("\x80\x02")},
		"Truncated text":      {fault.Truncated, []byte("\x80\x02X\xff\xff\xff\xffabc")},
		"Truncated zip":       {fault.Truncated, state[:len(state)-30]},
		"Truncated legacy":    {fault.Truncated, legacy[:len(legacy)-10]},
		"NotTorch":            {pickle.NotTorch, empty},
		"BadLegacy":           {pickle.BadLegacy, bytes.Replace(legacy, []byte("M\xe9\x03."), []byte("M\xe8\x03."), 1)},
	} {
		_, err := read(c.data)
		assert.ErrorIs(t, err, c.kind, name)
		assert.Equal(t, c.kind, fault.KindOf(err), name)
		assert.Equal(t, "m.bin", fault.PathOf(err), name)
	}
}

func TestZipBomb(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	out, err := w.Create("a/data.pkl")
	require.NoError(t, err)
	_, _ = out.Write([]byte("\x80\x02"))
	zeros := bytes.Repeat([]byte("N0"), 8<<20)
	_, _ = out.Write(zeros)
	_, _ = out.Write([]byte("cos\nsystem\n."))
	require.NoError(t, w.Close())
	used := allocation(func() { _, err = read(b.Bytes()) })
	assert.ErrorIs(t, err, pickle.ZipBomb)
	assert.Less(t, used, uint64(256<<10), "the file has %d bytes", b.Len())

	// With a claimed size of 100 bytes it unpacks no more than that.
	wrongSize := bytes.ReplaceAll(b.Bytes(), binary.LittleEndian.AppendUint32(nil, 16<<20+14), []byte{100, 0, 0, 0})
	require.NotEqual(t, b.Bytes(), wrongSize)
	used = allocation(func() { _, err = read(wrongSize) })
	assert.Error(t, err)
	checkErrors(t, nil, err)
	assert.Less(t, used, uint64(256<<10))
}

func TestWrongChecksumOfCompressedPickle(t *testing.T) {
	data := sample(t, "state_deflated.pt")
	sum := bytes.Index(data, []byte("PK\x01\x02")) + 16
	data[sum] ^= 1
	_, err := read(data)
	assert.ErrorIs(t, err, pickle.ChecksumMismatch)
}

func problems(f *pickle.File) (kinds []fault.Kind) {
	for _, err := range f.Problems {
		kinds = append(kinds, fault.KindOf(err))
	}
	return kinds
}

func TestProblems(t *testing.T) {
	state := sample(t, "state.pt")
	missing := bytes.ReplaceAll(state, []byte("archive/data/2"), []byte("archive/data/x"))
	assert.Equal(t, []fault.Kind{pickle.MissingStorage}, problems(mustRead(t, missing)))

	// 20 elements of storage 0 become 25; then its data is too short, and the
	// checksum is no longer the archive's.
	larger := bytes.Replace(state, []byte("K\x14tq"), []byte("K\x19tq"), 1)
	assert.Equal(t, []fault.Kind{pickle.ChecksumMismatch, pickle.WrongStorageSize}, problems(mustRead(t, larger)))

	// embed.weight of 5 by 4 becomes 9 by 4.
	reaching := bytes.Replace(state, []byte("K\x05K\x04\x86"), []byte("K\x09K\x04\x86"), 1)
	assert.Contains(t, problems(mustRead(t, reaching)), pickle.OutOfStorage)

	legacy := sample(t, "state_legacy.pt")
	at := bytes.LastIndex(legacy, []byte("e.")) + 2 // the first storage's count
	legacy[at]++
	assert.Equal(t, []fault.Kind{pickle.WrongStorageSize}, problems(mustRead(t, legacy)))
}

// The storage is untyped, and the tensor has the type (torch 2.1 and later).
func TestTensorOfRebuildTensorV3HasItsOwnType(t *testing.T) {
	data := "\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v3\n((X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)Rctorch\nfloat8_e4m3fn\nNtRs."
	f := mustRead(t, []byte(data))
	assert.Equal(t, []string{"|w F8_E4M3 [2 3] 0+0"}, list(f))
	assert.Equal(t, pickle.Allowed, f.Worst())
}

func TestBeyondTheBudgetImportsAreStillFound(t *testing.T) {
	const imports = "cos\nsystem\n\x80\x04"
	end := imports + u("a") + u("b") + "\x93."
	for what, c := range map[string]struct {
		values string
		bound  int // of the bytes allocated, as a multiple of the size
	}{
		"lists":            {"(" + strings.Repeat("]", 3<<20) + "1", 60},
		"marks":            {strings.Repeat("(", 3<<20), 2},
		"one value, often": {"N" + strings.Repeat("2", 3<<20), 8},
		"tuples of one":    {"N" + strings.Repeat("2\x85", 3<<20), 30},
	} {
		data := []byte("\x80\x02" + c.values + end)
		var f *pickle.File
		var err error
		used := allocation(func() { f, err = read(data) })
		assert.ErrorIs(t, err, fault.TooLarge, what)
		require.NotNil(t, f, what)
		assert.Equal(t, pickle.Dangerous, f.Worst(), what)
		assert.Equal(t, "os.system", f.Imports[0].String(), what)
		assert.Less(t, used, uint64(c.bound*len(data)), what)
	}
}

func TestSharedAndDeeplyNestedValues(t *testing.T) {
	// A list of two references to a list of two references … 60 deep.
	var b strings.Builder
	b.WriteString("\x80\x02]q\x000")
	for i := range 60 {
		fmt.Fprintf(&b, "](h%ch%ceq%c0", i, i, i+1)
	}
	b.WriteString("h\x3c.")
	f := mustRead(t, []byte(b.String()))
	assert.Empty(t, f.Tensors)

	// 100 levels are beyond the limit on depth, and far below the limit on paths.
	deep := "\x80\x02" + strings.Repeat("]", 100) + strings.Repeat("a", 99) + "."
	f = mustRead(t, []byte(deep))
	assert.Equal(t, []fault.Kind{fault.TooDeep}, problems(f))
}

func TestManyImportsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("\x80\x02")
	for i := range 12_000 {
		fmt.Fprintf(&b, "cm%d\nn\n0", i)
	}
	f := mustRead(t, []byte(b.String()+"N."))
	assert.Len(t, f.Imports, 10_000)
	assert.Equal(t, pickle.Dangerous, f.Worst())
}

func TestLongPayloadsAreSkipped(t *testing.T) {
	data := []byte("\x80\x03B\x00\x00\x80\x00" + strings.Repeat("x", 8<<20) + "0cos\nsystem\n.")
	used := allocation(func() {
		f := mustRead(t, data)
		assert.Equal(t, pickle.Dangerous, f.Worst())
		assert.Less(t, f.Fetched, int64(200<<10))
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

func checkErrors(t testing.TB, f *pickle.File, err error) {
	t.Helper()
	all := []error{err}
	if f != nil {
		all = append(all, f.Problems...)
	}
	for _, err := range all {
		var e *fault.Error
		if err != nil && (!errors.As(err, &e) || e.Kind == "" || e.Path == "") {
			t.Errorf("not a fault.Error with kind and path: %v", err)
		}
	}
}

func TestDamagedFilesGiveErrorsWithKind(t *testing.T) {
	for _, name := range []string{"state.pt", "state_protocol4.pt", "state_deflated.pt", "state_legacy.pt", "training.pt", "module.pt", "plain0.pkl", "plain5.pkl", "numpy2.pkl"} {
		data := sample(t, name)
		budget := uint64(64*len(data) + 512<<10)
		header := len(data)
		if name == "state_legacy.pt" {
			header = bytes.LastIndex(data, []byte("e.")) + 2
		}
		try := func(what string, i int, data []byte) error {
			var f *pickle.File
			var err error
			if used := allocation(func() { f, err = read(data) }); used > budget {
				t.Errorf("%s: %s at %d: %d bytes allocated for a file of %d", name, what, i, used, len(data))
			}
			checkErrors(t, f, err)
			return err
		}
		for i := 0; i < len(data); i += 11 {
			assert.Error(t, try("cut", i, data[:i]), "%s cut at %d", name, i)
			for _, flip := range []byte{0xFF, 0x01, 0x80} {
				b := bytes.Clone(data)
				b[i] ^= flip
				_ = try("flip", i, b)
			}
			b := bytes.Clone(data)
			clear(b[i:])
			// Zeros among the weights are not seen, because weights are not read.
			if err := try("zero", i, b); i < header && !bytes.Equal(b, data) {
				assert.Error(t, err, "%s zero from %d", name, i)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.p*")
	for _, name := range files {
		f.Add(sample(f, filepath.Base(name)))
	}
	f.Add([]byte("\x80\x04" + u("os") + u("system") + "\x93" + u("ls") + "\x85R."))
	f.Add([]byte("(cos\nsystem\nS'ls'\no."))
	f.Fuzz(fuzz)
}

// FuzzZip fuzzes data.pkl inside a valid archive, which fuzzing whole files rarely
// produces.
func FuzzZip(f *testing.F) {
	for _, name := range []string{"state.pt", "training.pt", "module.pt", "state_protocol4.pt"} {
		r, err := zip.NewReader(bytes.NewReader(sample(f, name)), int64(len(sample(f, name))))
		require.NoError(f, err)
		in, err := r.File[0].Open()
		require.NoError(f, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(in)
		require.NoError(f, err)
		f.Add(b.Bytes(), "r/data/0", true)
		f.Add(b.Bytes(), "constants.pkl", false)
	}
	f.Fuzz(func(t *testing.T, data []byte, other string, deflate bool) {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, name := range []string{"r/data.pkl", other} {
			method := zip.Store
			if deflate {
				method = zip.Deflate
			}
			out, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err != nil {
				return
			}
			_, _ = out.Write(data)
		}
		if w.Close() != nil {
			return
		}
		fuzz(t, b.Bytes())
	})
}

func fuzz(t *testing.T, data []byte) {
	f, err := read(data)
	checkErrors(t, f, err)
	if f == nil {
		if err == nil {
			t.Fatal("neither a file nor an error")
		}
		return
	}
	f.Parameters()
	for i := range f.Tensors {
		x := &f.Tensors[i]
		if x.Storage >= len(f.Storages) || x.Elements() < 0 {
			t.Fatalf("tensor %+v", x)
		}
	}
}

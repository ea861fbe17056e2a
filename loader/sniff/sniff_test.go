package sniff_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"omniloader/loader/fault"
	"omniloader/loader/sniff"
)

func look(t testing.TB, path, data string) sniff.Content {
	t.Helper()
	c, err := sniff.File(path, strings.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	return c
}

func u32(numbers ...uint32) string {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b)
}

// field is a protocol buffer's field of bytes.
func field(number int, value string) string {
	b := binary.AppendUvarint(nil, uint64(number)<<3|2)
	return string(binary.AppendUvarint(b, uint64(len(value)))) + value
}

// piece is one piece of a SentencePiece model: text, score, type.
func piece(text string, score float32) string {
	return field(1, field(1, text)+"\x15"+u32(math.Float32bits(score))+"\x18\x02")
}

// tarHeader is the first block of a tar archive by the layout of POSIX 1003.1.
func tarHeader(name string) string {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x00")
	copy(b[124:], "00000000012\x00")
	copy(b[148:], "        ")
	b[156] = '0'
	copy(b[257:], "ustar\x0000")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return string(b)
}

// samples are files with the format and the detail that are expected.
var samples = []struct {
	name   string
	data   string
	format sniff.Format
	detail string
}{
	{"gguf", "GGUF" + u32(3, 0, 0), sniff.GGUF, "version 3, little endian"},
	{"gguf big endian", "GGUF\x00\x00\x00\x03" + u32(0, 0), sniff.GGUF, "version 3, big endian"},
	{"gguf cut", "GGUF\x03", sniff.GGUF, "cut"},
	{"whisper.cpp base.en", "lmgg" + u32(51864, 1500, 512, 8, 6, 448, 512, 8, 6, 80, 1), sniff.WhisperCPP, "6 audio layers of 512 states, vocabulary of 51864"},
	{"old ggml llama", "lmgg" + u32(32000, 4096, 256, 32, 32, 128, 2, 5) + "\x00 \xe2\x81\x87 " + u32(4, 9, 9), sniff.GGML, ""},
	{"old ggml that has 80 where the filters would be", "lmgg" + u32(32000, 4096, 255, 32, 32, 128, 64, 8, 1, 80, 1), sniff.GGML, ""},
	{"ggjt", "tjgg" + u32(3, 32000), sniff.GGML, "ggjt version 3"},
	{"ggmf", "fmgg" + u32(1, 32000), sniff.GGML, "ggmf version 1"},
	{"torch zip", "PK\x03\x04\x00\x00\x08\x08\x00\x00" + strings.Repeat("\x00", 16) + "\x10\x00\x12\x00archive/data.pkl....", sniff.Zip, `first entry "archive/data.pkl"`},
	{"empty zip", "PK\x05\x06" + strings.Repeat("\x00", 18), sniff.Zip, ""},
	{"legacy torch", "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", sniff.TorchLegacy, ""},
	{"legacy torch, protocol 4", "\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", sniff.TorchLegacy, ""},
	{"pickle", "\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00}q\x00.", sniff.Pickle, "protocol 4"},
	{"npy", "\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", sniff.NPY, ""},
	{"hdf5", "\x89HDF\r\n\x1a\n\x00", sniff.HDF5, ""},
	{"hdf5 behind a user block", strings.Repeat("u", 1024) + "\x89HDF\r\n\x1a\n", sniff.HDF5, ""},
	{"7z", "7z\xbc\xaf\x27\x1c\x00\x04", sniff.SevenZip, ""},
	{"gzip", "\x1f\x8b\x08\x00", sniff.Gzip, ""},
	{"zstd", "\x28\xb5\x2f\xfd\x00", sniff.Zstandard, ""},
	{"xz", "\xfd7zXZ\x00\x00", sniff.XZ, ""},
	{"bzip2", "BZh91AY&SY\x00", sniff.Bzip2, ""},
	{"tflite", u32(28) + "TFL3" + u32(0, 0), sniff.TFLite, ""},
	{"nemo", tarHeader("./model_config.yaml") + strings.Repeat("x", 512), sniff.Tar, `first entry "./model_config.yaml"`},
	{"safetensors", "\x02\x00\x00\x00\x00\x00\x00\x00{}", sniff.Safetensors, "header of 2 bytes"},
	{"safetensors, padded before", "\x06\x00\x00\x00\x00\x00\x00\x00\t\n{}  ", sniff.Safetensors, "header of 6 bytes"},
	{"ctranslate2", u32(6) + "\x10\x00TransformerSpec\x00" + u32(7, 100), sniff.CTranslate2, "TransformerSpec revision 7, binary version 6"},
	{"sentencepiece", piece("<unk>", 0) + piece("<s>", 0) + piece("▁the", -3.5), sniff.SentencePiece, ""},
	{"tiktoken", "IQ== 0\nIg== 1\nIw== 2\nJA== 3\n", sniff.Tiktoken, ""},
	{"saved model", "\x08\x01" + field(2, strings.Repeat("g", 300)), sniff.SavedModel, ""},
	{"onnx", "\x08\x08" + field(2, "pytorch") + field(3, "2.1") + field(7, strings.Repeat("g", 9000)), sniff.ONNX, "pytorch, IR version 8"},
	{"onnx without names", "\x08\x0a" + field(7, "graph") + field(8, "\x10\x11"), sniff.ONNX, "IR version 10"},
	{"a row of numbers and texts that is no onnx", "\x08\x08" + field(2, "a") + field(2, "b") + field(7, "graph"), "", ""},
	{"openvino", "<?xml version=\"1.0\"?>\n<net name=\"Model0\" version=\"11\">", sniff.XML, ""},
	{"json", "\xEF\xBB\xBF {\n \"model_type\": \"llama\"}", sniff.JSON, "object"},
	{"json array", "[ {}]", sniff.JSON, "array"},
	{"text", "#version: 0.2\nĠ t\n", sniff.Text, ""},
	{"words and numbers", "hello 1\nworld 2\n", sniff.Text, ""},
	{"a letter cut", strings.Repeat("é", 3000)[1:], "", ""},
	{"a letter cut at the block's end", "a" + strings.Repeat("é", 3000), sniff.Text, ""},
	{"raw weights", "\x12\x34\x56\x78\x9a\xbc\xde\xf0", "", ""},
	{"pdf", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "", ""},
}

func TestFormats(t *testing.T) {
	for _, s := range samples {
		c := look(t, "file", s.data)
		assert.Equal(t, s.format, c.Format, s.name)
		assert.Equal(t, s.detail, c.Detail, s.name)
		assert.NoError(t, c.Err(), s.name)
		head := sniff.Head("file", int64(len(s.data)), []byte(s.data))
		c.BytesRead = 0
		assert.Equal(t, c, head, s.name)
	}
}

// Every format of the table has a sample, so every row is tested.
func TestEveryFormatHasASample(t *testing.T) {
	seen := map[sniff.Format]bool{}
	for _, s := range samples {
		seen[s.format] = true
	}
	for _, f := range []sniff.Format{
		sniff.Safetensors, sniff.GGUF, sniff.WhisperCPP, sniff.GGML, sniff.Zip, sniff.TorchLegacy, sniff.Pickle, sniff.NPY,
		sniff.HDF5, sniff.SevenZip, sniff.Gzip, sniff.Zstandard, sniff.XZ, sniff.Bzip2, sniff.Tar, sniff.TFLite, sniff.CTranslate2,
		sniff.SentencePiece, sniff.Tiktoken, sniff.SavedModel, sniff.ONNX, sniff.JSON, sniff.XML, sniff.Text,
	} {
		assert.True(t, seen[f], f)
	}
}

const oid = "4d7a214614ab2935c943f9e0ff6d22eadbb8f32b1258daaa5e2ca24d17e2393a"

func TestLFSPointerHasContentAndHint(t *testing.T) {
	data := "version https://git-lfs.github.com/spec/v1\noid sha256:" + oid + "\nsize 9886543210\n"
	c := look(t, "model.safetensors", data)
	require.Error(t, c.Err())
	assert.Equal(t, &sniff.Pointer{OID: oid, Size: 9886543210}, c.Pointer)
	assert.EqualError(t, c.Err(), fmt.Sprintf("model.safetensors: expected 9.9 GB, found %d bytes that stand for them: git-lfs pointer", len(data)))
	assert.Contains(t, fault.HintOf(c.Err()), "git lfs pull")

	c = look(t, "tokenizer.model", strings.ReplaceAll(data, "\n", "\r\n"))
	assert.Equal(t, &sniff.Pointer{OID: oid, Size: 9886543210}, c.Pointer)

	c = look(t, "x", "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize -4\n")
	assert.Equal(t, &sniff.Pointer{Size: -1}, c.Pointer, "damaged, but recognized")
	assert.ErrorIs(t, c.Err(), fault.LFSPointer)
}

func TestHTMLPage(t *testing.T) {
	for _, data := range []string{"<!DOCTYPE html><html>", "\xEF\xBB\xBF\n <HTML lang=en>", "<body class=x>"} {
		assert.ErrorIs(t, ptr(look(t, "pytorch_model.bin", data)).Err(), fault.HTMLPage)
	}
	assert.NoError(t, ptr(look(t, "pytorch_model.bin", "<unk> 0\n")).Err())
	assert.Contains(t, look(t, "m", "<!doctype html><title> 401 \n</title>").Problem.Error(), `a page titled "401"`)
	assert.Nil(t, look(t, "index.HTML", "<!doctype html>").Problem, "the name is that of a web page")
}

func TestServerReply(t *testing.T) {
	for _, data := range []string{
		"Entry not found", "Invalid username or password.", `{"error":"Repository not found"}`,
		"Access to model meta-llama/Llama-3 is restricted.",
		`<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`,
	} {
		c := look(t, "config.json", data)
		assert.ErrorIs(t, c.Err(), sniff.ServerReply, data)
		assert.NotEmpty(t, c.Problem.Hint())
	}
	assert.NoError(t, ptr(look(t, "config.json", `{"errors":"none"}`)).Err())
	assert.NoError(t, ptr(look(t, "README", "Entry not found"+strings.Repeat(" and on", 200))).Err())
}

func ptr[T any](v T) *T { return &v }

func TestEmptyFile(t *testing.T) {
	assert.ErrorIs(t, ptr(look(t, "m", "")).Err(), fault.Empty)
}

func TestUnfinishedDownloadIsRecognizedByItsName(t *testing.T) {
	for name, text := range map[string]string{
		"model.safetensors.part":                           "Firefox",
		"Unconfirmed 1.crdownload":                         "Chrome",
		"model.gguf.aria2":                                 "aria2",
		"blobs/0b1c2d.incomplete":                          "blob of the Hugging Face cache",
		`c:\hub\models--a--b\blobs\ab.12345678.INCOMPLETE`: "blob of the Hugging Face cache",
		".cache/huggingface/download/x=.ab.incomplete":     "Hugging Face client",
	} {
		c := look(t, name, "GGUF\x03\x00\x00\x00")
		require.ErrorIs(t, c.Err(), fault.Incomplete, name)
		assert.Contains(t, c.Problem.Error(), text)
		assert.NotEmpty(t, c.Problem.Hint())
		assert.Equal(t, sniff.GGUF, c.Format, "the format is recognized too")
	}
	for _, name := range []string{".part", "model.part1", "incomplete", "model.safetensors", ""} {
		assert.Nil(t, sniff.Unfinished(name), name)
	}
}

// sparse is a file of zeros except for a few bytes. It counts the bytes read.
type sparse struct {
	size  int64
	marks map[int64]byte
	read  *int64
}

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), s.size-off))
	clear(p[:n])
	for at, c := range s.marks {
		if at >= off && at < off+int64(n) {
			p[at-off] = c
		}
	}
	*s.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestZeroFilledReportsWhatWasChecked(t *testing.T) {
	for size, text := range map[int64]string{
		1: "all 1 bytes are zero", 4096: "all 4096 bytes are zero", 4097: "all 4097 bytes", 16 * 4096: "all 65536 bytes",
		16*4096 + 1:   "the first, the last and 14 blocks of 4096 bytes between them are zero, of 65.5 kB in all",
		5_000_000_000: "of 5.0 GB in all", math.MaxInt64: "of 9.2 EB in all",
	} {
		var read int64
		c, err := sniff.File("m", sparse{size, nil, &read}, size)
		require.NoError(t, err)
		require.ErrorIs(t, c.Err(), fault.ZeroFilled, size)
		assert.Contains(t, c.Problem.Error(), text)
		assert.LessOrEqual(t, read, int64(sniff.MaxRead))
		assert.Equal(t, read, c.BytesRead)
	}
}

func TestFilesThatEndWithContentAreNotZeroFilled(t *testing.T) {
	for _, size := range []int64{4097, 9000, 16*4096 - 1} {
		for at := int64(0); at < size; at += 511 { // files of this size are read as a whole
			var read int64
			c, err := sniff.File("m", sparse{size, map[int64]byte{at: 1}, &read}, size)
			require.NoError(t, err)
			require.Nil(t, c.Problem, "%d of %d", at, size)
		}
	}
	var read int64
	c, err := sniff.File("m", sparse{1 << 40, map[int64]byte{1<<40 - 1: 1}, &read}, 1<<40)
	require.NoError(t, err)
	assert.Nil(t, c.Problem, "the last block is read")
	assert.Nil(t, sniff.Head("m", 1<<40, make([]byte, 4096)).Problem, "the head alone is no evidence")
	assert.ErrorIs(t, ptr(sniff.Head("m", 100, make([]byte, 100))).Err(), fault.ZeroFilled)
}

// short ends before the size that it was given, with an error or without one.
type short struct {
	data   string
	silent bool
}

func (s short) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(s.data)) {
		n = copy(p, s.data[off:])
	}
	if n < len(p) && !s.silent {
		return n, io.EOF
	}
	return n, nil
}

type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestReaderThatFails(t *testing.T) {
	for _, silent := range []bool{false, true} {
		_, err := sniff.File("m", short{"GGUF", silent}, 100)
		assert.Equal(t, fault.Truncated, fault.KindOf(err), "%v", err)
		_, err = sniff.File("m", short{strings.Repeat("\x00", 5000), silent}, 9000)
		assert.Equal(t, fault.Truncated, fault.KindOf(err), "%v", err)
	}
	_, err := sniff.File("m", broken{}, 100)
	assert.ErrorIs(t, err, os.ErrPermission)
	assert.Equal(t, fault.Unreadable, fault.KindOf(err))
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 9_886_543_210: "9.9 GB"} {
		assert.Equal(t, want, sniff.ByteSize(n))
	}
}

func TestDamagedFilesGiveResults(t *testing.T) {
	for _, s := range samples {
		for i := 0; i < len(s.data); i += 7 {
			whole := []byte(s.data)
			flipped := bytes.Clone(whole)
			flipped[i] ^= 0x81
			zeroed := bytes.Clone(whole)
			clear(zeroed[i:])
			for _, b := range [][]byte{whole[:i], flipped, zeroed} {
				_, err := sniff.File("m", bytes.NewReader(b), int64(len(b)))
				assert.NoError(t, err)
			}
		}
	}
}

func TestFileAllocatesLittle(t *testing.T) {
	data := strings.NewReader("\x02\x00\x00\x00\x00\x00\x00\x00{}")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := sniff.File("model.safetensors", data, data.Size()); err != nil {
			t.Fatal(err)
		}
	}), 5.0)
}

func FuzzFile(f *testing.F) {
	for _, s := range samples {
		f.Add("model.bin", []byte(s.data))
	}
	f.Add("a.part", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:"+oid+"\nsize 12\n"))
	f.Add("a", []byte("<?xml?><Error><Code>x</Code>"))
	f.Add("a", []byte("<html><title>x</title>"))
	f.Add("a", make([]byte, 9000))
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		c, err := sniff.File(path, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if c.BytesRead > sniff.MaxRead || c.BytesRead > 2*int64(len(data))+4096 {
			t.Fatalf("read %d of %d bytes", c.BytesRead, len(data))
		}
		if c.Problem != nil && (c.Problem.Kind == "" || c.Problem.Detail == "" || c.Problem.Advice == "") {
			t.Fatalf("%#v", c.Problem)
		}
		if errors.Is(c.Err(), fault.ZeroFilled) && len(bytes.Trim(data, "\x00")) > 0 && len(data) <= sniff.MaxRead {
			t.Fatal("not all zero")
		}
	})
}

// BenchmarkFile compares with its lower bound, the read of the first block.
func BenchmarkFile(b *testing.B) {
	for _, s := range samples {
		switch s.name {
		case "gguf", "safetensors", "json", "raw weights":
		default:
			continue
		}
		data := s.data + strings.Repeat(" ", 8192)
		r := strings.NewReader(data)
		b.Run(s.name+"/floor", func(b *testing.B) {
			var block [4096]byte
			for b.Loop() {
				if _, err := r.ReadAt(block[:], 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(s.name+"/file", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sniff.File("model.bin", r, int64(len(data))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package sniff

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// format is one row of the table: the bytes at an offset, with ? for any byte, and a
// function for formats that these bytes do not prove, or that have a detail to report.
type format struct {
	format  Format
	offset  int
	magic   string
	examine func(*source) (detail string, ok bool)
}

// formats are tried in this order, and the first match is the result: formats with a
// magic number before those recognized by their structure, specific formats before
// general ones (whisper.cpp has the magic number of old GGML files, a legacy torch
// file is a sequence of pickles), and text last.
var formats = [...]format{
	{GGUF, 0, "GGUF", ggufVersion},
	{WhisperCPP, 0, "lmgg", whisperParameters},
	{GGML, 0, "lmgg", nil},
	{GGML, 0, "fmgg", ggmlVersion},
	{GGML, 0, "tjgg", ggmlVersion},
	{GGML, 0, "algg", ggmlVersion},
	{Zip, 0, "PK\x03\x04", zipEntry},
	{Zip, 0, "PK\x05\x06", nil},
	{TorchLegacy, 0, "\x80", torchMagic},
	{Pickle, 0, "\x80", pickleProtocol},
	{NPY, 0, "\x93NUMPY", nil},
	{HDF5, 0, "\x89HDF\r\n\x1a\n", nil},
	{HDF5, 512, "\x89HDF\r\n\x1a\n", nil},  // after a user block, whose size
	{HDF5, 1024, "\x89HDF\r\n\x1a\n", nil}, // is 512 times a power of two
	{HDF5, 2048, "\x89HDF\r\n\x1a\n", nil},
	{SevenZip, 0, "7z\xbc\xaf\x27\x1c", nil},
	{Gzip, 0, "\x1f\x8b\x08", nil},
	{Zstandard, 0, "\x28\xb5\x2f\xfd", nil},
	{XZ, 0, "\xfd7zXZ\x00", nil},
	{Bzip2, 0, "BZh?1AY&SY", nil},
	{TFLite, 4, "TFL3", nil},
	{Tar, 0, "", tarEntry},
	{Safetensors, 5, "\x00\x00\x00", safetensorsHeader},
	{CTranslate2, 2, "\x00\x00", ctranslate2Spec},
	{SentencePiece, 0, "\n", sentencePieces},
	{SavedModel, 0, "\x08\x01\x12", savedModel},
	{ONNX, 0, "\x08", onnxFields},
	{XML, 0, "<?xml", nil},
	{Tiktoken, 0, "", tiktokenRanks},
	{JSON, 0, "", jsonStart},
	{Text, 0, "", plainText},
}

// ggufVersion reads the version in either byte order: it is big endian where the lower
// 16 bits, read as little endian, are zero.
func ggufVersion(s *source) (string, bool) {
	if len(s.head) < 8 {
		return "cut", true
	}
	if v := binary.LittleEndian.Uint32(s.head[4:]); v&0xFFFF != 0 || v == 0 {
		return fmt.Sprintf("version %d, little endian", v), true
	}
	return fmt.Sprintf("version %d, big endian", binary.BigEndian.Uint32(s.head[4:])), true
}

// ggmlVersion reads the magic number, whose letters are reversed in a little-endian
// file, and the version after it.
func ggmlVersion(s *source) (string, bool) {
	name := []byte{s.head[3], s.head[2], s.head[1], s.head[0]}
	if len(s.head) < 8 {
		return string(name) + ", cut", true
	}
	return fmt.Sprintf("%s version %d", name, binary.LittleEndian.Uint32(s.head[4:])), true
}

// whisperParameters reads the eleven numbers after the magic number of a whisper.cpp
// file. They are plausible where the heads divide the states and the filter bank has
// one of the sizes that Whisper was trained with.
func whisperParameters(s *source) (string, bool) {
	const count = 11
	if len(s.head) < 4+4*count {
		return "", false
	}
	var p [count]int32
	for i := range p {
		p[i] = int32(binary.LittleEndian.Uint32(s.head[4+4*i:]))
		if p[i] < 0 || p[i] > 1<<20 {
			return "", false
		}
	}
	vocabulary, audioState, audioHeads, audioLayers := p[0], p[2], p[3], p[4]
	textState, textHeads, filters := p[6], p[7], p[9]
	if vocabulary == 0 || audioHeads == 0 || textHeads == 0 || audioState%audioHeads != 0 || textState%textHeads != 0 ||
		filters != 80 && filters != 128 {
		return "", false
	}
	return fmt.Sprintf("%d audio layers of %d states, vocabulary of %d", audioLayers, audioState, vocabulary), true
}

// zipEntry reports the name of the first entry, by which torch files and npz files
// differ. The local header: APPNOTE.TXT 4.3.7.
func zipEntry(s *source) (string, bool) {
	if len(s.head) < 30 {
		return "cut", true
	}
	name := s.head[30:]
	name = name[:min(len(name), int(binary.LittleEndian.Uint16(s.head[26:])), 200)]
	return fmt.Sprintf("first entry %q", name), true
}

// torchMagic looks for the pickled number 0x1950a86a20f9469cfc6c, which torch.save
// wrote first before its files were zip archives. A frame of protocol 4 may precede it.
func torchMagic(s *source) (string, bool) {
	at := bytes.Index(s.head[:min(len(s.head), 32)], []byte("\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."))
	return "", at == 2 || at == 11
}

// pickleStarts are the opcodes that may follow the protocol: those that push a value.
const pickleStarts = "\x95}])(cX\x8c\x8d\x8a\x8bKJMGNUTC\x88\x89\x8e\x8f\x96IFLSV"

func pickleProtocol(s *source) (string, bool) {
	if len(s.head) < 3 || s.head[1] < 2 || s.head[1] > 5 || strings.IndexByte(pickleStarts, s.head[2]) < 0 {
		return "", false
	}
	return fmt.Sprintf("protocol %d", s.head[1]), true
}

// tarEntry verifies the checksum of the first header, in which the eight bytes of the
// checksum itself count as spaces, and reports the entry's name. The magic "ustar" is
// a weaker test, and archives from before 1988 do not have it.
func tarEntry(s *source) (string, bool) {
	const headerSize, sumAt, sumSize = 512, 148, 8
	if len(s.head) < headerSize || s.head[0] == 0 {
		return "", false
	}
	field := bytes.Trim(s.head[sumAt:sumAt+sumSize], " \x00")
	want, err := strconv.ParseUint(string(field), 8, 32)
	if err != nil {
		return "", false
	}
	sum := uint64(sumSize * ' ')
	for i, c := range s.head[:headerSize] {
		if i < sumAt || i >= sumAt+sumSize {
			sum += uint64(c)
		}
	}
	name, _, _ := bytes.Cut(s.head[:100], []byte{0})
	return fmt.Sprintf("first entry %q", name), sum == want
}

// safetensorsHeader requires a plausible length, and a JSON object after it, possibly
// after white space.
func safetensorsHeader(s *source) (string, bool) {
	if len(s.head) < 9 {
		return "", false
	}
	n := binary.LittleEndian.Uint64(s.head)
	text := bytes.TrimLeft(s.head[8:min(int64(len(s.head)), 8+int64(n))], " \t\r\n")
	if n < 2 || len(text) == 0 || text[0] != '{' {
		return "", false
	}
	return fmt.Sprintf("header of %d bytes", n), true
}

// ctranslate2Spec reads the binary version, and the name of the model's specification:
// a length of 16 bits, which counts the terminating zero, and the text. Version 1 has
// no name and is not recognized.
func ctranslate2Spec(s *source) (string, bool) {
	if len(s.head) < 8 {
		return "", false
	}
	version, length := binary.LittleEndian.Uint32(s.head), int(binary.LittleEndian.Uint16(s.head[4:]))
	if version < 2 || version > 99 || length < 2 || length > 100 || len(s.head) < 6+length+4 {
		return "", false
	}
	name := s.head[6 : 6+length]
	if name[length-1] != 0 || !isIdentifier(name[:length-1]) {
		return "", false
	}
	revision := binary.LittleEndian.Uint32(s.head[6+length:])
	return fmt.Sprintf("%s revision %d, binary version %d", name[:length-1], revision, version), revision < 1000
}

func isIdentifier(b []byte) bool {
	for i, c := range b {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// sentencePieces reads the first piece of a SentencePiece model, a protocol
// buffer whose field 1 holds the pieces: in each, field 1 is text and field 2 a
// score of four bytes.
func sentencePieces(s *source) (string, bool) {
	field, piece, _, ok := lengthDelimited(s.head)
	if !ok || field != 1 {
		return "", false
	}
	field, text, score, ok := lengthDelimited(piece)
	return "", ok && field == 1 && utf8.Valid(text) && len(score) >= 5 && score[0] == 2<<3|5
}

// lengthDelimited reads a complete length-delimited field of a protocol buffer at the
// start of b.
func lengthDelimited(b []byte) (field uint64, value, rest []byte, ok bool) {
	key, n := binary.Uvarint(b)
	if n <= 0 || key&7 != 2 {
		return 0, nil, nil, false
	}
	length, m := binary.Uvarint(b[n:])
	if m <= 0 || length > uint64(len(b)-n-m) {
		return 0, nil, nil, false
	}
	return key >> 3, b[n+m : n+m+int(length)], b[n+m+int(length):], true
}

// savedModel recognizes TensorFlow's SavedModel: a protocol buffer with the schema
// version 1 and one graph that fills the rest of the file.
func savedModel(s *source) (string, bool) {
	length, n := binary.Uvarint(s.head[3:])
	return "", n > 0 && s.size > 3+int64(n) && length == uint64(s.size)-3-uint64(n)
}

// onnxFields reads the fields of an ONNX ModelProto, which are in ascending order, up
// to its graph (7) or its operator sets (8). The fields before are numbers (1 the IR
// version, 5 that of the model) and texts (2, 3, 4, 6).
func onnxFields(s *source) (string, bool) {
	version, n := binary.Uvarint(s.head[1:])
	if n <= 0 || version == 0 || version > 99 {
		return "", false
	}
	detail := fmt.Sprintf("IR version %d", version)
	rest := s.head[1+n:]
	for last := uint64(1); len(rest) > 0; {
		key, n := binary.Uvarint(rest)
		field := key >> 3
		if n <= 0 || field <= last || field > 8 {
			return "", false
		}
		last = field
		switch {
		case field >= 7 && key&7 == 2:
			length, m := binary.Uvarint(rest[n:])
			left := uint64(s.size) - uint64(len(s.head)-len(rest)+n+max(m, 0))
			return detail, m > 0 && length <= left
		case field == 5 && key&7 == 0:
			_, m := binary.Uvarint(rest[n:])
			if m <= 0 {
				return "", false
			}
			rest = rest[n+m:]
		default:
			f, text, after, ok := lengthDelimited(rest)
			if !ok || f == 5 || !utf8.Valid(text) {
				return "", false
			}
			if f == 2 && len(text) <= 60 {
				detail = string(text) + ", " + detail
			}
			rest = after
		}
	}
	return "", false
}

// tiktokenRanks requires lines of a token in base64, a space and a rank: three of them,
// or fewer where the file has no more.
func tiktokenRanks(s *source) (string, bool) {
	lines := 0
	for line := range bytes.Lines(s.head) {
		whole := line[len(line)-1] == '\n' || int64(len(s.head)) == s.size
		if lines == 3 || !whole {
			break
		}
		token, rank, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" "))
		if !found || len(token) == 0 || !isBase64(token) {
			return "", false
		}
		if _, err := strconv.ParseUint(string(rank), 10, 32); err != nil {
			return "", false
		}
		lines++
	}
	return "", lines > 0
}

func isBase64(b []byte) bool {
	if len(b)%4 != 0 || len(b) > 1024 {
		return false
	}
	var out [768]byte
	_, err := base64.StdEncoding.Decode(out[:], b)
	return err == nil
}

func jsonStart(s *source) (string, bool) {
	text := s.startOfText()
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return "", false
	}
	after := bytes.TrimLeft(text[1:], " \t\r\n")
	if text[0] == '{' {
		return "object", len(after) > 0 && (after[0] == '"' || after[0] == '}')
	}
	return "array", len(after) > 0 && strings.IndexByte(`"{[]-0123456789tfnNI`, after[0]) >= 0
}

// plainText accepts UTF-8 without control characters; the last character of the block
// may be cut.
func plainText(s *source) (string, bool) {
	text := s.head
	for len(text) > 0 {
		c, width := utf8.DecodeRune(text)
		switch {
		case c == utf8.RuneError && width <= 1:
			return "", !utf8.FullRune(text) && int64(len(s.head)) < s.size
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f':
			return "", false
		}
		text = text[width:]
	}
	return "", len(s.head) > 0
}

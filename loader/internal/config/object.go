package config

import (
	"bytes"
	"io/fs"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
	"omniloader/loader/internal/tree"
)

func CutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Limits on tokenizer files, in bytes. The largest real tokenizer.json, with
// 262,144 tokens and its merges as pairs, has 33 MB.
const MaxSniff = 4 << 10

// ReadObject reads a JSON object and checks it.
func ReadJSON(fsys fs.FS, dir, name string) (gjson.Result, error) {
	data, err := tree.ReadFile(fsys, dir, name, MaxSize)
	if err != nil {
		return gjson.Result{}, err
	}
	var doc Document
	if err := ParseDocument(name, data, &doc); err != nil {
		return gjson.Result{}, err
	}
	return gjson.ParseBytes(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))), nil
}

// CheckContent tells a text file from what is often found in its place.
func CheckContent(name string, data []byte) error {
	if len(data) == 0 {
		return fault.New(fault.Empty, name, "").WithHint("download the file again")
	}
	if data[0] == '{' && (len(data) == 1 || data[1] != 0) {
		return nil // what is expected, at once
	}
	if data[0] == 0 && len(bytes.Trim(data[:min(len(data), MaxSniff)], "\x00")) == 0 {
		return fault.At(fault.ZeroFilled, name, 0, "the file was allocated and never written").WithHint("download the file again")
	}
	if bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return fault.At(fault.LFSPointer, name, 0, "the pointer stands in the place of the content").WithHint("run `git lfs pull`")
	}
	if bytes.HasPrefix(data, []byte("\xFF\xFE")) || bytes.HasPrefix(data, []byte("\xFE\xFF")) || len(data) > 1 && (data[0] == 0) != (data[1] == 0) {
		return fault.At(fault.NotJSON, name, 0, "the text is UTF-16").WithHint("save the file as UTF-8")
	}
	if head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 64)])); bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html")) {
		return fault.At(fault.HTMLPage, name, 0, "a web page was saved in the place of the content").WithHint("download the file again, with a login where the model asks for one")
	}
	return nil
}

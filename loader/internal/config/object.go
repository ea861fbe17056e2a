package config

import (
	"bytes"
	"io/fs"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
	"omniloader/loader/internal/tree"
)

// maxZerosChecked is how many bytes at the start of a file are compared with zero.
const maxZerosChecked = 4 << 10

// ReadJSON reads a file that holds a JSON object, of at most MaxSize bytes. name is
// relative to dir, and names the file in errors, which are those of tree.ReadLimited and
// ParseDocument.
func ReadJSON(fsys fs.FS, dir, name string) (gjson.Result, error) {
	data, err := tree.ReadLimited(fsys, dir, name, MaxSize)
	if err != nil {
		return gjson.Result{}, err
	}
	return ParseJSON(name, data)
}

// ParseJSON is ReadJSON for the content of the file name.
func ParseJSON(name string, data []byte) (gjson.Result, error) {
	var doc Document
	if err := ParseDocument(name, data, &doc); err != nil {
		return gjson.Result{}, err
	}
	return gjson.ParseBytes(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))), nil
}

// CheckContent checks that data, the content of the file name, can be JSON or YAML text.
// Otherwise the error says what is there instead: its kind is fault.Empty,
// fault.ZeroFilled, fault.LFSPointer, fault.NotJSON (UTF-16) or fault.HTMLPage.
func CheckContent(name string, data []byte) error {
	if len(data) == 0 {
		return fault.New(fault.Empty, name, "").WithHint("download the file again")
	}
	if data[0] == '{' && (len(data) == 1 || data[1] != 0) {
		return nil // the usual case
	}
	if data[0] == 0 && len(bytes.Trim(data[:min(len(data), maxZerosChecked)], "\x00")) == 0 {
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

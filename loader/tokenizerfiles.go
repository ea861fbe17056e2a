package loader

import (
	"bytes"
	"io/fs"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"omniloader/loader/fault"
	"omniloader/loader/tokenizer"
)

// readTokenizer describes the tokenizer in dir, whose listing is names. The error is
// of the kind NotFound where no file holds a vocabulary; what the other files say is
// described even so, where there are any.
func readTokenizer(fsys fs.FS, dir string, names []string) (*tokenizerDescription, error) {
	o, err := tokenizer.Describe(fsys, dir, names)
	if o == nil {
		return nil, inDirectory(err, dir)
	}
	info := &tokenizerDescription{TokenizerInfo: infoOf(o, dir), outline: o}
	info.Files = []string{}
	for _, name := range names {
		if tokenizer.FileOf(name) {
			info.Files = append(info.Files, name)
		}
	}
	if !o.Whole {
		info.Type = None
		return info, inDirectory(err, dir)
	}
	config := o.Config()
	info.tokens, info.unlisted = o, config.Unlisted
	if len(config.Files) > 0 {
		info.vocabulary = config.Files[0]
	}
	add := func(code, message string) {
		info.Findings = append(info.Findings, finding(code, info.vocabulary, message, ""))
	}
	for _, c := range o.Components {
		if !tokenizerComponents()[c] {
			add(CodeTokenizerComponent, "the type "+strconv.Quote(c.Type)+" of "+c.Part+" is on no list")
		}
	}
	if o.MergePairs {
		add(CodeTokenizerMergePairs, "its merges are pairs of texts")
	}
	if config.Format == "tiktoken" && !strings.Contains(info.vocabulary, "tiktoken") {
		add(CodeTokenizerTiktoken, "it holds tiktoken's lines of a token and a rank")
	}
	return info, nil
}

// specialRoles are the tokens that have a part to play.
var specialRoles = [...]string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// maxTokenID is beyond any real vocabulary; ids are 32 bits wide in the format.
const maxTokenID = 1 << 31

// readObject reads a JSON object and checks it.
func readObject(fsys fs.FS, dir, name string) (gjson.Result, error) {
	data, err := readFile(fsys, dir, name, MaxConfigSize)
	if err != nil {
		return gjson.Result{}, err
	}
	var doc document
	if err := parseDocument(name, data, &doc); err != nil {
		return gjson.Result{}, err
	}
	return gjson.ParseBytes(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))), nil
}

// checkContent tells a text file from what is often found in its place.
func checkContent(name string, data []byte) error {
	if len(data) == 0 {
		return fault.New(fault.Empty, name, "").WithHint("download the file again")
	}
	if data[0] == '{' && (len(data) == 1 || data[1] != 0) {
		return nil // what is expected, at once
	}
	if data[0] == 0 && len(bytes.Trim(data[:min(len(data), maxSniff)], "\x00")) == 0 {
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

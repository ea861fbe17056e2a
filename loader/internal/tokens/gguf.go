package tokens

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"omniloader/loader/answer"
	"omniloader/loader/fault"
	"omniloader/loader/finding"
	"omniloader/loader/gguf"
	"omniloader/loader/internal/checkpoint"
	"omniloader/loader/tokenizer"
)

// unusableGGUFError is the error for a GGUF file that is valid, and whose tokenizer
// package tokenizer does not support.
type unusableGGUFError struct{ error }

func (u *unusableGGUFError) Unwrap() error { return u.error }

// findTokenizerGGUF gives the GGUF file of a directory that has the tokenizer, "" where
// there is none: the first shard, or any of several quantizations of one model.
func findTokenizerGGUF(c *checkpoint.Directory) string {
	for _, name := range c.Match("*.gguf") {
		if strings.HasPrefix(name, "mmproj") || strings.HasPrefix(name, "mtp-") {
			continue
		}
		if _, index, _, ok := gguf.ParseShardName(name); !ok || index == 0 {
			return name
		}
	}
	return ""
}

// readGGUFTokenizer reads the header of a GGUF file and calls use while the file is
// open.
func readGGUFTokenizer(c *checkpoint.Directory, name string, use func(*gguf.File) error) error {
	h, err := c.OpenAt(name)
	if err != nil {
		return err
	}
	defer h.Close()
	f, err := gguf.Read(h, h.Size, name)
	if f == nil || err != nil && !f.Key("tokenizer.ggml.model").Valid() {
		return err
	}
	// An error after these keys is reported with the weights.
	if !f.Key("tokenizer.ggml.tokens").Valid() {
		return &unusableGGUFError{fault.New(fault.NotFound, name, name+" has no tokenizer")}
	}
	return use(f)
}

// describeGGUFTokenizer describes the tokenizer in a GGUF file.
func describeGGUFTokenizer(c *checkpoint.Directory, name string) (info *Description, err error) {
	err = readGGUFTokenizer(c, name, func(f *gguf.File) error {
		key := func(last string) gguf.Value { return f.Key("tokenizer.ggml." + last) }
		kind, ok := tokenizer.GGUFKind(key("model").Text())
		if !ok {
			kind = answer.UnknownName
		}
		n := key("tokens").Len()
		info = &Description{Vocabulary: name, TokenizerInfo: answer.TokenizerInfo{Type: kind, Class: answer.UnknownName, Path: c.Dir, Files: []string{name}, VocabSize: &n,
			SpecialTokens: map[string]string{}, Tried: []answer.Attempt{}}}
		roles := map[uint64][]string{}
		named := specialTokenIDs(f)
		for role, id := range named {
			roles[uint64(*id)] = append(roles[uint64(*id)], role)
		}
		ids := specialTokens{}
		info.Tokens = ids
		id := uint64(0)
		for token, err := range key("tokens").Elements() {
			if err != nil {
				return err
			}
			for _, role := range roles[id] {
				info.SpecialTokens[role] = token.Text()
				ids[token.Text()] = uint32(id)
			}
			id++
		}
		for _, source := range [...]struct{ role, name string }{{"pad_token", name}, {"eos_token", PadFromEOS}} {
			if token, ok := info.SpecialTokens[source.role]; ok {
				id := int64(*named[source.role])
				info.PadToken, info.PadTokenID, info.PadTokenSource = &token, &id, &source.name
				info.SpecialTokens["pad_token"] = token
				break
			}
		}
		for _, role := range SpecialRoles {
			if tokenID := named[role.Name]; tokenID != nil && uint64(*tokenID) >= id {
				info.Findings = append(info.Findings, finding.New(finding.TokenNotInVocabulary, name,
					fmt.Sprintf("%s has the id %d, and the file has %d tokens", role.Name, *tokenID, id), ""))
			}
		}
		return nil
	})
	return info, err
}

// specialTokens has the ids of the special tokens.
type specialTokens map[string]uint32

// TokenID gives the id of a special token.
func (n specialTokens) TokenID(token string) (uint32, bool) { id, ok := n[token]; return id, ok }

// Token gives the special token of an id.
func (n specialTokens) Token(id uint32) (string, bool) {
	for token, known := range n {
		if known == id {
			return token, true
		}
	}
	return "", false
}

// loadGGUFTokenizer loads the tokenizer in a GGUF file.
func loadGGUFTokenizer(c *checkpoint.Directory, name string) (t *tokenizer.Tokenizer, d *Description, err error) {
	err = readGGUFTokenizer(c, name, func(f *gguf.File) error {
		keys, err := tokenizerKeys(f, name)
		if err != nil {
			return err
		}
		t, err = tokenizer.FromGGUF(keys)
		if kind := fault.KindOf(err); kind == tokenizer.UnknownComponent || kind == tokenizer.MissingField {
			return &unusableGGUFError{err}
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	d = &Description{TokenizerInfo: infoOf(t, c.Dir)}
	d.Files = []string{path.Base(name)}
	return t, d, nil
}

// specialTokenIDs gives the ids of the special tokens by their role ("bos_token"), as
// the keys of the file have them.
func specialTokenIDs(f *gguf.File) map[string]*uint32 {
	roles := map[string]*uint32{}
	for role, key := range map[string]string{
		"bos_token": "bos_token_id", "eos_token": "eos_token_id", "unk_token": "unknown_token_id",
		"sep_token": "seperator_token_id", // the spelling of the format
		"pad_token": "padding_token_id", "cls_token": "cls_token_id", "mask_token": "mask_token_id",
	} {
		if v := f.Key("tokenizer.ggml." + key); v.Valid() && isNumber(v) && v.Uint() < 1<<32-1 {
			id := uint32(v.Uint())
			roles[role] = &id
		}
	}
	return roles
}

// isNumber tells whether a value is of an integer type.
func isNumber(v gguf.Value) bool {
	switch v.Type() {
	case gguf.Uint8, gguf.Int8, gguf.Uint16, gguf.Int16, gguf.Uint32, gguf.Int32, gguf.Uint64, gguf.Int64:
		return true
	}
	return false
}

// tokenizerKeys reads the keys from which a tokenizer is built. Source: docs/gguf.md of
// ggml, and gguf-py/gguf/constants.py of llama.cpp.
func tokenizerKeys(f *gguf.File, name string) (tokenizer.GGUF, error) {
	key := func(last string) gguf.Value { return f.Key("tokenizer.ggml." + last) }
	flag := func(last string) *bool {
		if v := key(last); v.Valid() {
			on := v.Bool()
			return &on
		}
		return nil
	}
	roles := specialTokenIDs(f)
	g := tokenizer.GGUF{
		Path: name, Model: key("model").Text(), Pre: key("pre").Text(),
		BOS: roles["bos_token"], EOS: roles["eos_token"], Unknown: roles["unk_token"], Separator: roles["sep_token"],
		Pad: roles["pad_token"], CLS: roles["cls_token"], Mask: roles["mask_token"],
		AddBOS: flag("add_bos_token"), AddEOS: flag("add_eos_token"), AddSpacePrefix: flag("add_space_prefix"),
		RemoveExtraWhitespaces: flag("remove_extra_whitespaces"),
	}
	var failed error
	each := func(last string, take func(gguf.Value)) {
		for v, err := range key(last).Elements() {
			failed = errors.Join(failed, err)
			take(v)
		}
	}
	each("tokens", func(v gguf.Value) { g.Tokens = append(g.Tokens, v.Text()) })
	each("merges", func(v gguf.Value) { g.Merges = append(g.Merges, v.Text()) })
	each("scores", func(v gguf.Value) { g.Scores = append(g.Scores, float32(v.Float())) })
	each("token_type", func(v gguf.Value) { g.Types = append(g.Types, int32(v.Int())) })
	each("precompiled_charsmap", func(v gguf.Value) { g.CharsMap = append(g.CharsMap, byte(v.Int())) })
	return g, failed
}

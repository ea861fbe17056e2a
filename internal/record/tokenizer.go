package record

import (
	"bytes"
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/jsonscan"
)

// A trimmed tokenizer keeps the tokens with the first ids (bytes, special tokens), the
// first merges with the tokens in them, and the highest id, from which the size of the
// vocabulary is computed. It can still be loaded.
const (
	keptIDs    = 512
	keptMerges = 64
)

// trimTokenizer returns a tokenizer.json without most of its vocabulary and merges. ok
// is false if the file cannot be trimmed: because it is not JSON, its vocabulary is a
// list, in which the place of a token is its id, or it is not large.
func trimTokenizer(text []byte) (trimmed []byte, ok bool) {
	s := jsonscan.New(text)
	var vocab, merges []byte // their JSON in text
	var vocabAt, mergesAt int
	unknown := ""
	err := s.Object(func(name []byte) error {
		if string(name) != "model" || s.Kind() != jsonscan.Object {
			_, err := s.Raw()
			return err
		}
		return s.Object(func(name []byte) error {
			key := string(name)
			raw, err := s.Raw()
			at := s.Offset() - len(raw)
			switch key {
			case "vocab":
				vocab, vocabAt = raw, at
			case "merges":
				merges, mergesAt = raw, at
			case "unk_token":
				unknown = gjson.ParseBytes(raw).String()
			}
			return err
		})
	})
	if err != nil || s.End() != nil || len(vocab) == 0 || vocab[0] != '{' {
		return nil, false
	}
	needed := map[string]bool{unknown: true}
	fewMerges := trimMerges(merges, needed)
	var added []string
	gjson.GetBytes(text, "added_tokens.#.content").ForEach(func(_, v gjson.Result) bool {
		needed[v.String()] = true
		added = append(added, v.Raw)
		return true
	})
	fewTokens := trimVocabulary(vocab, needed, added)
	type change struct {
		at       int
		old, new []byte
	}
	changes := []change{{vocabAt, vocab, fewTokens}}
	if merges != nil {
		if m := (change{mergesAt, merges, fewMerges}); mergesAt < vocabAt {
			changes = []change{m, changes[0]}
		} else {
			changes = append(changes, m)
		}
	}
	end := 0
	for _, c := range changes {
		trimmed = append(append(trimmed, text[end:c.at]...), c.new...)
		end = c.at + len(c.old)
	}
	trimmed = append(trimmed, bytes.TrimRight(text[end:], " \t\r\n")...)
	return trimmed, len(trimmed) < len(text)/2
}

// trimMerges returns the first merges, and adds the tokens that they need to needed. A
// merge is "left right", or a list of the two.
func trimMerges(merges []byte, needed map[string]bool) []byte {
	list := gjson.ParseBytes(merges)
	if !list.IsArray() {
		return merges
	}
	out, n := []byte{'['}, 0
	list.ForEach(func(_, m gjson.Result) bool {
		left, right := "", ""
		if pair := m.Array(); m.IsArray() && len(pair) == 2 {
			left, right = pair[0].String(), pair[1].String()
		} else if l, r, ok := bytes.Cut([]byte(m.String()), []byte(" ")); ok {
			left, right = string(l), string(r)
		}
		needed[left], needed[right], needed[left+right] = true, true, true
		if n++; n > 1 {
			out = append(out, ',')
		}
		out = append(out, m.Raw...)
		return n < keptMerges
	})
	return append(out, ']')
}

// trimVocabulary keeps the tokens that are needed, those with the first ids, and the
// one with the highest id. Added tokens that are not in the vocabulary have the ids
// that follow it; because trimming changes them, these tokens are added to the
// vocabulary with their ids. added holds them as JSON strings.
func trimVocabulary(vocab []byte, needed map[string]bool, added []string) []byte {
	tokens := gjson.ParseBytes(vocab)
	highest, size := int64(-1), int64(0)
	listed := map[string]bool{}
	tokens.ForEach(func(token, id gjson.Result) bool {
		highest = max(highest, id.Int())
		size++
		if needed[token.String()] {
			listed[token.String()] = true
		}
		return true
	})
	out := []byte{'{'}
	keep := func(token, id string) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, token...), ':'), id...)
	}
	tokens.ForEach(func(token, id gjson.Result) bool {
		if n := id.Int(); n < keptIDs || n == highest || needed[token.String()] {
			keep(token.Raw, id.Raw)
		}
		return true
	})
	for _, token := range added {
		if text := gjson.Parse(token).String(); text != "" && !listed[text] {
			listed[text] = true
			keep(token, strconv.FormatInt(size, 10))
			size++
		}
	}
	return append(out, '}')
}

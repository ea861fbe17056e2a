package loader

import (
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/jsonscan"
	"omniloader/loader/tokenizer"
)

// tokenIDs finds, in one pass over a vocabulary, the ids of the few tokens that have
// a part to play, and the token of one id. It stands in for a tokenizer where none
// is built.
type tokenIDs struct {
	ids     map[string]int64 // of the tokens that are looked for, -1 where not seen
	lengths uint64           // bit n: one of them has n bytes; bit 63 for 63 and more
	id      int64            // whose token is looked for, -1 for none
	token   string
	known   bool // the id's token was seen
}

// want adds a token to those that are looked for.
func (k *tokenIDs) want(token string) {
	if _, ok := k.ids[token]; ok || token == "" {
		return
	}
	if k.ids == nil {
		k.ids = make(map[string]int64)
	}
	k.ids[token] = -1
	k.lengths |= lengthBit(len(token))
}

func lengthBit(n int) uint64 { return 1 << min(n, 63) }

// see takes a token and its id. The last one counts, as in the maps of all readers.
func (k *tokenIDs) see(token []byte, id int64) {
	if id == k.id {
		k.token, k.known = string(token), true
	}
	if k.lengths&lengthBit(len(token)) == 0 {
		return
	}
	if _, ok := k.ids[string(token)]; ok {
		k.ids[string(token)] = id
	}
}

// TokenID is the id of one of the tokens that were looked for.
func (k *tokenIDs) TokenID(token string) (uint32, bool) {
	id, ok := k.ids[token]
	return uint32(id), ok && id >= 0
}

// Token is the token of the id that was looked for.
func (k *tokenIDs) Token(id uint32) (string, bool) {
	if int64(id) != k.id || !k.known {
		return "", false
	}
	return k.token, true
}

// wantIDs says what the vocabulary will be asked for: the named tokens, those of the
// lists beside it, and the token of the pad id that config.json gives.
func (t *tokenizerSource) wantIDs() {
	t.ids.id = -1
	for _, role := range specialRoles {
		t.ids.want(t.specialToken(role))
	}
	for _, token := range t.beside {
		t.ids.want(token)
	}
	t.ids.want(t.classPadToken)
	pad := t.model.Get("pad_token_id")
	if !pad.Exists() {
		pad = t.model.Get("text_config.pad_token_id")
	}
	if pad.Type == gjson.Number && pad.Num >= 0 && pad.Num < maxTokenID {
		t.ids.id = int64(pad.Num)
	}
}

// readLists gathers the tokens that stand on lists beside the vocabulary, in the
// order in which transformers adds them: added_tokens_decoder of the tokenizer's
// config, else added_tokens.json; then the named tokens; then the further special
// ones.
func (t *tokenizerSource) readLists(added func() gjson.Result) {
	if list := t.config.Get("added_tokens_decoder"); list.IsObject() {
		list.ForEach(func(_, token gjson.Result) bool {
			t.beside = append(t.beside, tokenText(token))
			return true
		})
	} else {
		added().ForEach(func(token, _ gjson.Result) bool {
			t.beside = append(t.beside, token.Str)
			return true
		})
	}
	t.listed = len(t.beside)
	for _, key := range [...]string{"additional_special_tokens", "extra_special_tokens"} {
		list := t.config.Get(key)
		if !list.Exists() || list.Type == gjson.Null {
			if t.config.Get("added_tokens_decoder").IsObject() {
				continue
			}
			list = t.special.Get(key)
		}
		list.ForEach(func(_, token gjson.Result) bool {
			t.beside = append(t.beside, tokenText(token))
			return true
		})
	}
}

// place gives ids to the tokens that stand on lists and in no vocabulary: the next
// free ones, whatever a list says, as the Rust library does. Named tokens that are on
// no list are reported.
func (t *tokenizerSource) place() {
	next := t.entries // the count of the vocabulary, which may have gaps
	add := func(token string) bool {
		id, ok := t.ids.ids[token]
		if !ok || id >= 0 {
			return false
		}
		t.ids.see([]byte(token), int64(next))
		t.note(next)
		next++
		return true
	}
	for _, token := range t.added {
		add(token)
	}
	for _, token := range t.beside[:t.listed] {
		add(token)
	}
	for _, role := range specialRoles {
		if token := t.specialToken(role); token != "" && add(token) {
			t.info.unlisted = append(t.info.unlisted, tokenizer.AddedToken{ID: uint32(next - 1), Content: token})
		}
	}
	for _, token := range t.beside[t.listed:] {
		add(token)
	}
}

// seeEntry reads the id of a member of a vocabulary, whose name is token.
func (t *tokenizerSource) seeEntry(s *jsonscan.Scanner, token []byte) error {
	raw, err := s.Raw()
	if id, convErr := strconv.Atoi(string(raw)); convErr == nil && id >= 0 && id < maxTokenID {
		t.note(id)
		t.entries++
		t.ids.see(token, int64(id))
	}
	return err
}

// seePiece reads one element of the vocabulary of Unigram, [token, score].
func (t *tokenizerSource) seePiece(s *jsonscan.Scanner, id int) error {
	if s.Kind() != jsonscan.Array {
		_, err := s.Raw()
		return err
	}
	return s.Array(func(i int) error {
		if i > 0 || s.Kind() != jsonscan.String {
			_, err := s.Raw()
			return err
		}
		token, err := s.Text()
		t.ids.see(token, int64(id))
		return err
	})
}

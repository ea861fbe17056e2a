package loader

import (
	"strconv"

	"github.com/tidwall/gjson"

	"omniloader/loader/jsonscan"
)

// tokenIDs finds, in one pass over a vocabulary, the ids of the few tokens that have
// a part to play, and the token of one id. It stands in for a tokenizer where none
// is built.
type tokenIDs struct {
	names   []string
	ids     []int64 // of the names, -1 where not seen
	lengths uint64  // bit n: a name has n bytes; bit 63 for 63 and more
	id      int64   // whose token is looked for, -1 for none
	token   string
	known   bool // the id's token was seen
}

// want adds a token to those that are looked for.
func (k *tokenIDs) want(token string) {
	if token == "" || k.find(token) >= 0 {
		return
	}
	k.names, k.ids = append(k.names, token), append(k.ids, -1)
	k.lengths |= lengthBit(len(token))
}

func lengthBit(n int) uint64 { return 1 << min(n, 63) }

func (k *tokenIDs) find(token string) int {
	for i, name := range k.names {
		if name == token {
			return i
		}
	}
	return -1
}

// see takes a token and its id. The last one counts, as in the maps of all readers.
func (k *tokenIDs) see(token []byte, id int64) {
	if id == k.id {
		k.token, k.known = string(token), true
	}
	if k.lengths&lengthBit(len(token)) == 0 {
		return
	}
	for i, name := range k.names {
		if name == string(token) {
			k.ids[i] = id
			return
		}
	}
}

// add takes a token of a list beside the vocabulary, which counts where the
// vocabulary lacks it.
func (k *tokenIDs) add(token string, id int64) {
	if id == k.id {
		k.token, k.known = token, true
	}
	if i := k.find(token); i >= 0 && k.ids[i] < 0 {
		k.ids[i] = id
	}
}

// TokenID is the id of one of the tokens that were looked for.
func (k *tokenIDs) TokenID(token string) (uint32, bool) {
	if i := k.find(token); i >= 0 && k.ids[i] >= 0 {
		return uint32(k.ids[i]), true
	}
	return 0, false
}

// Token is the token of the id that was looked for.
func (k *tokenIDs) Token(id uint32) (string, bool) {
	if int64(id) != k.id || !k.known {
		return "", false
	}
	return k.token, true
}

// wantIDs says what the vocabulary will be asked for: the named tokens, and the
// token of the pad id that config.json gives.
func (t *tokenizerSource) wantIDs() {
	t.ids.id = -1
	for _, role := range specialRoles {
		t.ids.want(t.specialToken(role))
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

// listedIDs takes the lists beside the vocabulary, which count where it lacks a
// token: the added tokens of tokenizer.json, then added_tokens_decoder of the
// tokenizer's config, else what added gives, added_tokens.json. The latter two are
// read where something is still looked for, or all says that their ids matter too,
// as they do beside a vocabulary that has no list of its own.
func (t *tokenizerSource) listedIDs(all bool, added func() gjson.Result) {
	t.next = t.entries // transformers numbers what is new from the count of the vocabulary on
	list := func(token string, id int64) {
		t.ids.add(token, id)
		t.next = max(t.next, int(id)+1)
	}
	for _, a := range t.added {
		list(a.token, a.id)
	}
	all = all || t.ids.id >= 0 && !t.ids.known
	for _, id := range t.ids.ids {
		all = all || id < 0
	}
	if !all {
		return
	}
	take := func(token string, id int64) {
		list(token, id)
		t.note(int(id))
	}
	if list := t.config.Get("added_tokens_decoder"); list.Exists() {
		list.ForEach(func(id, token gjson.Result) bool {
			if n, err := strconv.ParseUint(id.Str, 10, 31); err == nil {
				take(tokenText(token), int64(n))
			}
			return true
		})
		return
	}
	added().ForEach(func(token, id gjson.Result) bool {
		if id.Type == gjson.Number && id.Num >= 0 && id.Num < maxTokenID {
			take(token.Str, int64(id.Num))
		}
		return true
	})
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

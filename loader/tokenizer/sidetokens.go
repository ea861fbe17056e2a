package tokenizer

import (
	"slices"
	"strconv"
)

// appendSideTokens appends the tokens of the config files to tokens, those of
// tokenizer.json, and passes all of them to add.
func (l *directoryLoader) appendSideTokens(t *Tokenizer, tokens []AddedToken, add func([]AddedToken) error) error {
	known := make(map[string]bool, len(tokens))
	for _, a := range tokens {
		known[a.Content] = true
	}
	more := func(list ...AddedToken) {
		for _, a := range list {
			if a.Content != "" && !known[a.Content] {
				known[a.Content] = true
				tokens = append(tokens, a)
			}
		}
	}
	for _, a := range l.side.decoder {
		known[a.Content] = true
		tokens = append(tokens, a) // added again, with the flags of the config
	}
	if !l.side.hasDecoder {
		list, err := l.addedJSON()
		if err != nil {
			return err
		}
		more(list...)
	}
	var unlisted []string
	for _, role := range roleNames {
		a, _, err := l.side.role(role)
		if err != nil {
			return err
		}
		if _, inModel := t.model.lookup(a.Content); a.Content != "" && !inModel && !known[a.Content] {
			unlisted = append(unlisted, a.Content)
		}
		more(a)
	}
	more(l.side.extra...)
	if err := add(tokens); err != nil {
		return err
	}
	for _, token := range unlisted {
		t.config.Unlisted = append(t.config.Unlisted, t.added.tokens[t.added.byID[t.added.byText[token]]])
	}
	return nil
}

// override applies the members of tokenizer_config.json that change components of
// tokenizer.json in transformers' fast tokenizers.
func (l *directoryLoader) override(t *Tokenizer) {
	if b, ok := t.preTokenizer.(*byteLevel); ok {
		if on, ok := l.side.flag("add_prefix_space"); ok {
			b.addPrefixSpace = on
		}
	}
	n, ok := t.normalizer.(bertNormalizer)
	if !ok {
		return
	}
	if on, ok := l.side.flag("do_lower_case"); ok && on != n.lower {
		if n.accents == n.lower {
			n.accents = on
		}
		n.lower = on
	}
	if on, ok := l.side.flag("strip_accents"); ok {
		n.accents = on
	}
	if on, ok := l.side.flag("tokenize_chinese_chars"); ok {
		n.chinese = on
	}
	t.normalizer = n
}

// addedJSON reads added_tokens.json, {"token": id}.
func (l *directoryLoader) addedJSON() ([]AddedToken, error) {
	var out []AddedToken
	for i, name := range l.side.added.names {
		id, err := l.side.added.values[i].uint("the id of "+strconv.Quote(clip(name)), 1<<32-1)
		if err != nil {
			return nil, err
		}
		out = append(out, AddedToken{ID: uint32(id), Content: name, Normalized: true})
	}
	slices.SortStableFunc(out, func(a, b AddedToken) int { return int(int64(a.ID) - int64(b.ID)) })
	return out, nil
}

// placeSideTokens adds the tokens of the config files with the ids that they have there.
func (l *directoryLoader) placeSideTokens(t *Tokenizer) error {
	tokens := l.side.decoder
	if !l.side.hasDecoder {
		list, err := l.addedJSON()
		if err != nil {
			return err
		}
		tokens = append(slices.Clone(tokens), list...)
	}
	if err := t.added.addWithIDs(l.errorPath(), tokens); err != nil {
		return err
	}
	var named []AddedToken
	byClass := make(map[string]bool)
	for _, role := range roleNames {
		a, file, err := l.named(role)
		if err != nil {
			return err
		}
		byClass[a.Content] = byClass[a.Content] || file == ""
		named = append(named, a)
	}
	next := uint32(t.MaxID() + 1)
	var placed []AddedToken
	seen := make(map[string]bool)
	for _, a := range append(named, l.side.extra...) {
		if a.Content == "" || seen[a.Content] {
			continue
		}
		if id, ok := t.added.byText[a.Content]; ok {
			if a.Special { // the role makes it special, whatever the list says
				t.added.special[a.Content] = true
				t.added.tokens[t.added.byID[id]].Special = true
			}
			continue
		}
		id, ok := t.TokenID(a.Content)
		a.ID = id
		if !ok {
			if byClass[a.Content] {
				continue // only a default of the class
			}
			a.ID = next
			next++
			t.config.Unlisted = append(t.config.Unlisted, a)
		}
		seen[a.Content] = true
		placed = append(placed, a)
	}
	return t.added.addWithIDs(l.errorPath(), placed)
}

// roles sets the special tokens by role, and the file that sets each.
func (l *directoryLoader) roles(t *Tokenizer) error {
	for _, role := range roleNames {
		a, file, err := l.side.role(role)
		if err != nil {
			return err
		}
		if a.Content != "" {
			t.config.setRole(role, a.Content, file)
		}
	}
	return nil
}
